use std::time::Duration;

use reeve_master_core::effect::ToScheduler;
use reeve_master_core::event::{StreamClaim, StreamId};
use reeve_model::Capabilities;
use reeve_transport::Codec;
use tokio::sync::oneshot;

use super::{EVENTS, Opened, Streams};
use crate::schedulers::Recipient;

fn open(streams: &Streams) -> (Opened, oneshot::Receiver<StreamId>) {
    let to = Recipient {
        capabilities: Capabilities::none(),
        heartbeat: Duration::from_secs(15),
        master: Default::default(),
    };
    let (sender, gone) = oneshot::channel();
    let opened = streams.open(Codec::Json, to, move |id| async move {
        let _ = sender.send(id);
    });
    (opened, gone)
}

#[tokio::test]
async fn a_claim_names_a_stream_until_its_reader_is_gone() {
    let streams = Streams::new();
    let (opened, gone) = open(&streams);
    assert_eq!(streams.claim(Some(&opened.name)), StreamClaim::Is(opened.id));
    assert_eq!(streams.claim(Some("x")), StreamClaim::Unknown);
    assert_eq!(streams.claim(None), StreamClaim::Missing);
    drop(opened.body);
    assert_eq!(gone.await, Ok(opened.id));
    assert_eq!(streams.claim(Some(&opened.name)), StreamClaim::Unknown);
}

#[tokio::test]
async fn two_streams_are_two() {
    let streams = Streams::new();
    let ((one, _gone), (other, _also)) = (open(&streams), open(&streams));
    assert_ne!(one.id, other.id);
    assert_ne!(one.name, other.name);
    assert_ne!(streams.number(), other.id);
}

#[tokio::test]
async fn a_full_queue_is_told_and_does_not_wait() {
    let (opened, _gone) = open(&Streams::new());
    // This test does not yield, so that nothing is taken out meanwhile.
    let send = || opened.outlet.send(Capabilities::none(), ToScheduler::Heartbeat);
    assert!((0..EVENTS).all(|_| send()));
    assert!(!send());
}
