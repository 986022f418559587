//! Each rule of Mesos's JSON, with texts as seen on real Mesos where there are any.

use bytes::Bytes;
use serde_json::json;

use super::{
    Error, Words, from_slice, from_slice_in, from_value, to_string, to_value, to_value_in,
};
use crate::v1::{self, FrameworkInfo, MasterInfo, Resource, TaskStatus, scheduler};

fn read<T: crate::WireMessage>(value: serde_json::Value) -> Result<T, Error> {
    from_slice(value.to_string().as_bytes())
}

fn complaint<T: crate::WireMessage>(value: serde_json::Value) -> String {
    read::<T>(value).err().expect("should be refused").to_string()
}

fn status() -> serde_json::Value {
    json!({"task_id": {"value": "t"}, "state": "TASK_RUNNING"})
}

#[test]
fn names_are_the_declared_ones_in_the_order_of_declaration() {
    let event = scheduler::Event {
        r#type: Some(scheduler::event::Type::Subscribed.into()),
        subscribed: Some(scheduler::event::Subscribed {
            framework_id: v1::FrameworkId { value: "f".into() },
            heartbeat_interval_seconds: Some(15.0),
            master_info: Some(MasterInfo {
                id: "m".into(),
                ip: 16_777_343,
                port: 5050,
                ..MasterInfo::default()
            }),
        }),
        ..scheduler::Event::default()
    };
    assert_eq!(
        to_string(&event),
        r#"{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"f"},"heartbeat_interval_seconds":15.0,"master_info":{"id":"m","ip":16777343,"port":5050}}}"#
    );
    // Declared out of numeric order: hostname is 7, role 6, roles 12.
    let framework = FrameworkInfo {
        user: "u".into(),
        name: "n".into(),
        roles: vec!["r".into()],
        hostname: Some("h".into()),
        ..FrameworkInfo::default()
    };
    let text = to_string(&framework);
    assert!(text.ends_with(r#""roles":["r"],"hostname":"h"}"#), "{text}");
}

#[test]
fn declared_defaults_are_written_even_if_unset_unless_deprecated() {
    let framework = FrameworkInfo { user: "u".into(), name: "n".into(), ..Default::default() };
    assert_eq!(
        to_string(&framework),
        r#"{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}"#
    );
}

#[test]
fn empty_lists_and_unset_fields_are_not_written() {
    assert_eq!(to_string(&scheduler::Call::default()), "{}");
    assert_eq!(to_string(&scheduler::event::Offers::default()), "{}");
}

#[test]
fn doubles_keep_their_fraction_and_odd_ones_are_text() {
    for (value, text) in [
        (4.0, "4.0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
        (f64::NAN, "\"NaN\""),
    ] {
        let scalar = v1::value::Scalar { value };
        assert_eq!(to_string(&scalar), format!("{{\"value\":{text}}}"));
        let back: v1::value::Scalar = from_slice(to_string(&scalar).as_bytes()).unwrap();
        assert!(back.value == value || back.value.is_nan() && value.is_nan());
    }
}

#[test]
fn whole_numbers_of_64_bits_are_json_numbers() {
    let time = v1::TimeInfo { nanoseconds: 1_605_000_000_000_000_001 };
    assert_eq!(to_string(&time), r#"{"nanoseconds":1605000000000000001}"#);
    let range = v1::value::Range { begin: 0, end: u64::MAX };
    assert_eq!(to_string(&range), r#"{"begin":0,"end":18446744073709551615}"#);
    assert_eq!(from_slice::<v1::value::Range>(to_string(&range).as_bytes()), Ok(range));
}

#[test]
fn numbers_may_be_text_and_whole_numbers_may_have_a_zero_fraction() {
    let range = v1::value::Range { begin: 31_000, end: 32_000 };
    assert_eq!(read(json!({"begin": "31000", "end": 32000.0})), Ok(range));
    assert_eq!(read(json!({"value": "1.5"})), Ok(v1::value::Scalar { value: 1.5 }));
    assert_eq!(read(json!({"value": 3})), Ok(v1::value::Scalar { value: 3.0 }));
    assert!(complaint::<v1::value::Range>(json!({"begin": -1, "end": 1})).starts_with("begin: "));
    assert!(complaint::<v1::value::Range>(json!({"begin": 0.5, "end": 1})).starts_with("begin: "));
    assert!(complaint::<v1::value::Range>(json!({"begin": 0, "end": "x"})).starts_with("end: "));
    let large = json!({"begin": 0, "end": 1e300});
    assert!(complaint::<v1::value::Range>(large).starts_with("end: "));
    let port = json!({"id": "m", "ip": 4_294_967_296_u64, "port": 1});
    assert!(complaint::<MasterInfo>(port).starts_with("ip: "));
}

#[test]
fn bytes_are_base64() {
    let mut value = status();
    value["uuid"] = json!("AAEC/w==");
    let status: TaskStatus = read(value.clone()).unwrap();
    assert_eq!(status.uuid, Some(Bytes::from_static(&[0, 1, 2, 255])));
    assert_eq!(to_value(&status), value);
    value["uuid"] = json!("#");
    let text = complaint::<TaskStatus>(value);
    assert!(text.starts_with("uuid: ") && text.contains("base64"), "{text}");
}

#[test]
fn null_is_unset_everywhere() {
    let framework: FrameworkInfo = read(json!({
        "user": "u", "name": "n", "id": null, "capabilities": null, "labels": null,
        "offer_filters": null, "checkpoint": null, "roles": [null, "a"]
    }))
    .unwrap();
    let expected = FrameworkInfo {
        user: "u".into(),
        name: "n".into(),
        roles: vec!["a".into()],
        ..Default::default()
    };
    assert_eq!(framework, expected);
    assert_eq!(
        complaint::<FrameworkInfo>(json!({"user": null, "name": "n"})),
        "Missing required fields: user"
    );
}

#[test]
fn unknown_fields_are_ignored() {
    let mut value = status();
    value["shiny"] = json!({"deep": [1, {"er": null}]});
    assert!(read::<TaskStatus>(value).is_ok());
}

#[test]
fn missing_required_fields_are_named_with_their_paths() {
    let call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": {"name": "n"}}});
    assert_eq!(
        complaint::<scheduler::Call>(call),
        "Missing required fields: subscribe.framework_info.user"
    );
    let call = json!({"type": "ACCEPT", "accept": {"offer_ids": [{"value": "o"}, {}], "operations": [
        {"type": "LAUNCH", "launch": {"task_infos": [{"name": "n", "task_id": {"value": "t"},
            "agent_id": {}, "limits": {"cpus": {}}}]}}
    ]}});
    assert_eq!(
        complaint::<scheduler::Call>(call),
        "Missing required fields: accept.offer_ids[1].value, \
         accept.operations[0].launch.task_infos[0].agent_id.value, \
         accept.operations[0].launch.task_infos[0].limits[cpus].value"
    );
}

#[test]
fn a_wrong_type_is_named_with_its_path_and_what_was_expected() {
    let call = json!({"type": "ACCEPT", "accept": {"offer_ids": [{"value": "o"}, {"value": 7}]}});
    let text = complaint::<scheduler::Call>(call);
    assert!(text.starts_with("accept.offer_ids[1].value: "), "{text}");
    assert!(text.contains("expected text"), "{text}");
    let limits = json!({"name": "n", "task_id": {"value": "t"}, "agent_id": {"value": "a"},
        "limits": {"cpus": 1}});
    let text = complaint::<v1::TaskInfo>(limits);
    assert!(text.starts_with("limits[cpus]: "), "{text}");
    for (field, value) in [
        ("healthy", json!("true")),
        ("labels", json!([])),
        ("message", json!({})),
        ("uuid", json!(1)),
    ] {
        let mut status = status();
        status[field] = value;
        let text = complaint::<TaskStatus>(status);
        assert!(text.starts_with(&format!("{field}: ")), "{text}");
    }
    let text = from_slice::<TaskStatus>(b"{\"task_id\": {").expect_err("cut short").to_string();
    assert!(text.contains("EOF") && text.contains("line 1"), "{text}");
    assert!(from_slice::<TaskStatus>(b"[]").is_err());
    assert!(from_slice::<scheduler::Call>(b"{} {}").is_err());
}

#[test]
fn an_unknown_enum_name_is_dropped_if_optional_and_refused_if_required() {
    let mut value = status();
    value["reason"] = json!("REASON_FROM_THE_FUTURE");
    assert_eq!(read::<TaskStatus>(value).unwrap().reason, None);
    let text =
        complaint::<TaskStatus>(json!({"task_id": {"value": "t"}, "state": "TASK_DREAMING"}));
    assert!(text.contains("state") && text.contains("TASK_DREAMING"), "{text}");
    let mut value = status();
    value["state"] = json!(1);
    assert_eq!(read::<TaskStatus>(value).unwrap().state, v1::TaskState::TaskRunning as i32);
}

#[test]
fn an_enum_number_without_a_name_leaves_an_empty_object() {
    let capability = |number| v1::master_info::Capability { r#type: Some(number) };
    let master = MasterInfo {
        id: "m".into(),
        ip: 1,
        port: 5050,
        capabilities: vec![
            capability(1),
            capability(v1::master_info::capability::Type::QuotaV2 as i32),
            capability(99),
        ],
        ..MasterInfo::default()
    };
    let written = to_value(&master);
    assert_eq!(written["capabilities"], json!([{"type": "AGENT_UPDATE"}, {}, {}]));
    let read: MasterInfo = read(json!({"id": "m", "ip": 1, "port": 5050,
        "capabilities": [{"type": "QUOTA_V2"}, {"type": "NEWER"}, {}]}))
    .unwrap();
    let types: Vec<_> = read.capabilities.iter().map(|capability| capability.r#type).collect();
    assert_eq!(types, [Some(3), None, None]);
}

#[test]
fn maps_are_objects_even_where_a_value_is_all_zero() {
    let value = json!({"name": "n", "task_id": {"value": "t"}, "agent_id": {"value": "a"},
        "limits": {"cpus": {"value": "Infinity"}, "mem": {"value": 0.0}}});
    let task: v1::TaskInfo = read(value.clone()).unwrap();
    assert_eq!(task.limits["mem"].value, 0.0);
    assert_eq!(task.limits["cpus"].value, f64::INFINITY);
    assert_eq!(to_value(&task), value);
}

#[test]
fn of_a_oneof_the_set_field_is_written_as_any_other() {
    use scheduler::attribute_constraint::{Selector, selector::Selector as Chosen};
    let selector = Selector { selector: Some(Chosen::AttributeName("rack".into())) };
    assert_eq!(to_string(&selector), r#"{"attribute_name":"rack"}"#);
    assert_eq!(read(json!({"attribute_name": "rack"})), Ok(selector));
    let selector = Selector { selector: Some(Chosen::PseudoattributeType(2)) };
    assert_eq!(to_string(&selector), r#"{"pseudoattribute_type":"REGION"}"#);
}

#[test]
fn durations_are_text_in_seconds() {
    for (text, seconds, nanos) in [
        ("600s", 600, 0),
        ("1.500s", 1, 500_000_000),
        ("0.000000001s", 0, 1),
        ("-2.250s", -2, -250_000_000),
    ] {
        let value = json!({"agent_id": {"value": "a"}, "max_grace_period": text,
            "mark_gone": true});
        let call: v1::master::call::DrainAgent = read(value.clone()).unwrap();
        let grace = call.max_grace_period.unwrap();
        assert_eq!((grace.seconds, grace.nanos), (seconds, nanos));
        assert_eq!(to_value(&call), value);
    }
    for text in ["", "s", "600", "1.s", ".5s", "1e3s", "--1s", "99999999999999999999s"] {
        let value = json!({"agent_id": {"value": "a"}, "max_grace_period": text});
        let text = complaint::<v1::master::call::DrainAgent>(value);
        assert!(text.starts_with("max_grace_period: "), "{text}");
    }
}

#[test]
fn text_is_escaped_as_json_needs_and_no_further() {
    let id = v1::AgentId { value: "a/b \"ü\" \n".into() };
    assert_eq!(to_string(&id), r#"{"value":"a/b \"ü\" \n"}"#);
    assert_eq!(from_slice(to_string(&id).as_bytes()), Ok(id));
}

#[test]
fn the_words_of_the_older_generation_are_read_and_written() {
    let status = TaskStatus {
        task_id: v1::TaskId { value: "t".into() },
        state: v1::TaskState::TaskLost as i32,
        source: Some(v1::task_status::Source::Agent as i32),
        reason: Some(v1::task_status::Reason::AgentRestarted as i32),
        agent_id: Some(v1::AgentId { value: "a".into() }),
        ..TaskStatus::default()
    };
    let written = to_value_in(Words::V0, &status);
    assert_eq!(
        written,
        json!({"task_id": {"value": "t"}, "state": "TASK_LOST", "source": "SOURCE_SLAVE",
            "reason": "REASON_SLAVE_RESTARTED", "slave_id": {"value": "a"}})
    );
    assert_eq!(from_slice_in(Words::V0, written.to_string().as_bytes()), Ok(status));
}

#[test]
fn messages_take_part_in_other_serde_values() {
    let resource: Resource =
        serde_json::from_str(r#"{"name":"cpus","type":"SCALAR","scalar":{"value":2}}"#).unwrap();
    assert_eq!(resource.scalar, Some(v1::value::Scalar { value: 2.0 }));
    let text = serde_json::to_string(&vec![resource.clone()]).unwrap();
    assert_eq!(text, r#"[{"name":"cpus","type":"SCALAR","scalar":{"value":2.0}}]"#);
    assert_eq!(from_value(&to_value(&resource)), Ok(resource));
    let error = serde_json::from_str::<Resource>(r#"{"type":"SCALAR"}"#).expect_err("no name");
    assert!(error.to_string().contains("Missing required fields: name"), "{error}");
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!("{}{}", "{\"executor\":".repeat(3), "[".repeat(1000));
    assert!(from_slice::<v1::TaskInfo>(text.as_bytes()).is_err());
    let parents =
        format!("{}{{}}{}", "{\"value\":\"c\",\"parent\":".repeat(5000), "}".repeat(5000));
    assert!(from_slice::<v1::ContainerId>(parents.as_bytes()).is_err());
}
