//! What a peer with another decoder than ours relies on.

use prost::Message as _;

use super::encode;
use crate::v1::{TaskInfo, quota::QuotaConfig, value::Scalar};
use crate::{decode, internal};

#[test]
fn a_maps_value_is_written_even_if_it_is_zero() {
    let config = QuotaConfig {
        role: "r".into(),
        limits: [("cpus".to_owned(), Scalar { value: 0.0 })].into(),
        ..QuotaConfig::default()
    };
    let mut expected =
        vec![0x0a, 1, b'r', 0x1a, 17, 0x0a, 4, b'c', b'p', b'u', b's', 0x12, 9, 0x09];
    expected.extend_from_slice(&[0; 8]);
    assert_eq!(encode(&config), expected);
    assert_eq!(decode(&encode(&config)), Ok(config));
}

#[test]
fn values_deep_inside_are_put_back_and_the_rest_stays() {
    let mut message = internal::RunTaskMessage::default();
    message.task.name = "n".into();
    let zero = [("mem".to_owned(), Scalar::default()), ("x".to_owned(), Scalar { value: 1.0 })];
    message.task.limits = zero.into();
    let bytes = encode(&message);
    assert_eq!(bytes.len(), message.encoded_len() + 11);
    assert_eq!(decode(&bytes), Ok(message));
}

#[test]
fn messages_without_gaps_are_as_prost_writes_them() {
    let task = TaskInfo { name: "n".into(), ..TaskInfo::default() };
    assert_eq!(encode(&task), task.encode_to_vec());
}
