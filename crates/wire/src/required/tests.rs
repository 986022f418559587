//! What the check finds missing, and what it lets pass.

use prost::Message as _;

use super::{Error, Missing, check};
use crate::desc::Described as _;
use crate::v1::scheduler::{self, Call};
use crate::{internal, v1};

fn missing(paths: &[&str]) -> Result<(), Error> {
    Err(Error::Missing(Missing(paths.iter().map(|path| (*path).to_owned()).collect())))
}

#[test]
fn a_missing_field_is_named_with_its_path() {
    assert_eq!(check(&[], Call::DESC), Ok(()));
    assert_eq!(check(&[], internal::PingSlaveMessage::DESC), missing(&["connected"]));
    // subscribe { framework_info { name: "n" } }
    let bytes = [0x1a, 5, 0x0a, 3, 0x12, 1, b'n'];
    assert_eq!(check(&bytes, Call::DESC), missing(&["subscribe.framework_info.user"]));
    // subscribe {}
    assert_eq!(check(&[0x1a, 0], Call::DESC), missing(&["subscribe.framework_info"]));
}

#[test]
fn elements_and_map_values_are_named_by_index_and_key() {
    // accept { offer_ids { value: "o" } offer_ids {} }
    let bytes = [0x22, 7, 0x0a, 3, 0x0a, 1, b'o', 0x0a, 0];
    assert_eq!(check(&bytes, Call::DESC), missing(&["accept.offer_ids[1].value"]));
    // limits { key: "mem" value {} }
    let mut task = v1::TaskInfo::default().encode_to_vec();
    task.extend_from_slice(&[0x7a, 7, 0x0a, 3, b'm', b'e', b'm', 0x12, 0]);
    assert_eq!(check(&task, v1::TaskInfo::DESC), missing(&["limits[mem].value"]));
}

#[test]
fn what_prost_writes_is_complete() {
    let call = Call {
        r#type: Some(scheduler::call::Type::Subscribe.into()),
        subscribe: Some(scheduler::call::Subscribe::default()),
        ..Call::default()
    };
    assert_eq!(check(&call.encode_to_vec(), Call::DESC), Ok(()));
    let task = v1::TaskInfo {
        limits: [("mem".to_owned(), v1::value::Scalar { value: 0.0 })].into(),
        ..v1::TaskInfo::default()
    };
    assert_eq!(check(&task.encode_to_vec(), v1::TaskInfo::DESC), Ok(()));
}

#[test]
fn unknown_fields_are_passed_over() {
    let mut bytes = internal::PingSlaveMessage { connected: true }.encode_to_vec();
    bytes.extend_from_slice(&[0x98, 0x3f, 0x2a]);
    assert_eq!(check(&bytes, internal::PingSlaveMessage::DESC), Ok(()));
}

#[test]
fn hostile_messages_end_soon() {
    let mut many = Vec::new();
    for _ in 0..100_000 {
        many.extend_from_slice(&[0x0a, 0]);
    }
    let Err(Error::Missing(Missing(named))) = check(&many, scheduler::event::Offers::DESC) else {
        panic!("100,000 empty offers should be refused");
    };
    assert_eq!(named.len(), 16);

    let mut deep = vec![0x0a, 1, b'c'];
    for _ in 0..200 {
        let mut outer = vec![0x0a, 1, b'c', 0x12];
        crate::splice::put_varint(&mut outer, deep.len() as u64);
        outer.append(&mut deep);
        deep = outer;
    }
    assert!(matches!(check(&deep, v1::ContainerId::DESC), Err(Error::Malformed(_))));
    assert!(matches!(check(&[0x0a, 9], Call::DESC), Err(Error::Malformed(_))));
}
