use prost::Message;
use reeve_wire::v1::executor::{Event, event};

use super::*;
use crate::http::Response;

#[test]
fn records_are_cut_wherever_the_stream_breaks() {
    let stream = b"3\nabc0\n11\nhello world";
    for size in 1..=stream.len() {
        let mut records = Records::default();
        let mut seen = Vec::new();
        for piece in stream.chunks(size) {
            records.push(piece);
            while let Some(record) = records.next().unwrap() {
                seen.push(record);
            }
        }
        assert_eq!(seen, [b"abc".to_vec(), b"".to_vec(), b"hello world".to_vec()]);
    }
}

#[test]
fn a_stream_out_of_step_is_noticed() {
    for text in ["x\n", "-1\n", "\n", "99999999999999999999999\n", "999999999999\n"] {
        let mut records = Records::default();
        records.push(text.as_bytes());
        assert_eq!(records.next(), Err(BadLength), "{text:?}");
    }
}

/// `first.http` is what an agent of version 0.1, of November 2026, answered a SUBSCRIBE with, as it
/// came off the wire. It is never written anew: executors start beside agents that are about to be
/// replaced.
#[test]
fn what_an_earlier_agent_says_is_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/first.http");
    let mut response = Response::new();
    response.push(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(response.status(), Some(200));
    let mut records = Records::default();
    records.push(&response.take_body());
    let mut events = Vec::new();
    while let Some(record) = records.next().unwrap() {
        events.push(Event::decode(&*record).unwrap());
    }
    let kinds: Vec<_> = events.iter().map(Event::r#type).collect();
    use event::Type::{Acknowledged, Launch, Subscribed};
    assert_eq!(kinds, [Subscribed, Launch, Acknowledged, Acknowledged]);
    let task = &events[1].launch.as_ref().unwrap().task;
    assert_eq!(task.task_id.value, "old");
    let command = task.command.as_ref().and_then(|command| command.value.as_deref());
    assert_eq!(command, Some("sleep 6; exit 3"));
}
