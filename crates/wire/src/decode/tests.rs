//! What a handler of incoming messages relies on.

use bytes::Bytes;
use prost::Message as _;

use super::{DecodeError, decode};
use crate::desc::Described as _;
use crate::internal::{PingSlaveMessage, StatusUpdateAcknowledgementMessage as Acknowledgement};

#[test]
fn a_whole_message_is_decoded() {
    let sent =
        Acknowledgement { uuid: Bytes::from_static(b"0123456789abcdef"), ..Default::default() };
    assert_eq!(decode(&sent.encode_to_vec().into()), Ok(sent));
}

#[test]
fn refusals_name_the_message_and_the_field() {
    let error = decode::<PingSlaveMessage>(&Bytes::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "mesos.internal.PingSlaveMessage is incomplete. Missing required fields: connected"
    );
    let error = decode::<PingSlaveMessage>(&Bytes::from_static(&[0x0a, 1, 0])).unwrap_err();
    assert!(matches!(error, DecodeError::Malformed { .. }));
    assert!(error.to_string().contains("connected"), "{error}");
}

#[test]
fn names_are_those_that_libprocess_dispatches_on() {
    assert_eq!(PingSlaveMessage::NAME, "mesos.internal.PingSlaveMessage");
    assert_eq!(crate::v0::scheduler::Call::NAME, "mesos.scheduler.Call");
    assert_eq!(
        crate::v1::offer::operation::LaunchGroup::NAME,
        "mesos.v1.Offer.Operation.LaunchGroup"
    );
}
