//! What an operator relies on: the text of a registry says all of it, and a check finds what is
//! wrong.

#![allow(clippy::unwrap_used)]

use prost::Message;
use reeve_records::{Document, Kind, Records, check, lacking, mesos};
use reeve_registry::Write;
use reeve_wire::internal::registry::MinimumCapability;
use reeve_wire::v1::master::response::get_frameworks::Framework;
use reeve_wire::{SlaveInfo, WireMessage, v1};
use serde_json::json;

fn put<T: WireMessage>(records: &mut Records, kind: Kind, id: &str, message: &T) {
    let Write::Put(key, value) = kind.put(id, message) else { unreachable!() };
    records.insert(key, value);
}

fn agent(id: &str) -> SlaveInfo {
    let id = Some(v1::AgentId { value: id.to_owned() });
    SlaveInfo { hostname: "h".to_owned(), id, ..SlaveInfo::default() }
}

fn framework(id: &str) -> Framework {
    let info = v1::FrameworkInfo {
        user: "u".to_owned(),
        name: "n".to_owned(),
        id: Some(v1::FrameworkId { value: id.to_owned() }),
        ..v1::FrameworkInfo::default()
    };
    Framework { framework_info: info, registered_time: Some(NOW), ..Framework::default() }
}

const NOW: v1::TimeInfo = v1::TimeInfo { nanoseconds: 1 };

fn records() -> Records {
    let text = include_bytes!("mesos-1.11/live/registry.json");
    let mut records = mesos::convert(mesos::from_json(text).unwrap()).records;
    put(&mut records, Kind::Frameworks, "f-1", &framework("f-1"));
    let ended = Framework { unregistered_time: Some(NOW), ..framework("f-2") };
    put(&mut records, Kind::Completed, "f-2", &ended);
    records
}

/// What JSON writes of fields that have defaults is set afterwards.
fn settled(records: &Records) -> serde_json::Value {
    Document::of(records).json().clone()
}

#[test]
fn every_key_leads_back_to_its_kind() {
    for kind in Kind::ALL {
        let id = if kind.single() { "" } else { "a/b" };
        assert_eq!(Kind::of(&kind.key(id)), Some((kind, id)));
    }
    for foreign in ["", "agents", "agents/", "master/x", "ghosts/1"] {
        assert_eq!(Kind::of(foreign), None, "{foreign}");
    }
}

#[test]
fn a_text_gives_back_all_records() {
    let records = records();
    let text = Document::of(&records).text();
    let back = Document::parse(text.as_bytes()).unwrap().records().unwrap();
    assert_eq!(back.keys().collect::<Vec<_>>(), records.keys().collect::<Vec<_>>());
    assert_eq!(settled(&back), settled(&records));
    assert_eq!(Document::of(&back).text(), text, "the same records are the same text");
    assert!(text.contains("\"hostname\": \"host-1.example\""), "{text}");
}

#[test]
fn what_json_cannot_say_is_kept_in_bytes() {
    let mut records = records();
    // Field 99 is one that this version does not know.
    let mut newer = agent("a").encode_to_vec();
    newer.extend([0x98, 0x06, 0x01]);
    records.insert("agents/a".to_owned(), newer);
    records.insert("ghosts/1".to_owned(), b"boo".to_vec());
    records.insert("agents/torn".to_owned(), vec![0xff; 3]);
    let text = Document::of(&records).text();
    let back = Document::parse(text.as_bytes()).unwrap().records().unwrap();
    for key in ["agents/a", "ghosts/1", "agents/torn"] {
        assert_eq!(back[key], records[key], "{key}");
    }
}

#[test]
fn a_text_that_is_wrong_says_where() {
    let of = |json: serde_json::Value| {
        Document::parse(json.to_string().as_bytes()).unwrap().records().unwrap_err().to_string()
    };
    assert!(of(json!({"format": 9, "records": {}})).contains("it has format 9"));
    assert!(of(json!({"agents": []})).contains("reeve registry export"));
    let error = of(json!({"format": 1, "records": {"agents": {"a": {"hostname": 7}}}}));
    assert!(error.starts_with("agents/a: hostname: "), "{error}");
    let error = of(json!({"format": 1, "records": {"ghosts": {}}}));
    assert!(error.starts_with("ghosts: "), "{error}");
    let other = json!({"hostname": "h", "id": {"value": "b"}});
    let error = of(json!({"format": 1, "records": {"agents": {"a": other}}}));
    assert_eq!(error, "agents/a: it describes 'b'");
}

#[test]
fn a_check_names_what_is_wrong_and_nothing_else() {
    let mut records = records();
    assert_eq!(check(&records), []);
    put(&mut records, Kind::Agents, "a", &agent("b"));
    put(&mut records, Kind::Agents, "lost", &agent("lost"));
    put(&mut records, Kind::Gone, "lost", &NOW);
    put(&mut records, Kind::Agents, "here", &agent("here"));
    put(&mut records, Kind::Unreachable, "here", &NOW);
    put(&mut records, Kind::Frameworks, "f-2", &framework("f-2"));
    put(
        &mut records,
        Kind::Weights,
        "dev",
        &v1::WeightInfo { weight: -1.0, role: Some("dev".to_owned()) },
    );
    let capability = MinimumCapability { capability: "FLYING".to_owned() };
    put(&mut records, Kind::Capabilities, "FLYING", &capability);
    records.insert("agents/torn".to_owned(), vec![0xff; 3]);
    records.insert("ghosts/1".to_owned(), b"boo".to_vec());

    let found = check(&records);
    let of = |removable| -> Vec<&str> {
        let found = found.iter().filter(|finding| finding.removable == removable);
        found.map(|finding| finding.key.as_str()).collect()
    };
    let removable = [
        "agents/a",
        "agents/lost",
        "agents/torn",
        "frameworks/f-2",
        "unreachable/here",
        "weights/dev",
    ];
    assert_eq!(of(true), removable);
    assert_eq!(of(false), ["capabilities/FLYING", "ghosts/1"]);
    assert_eq!(lacking(&records), ["FLYING"]);
    let text = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.contains("agents/a: it describes 'b'"), "{text}");
    assert!(text.contains("agents/lost: contradicts gone/lost"), "{text}");

    for finding in found.iter().filter(|finding| finding.removable) {
        records.remove(&finding.key);
    }
    assert!(check(&records).iter().all(|finding| !finding.removable));
}
