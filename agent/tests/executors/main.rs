//! What executors of earlier versions say is understood: they live on while their agent is
//! replaced by a newer one.
//!
//! `first` holds the requests of `reeve-executor` as it was at commit c7f667c, the first one whose
//! agent found its executors again, cut from its connections: a command that exits with 3 while
//! its agent is away. Requests are never written anew; those of later versions come beside them.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use bytes::Bytes;
use reeve_agent::wire::executor::{Asked, parse};
use reeve_agent_core::event::{ExecutorSubscription, Kind};
use reeve_model::{Source, TaskState, TaskStatus};
use reeve_wire::v1::executor::Call;

/// The calls of one connection.
fn calls(name: &str) -> Vec<Asked> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/executors/first");
    let mut rest = &std::fs::read(room.join(name)).unwrap()[..];
    let mut calls = Vec::new();
    while !rest.is_empty() {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        assert!(head.starts_with("POST /slave(1)/api/v1/executor HTTP/1.1\r\n"), "{head}");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        assert_eq!(header("Content-Type: "), "application/x-protobuf");
        let length: usize = header("Content-Length: ").parse().unwrap();
        let (body, next) = rest[end + 4..].split_at(length);
        let call: Call = reeve_wire::decode(&Bytes::copy_from_slice(body)).unwrap();
        assert_eq!(call.executor_id.value, "old");
        calls.push(parse(call).unwrap());
        rest = next;
    }
    calls
}

fn subscription(name: &str) -> Box<ExecutorSubscription> {
    let Some(Asked::Subscribe(subscription)) = calls(name).pop() else { panic!("{name}") };
    subscription
}

fn update(asked: &Asked) -> &TaskStatus {
    let Asked::Tell(Kind::ExecutorUpdates(_, _, status)) = asked else { panic!("{asked:?}") };
    status
}

fn is_the_end(status: &TaskStatus) {
    assert_eq!((status.task.as_str(), status.state), ("old", TaskState::Failed));
    assert_eq!(status.message.as_deref(), Some("Command exited with status 3"));
    assert_eq!(status.source, Some(Source::Executor));
}

#[test]
fn one_that_begins_is_admitted() {
    let subscription = subscription("subscribe.http");
    assert!(subscription.tasks.is_empty() && subscription.updates.is_empty());
    assert_eq!(subscription.framework.as_str(), "1472374e-93a4-4b62-a712-10a944db96aa-0000");
}

#[test]
fn its_updates_are_taken() {
    let states: Vec<_> = calls("updates.http").iter().map(|one| update(one).state).collect();
    assert_eq!(states, [TaskState::Starting, TaskState::Running]);
    is_the_end(update(&calls("end.http")[0]));
}

#[test]
fn one_that_comes_back_brings_what_was_not_acknowledged() {
    let subscription = subscription("subscribe-with-update.http");
    let [status] = &subscription.updates[..] else { panic!("{subscription:?}") };
    is_the_end(status);
    let told = calls("end.http");
    assert_eq!(status.uuid, update(&told[0]).uuid, "or its agent would take it for another");
}
