//! What a master relies on when it forwards fields that it does not know.

use bytes::{Bytes, BytesMut};
use prost::Message as _;

use super::{Raw, append, content, contents, fields, keep, without};
use crate::v1::{AgentId, TaskId, TaskInfo};

fn task() -> TaskInfo {
    TaskInfo {
        name: "n".into(),
        task_id: TaskId { value: "t".into() },
        agent_id: AgentId { value: "a".into() },
        ..TaskInfo::default()
    }
}

/// A task with a field of every wire type that no version of the protocol has.
fn newer() -> Bytes {
    let mut bytes = BytesMut::from(&task().encode_to_vec()[..]);
    bytes.extend_from_slice(&[0x98, 0x3f, 0x2a]); // 1011: varint 42
    bytes.extend_from_slice(&[0xa1, 0x3f, 1, 0, 0, 0, 0, 0, 0, 0]); // 1012: fixed64
    bytes.extend_from_slice(&[0xad, 0x3f, 2, 0, 0, 0]); // 1013: fixed32
    bytes.extend_from_slice(&[0xb3, 0x3f, 0x08, 0x07, 0x0b, 0x0c, 0xb4, 0x3f]); // 1014: group
    append(&mut bytes, 1015, b"text");
    bytes.freeze()
}

#[test]
fn every_wire_type_is_walked_over() {
    let bytes = newer();
    let found: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
    let values: Vec<_> = found.iter().skip(3).map(|field| (field.number, field.value)).collect();
    assert_eq!(
        values,
        [
            (1011, Raw::Varint(42)),
            (1012, Raw::Fixed64(1)),
            (1013, Raw::Fixed32(2)),
            (1014, Raw::Group(&[0x08, 0x07, 0x0b, 0x0c])),
            (1015, Raw::Bytes(b"text")),
        ]
    );
    let types: Vec<_> = found.iter().map(|field| field.value.wire_type()).collect();
    assert_eq!(types, [2, 2, 2, 0, 1, 5, 3, 2]);
    let joined: Vec<u8> = found.iter().flat_map(|f| bytes[f.range.clone()].to_vec()).collect();
    assert_eq!(joined, bytes);
}

#[test]
fn unknown_fields_survive_a_cut_and_a_graft() {
    let bytes = newer();
    let mut cut = BytesMut::from(&without(&bytes, &[3]).unwrap()[..]);
    append(&mut cut, 3, &AgentId { value: "other".into() }.encode_to_vec());
    let cut = cut.freeze();
    assert_eq!(TaskInfo::decode(cut.clone()).unwrap().agent_id.value, "other");
    assert_eq!(content(&cut, 1015), Ok(Some(Bytes::from_static(b"text"))));
    let unknown = keep(&bytes, |number| (1011..=1015).contains(&number)).unwrap();
    assert_eq!(unknown.len() + task().encoded_len(), bytes.len());
    assert!(cut.windows(unknown.len()).any(|part| part == unknown));
    assert_eq!(without(&bytes, &[9999]).unwrap(), bytes);
    assert_eq!(content(&bytes, 9999), Ok(None));
}

#[test]
fn the_last_content_of_a_field_counts() {
    let mut bytes = BytesMut::new();
    append(&mut bytes, 1, b"first");
    append(&mut bytes, 1, b"last");
    assert_eq!(content(&bytes.freeze(), 1), Ok(Some(Bytes::from_static(b"last"))));
}

#[test]
fn what_is_no_message_is_refused_once_and_with_its_place() {
    for (bytes, at) in [
        (&[0x08][..], 0),
        (&[0x08, 1, 0x0a, 5, 1], 2),
        (&[0x08, 1, 0x00], 2),
        (&[0x0c], 0),
        (&[0x0b, 0x08], 0),
        (&[0x0b, 0x14], 0),
        (&[0x0e, 0], 0),
        (&[0x09, 1, 2], 0),
        (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], 0),
        (&[255, 255, 255, 255, 255, 1], 0),
    ] {
        let mut walk = fields(bytes).skip_while(Result::is_ok);
        assert_eq!(walk.next().map(|error| error.unwrap_err().at), Some(at), "{bytes:?}");
        assert!(walk.next().is_none());
    }
    let groups = Bytes::from(vec![0x0b; 100_000]);
    assert!(without(&groups, &[]).unwrap_err().to_string().contains("too deeply"));
}

#[test]
fn a_repeated_field_has_all_its_contents() {
    let mut bytes = BytesMut::new();
    append(&mut bytes, 1, b"one");
    append(&mut bytes, 2, b"else");
    append(&mut bytes, 1, b"two");
    let bytes = bytes.freeze();
    assert_eq!(contents(&bytes, 1).unwrap(), ["one", "two"]);
    assert_eq!(content(&bytes, 1).unwrap().unwrap(), "two", "the last one counts");
    assert!(contents(&bytes, 3).unwrap().is_empty());
}
