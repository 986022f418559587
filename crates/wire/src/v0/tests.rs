//! The table of differences, held against the messages themselves.

use prost::Message as _;

use super::{FIELDS, TYPES, VALUES, enum_name, field, scheduler, type_name, value};
use crate::desc::{Described as _, Kind, enums, messages};
use crate::v1;

#[test]
fn the_table_names_only_what_exists() {
    for (message, name, _) in FIELDS {
        let desc = messages().iter().find(|desc| desc.name == *message).expect(message);
        assert!(desc.fields.iter().any(|field| field.name == *name), "{message}.{name}");
    }
    for (of, name, _) in VALUES {
        let desc = enums().iter().find(|desc| desc.name == *of).expect(of);
        assert!(desc.by_name(name).is_some(), "{of}.{name}");
    }
    for (new, _) in TYPES {
        assert!(messages().iter().any(|desc| desc.name == *new), "{new}");
    }
}

#[test]
fn names_are_given_in_older_words_where_they_differ() {
    assert_eq!(field("mesos.v1.Offer", "agent_id"), "slave_id");
    assert_eq!(field("mesos.v1.Offer", "hostname"), "hostname");
    // v0 kept the newer words where a message is younger than them.
    assert_eq!(field("mesos.v1.master.Event.AgentRemoved", "agent_id"), "agent_id");
    assert_eq!(value("mesos.v1.TaskStatus.Source", "SOURCE_AGENT"), "SOURCE_SLAVE");
    assert_eq!(value("mesos.v1.TaskStatus.Source", "SOURCE_MASTER"), "SOURCE_MASTER");
    assert_eq!(type_name("mesos.v1.AgentInfo.Capability"), "mesos.SlaveInfo.Capability");
    assert_eq!(type_name("mesos.v1.AgentID"), "mesos.SlaveID");
    assert_eq!(type_name("mesos.v1.scheduler.Call"), "mesos.scheduler.Call");
    let source = v1::TaskStatus::DESC.fields.iter().find(|field| field.name == "source");
    let Some(Kind::Enum(source)) = source.map(|field| field.kind) else {
        panic!("TaskStatus.source should be an enum");
    };
    assert_eq!(enum_name(source, 1), Some("SOURCE_SLAVE"));
    assert_eq!(enum_name(source, 77), None);
}

#[test]
fn a_drivers_call_becomes_the_v1_call() {
    let call = scheduler::Call {
        r#type: Some(v1::scheduler::call::Type::Subscribe.into()),
        subscribe: Some(scheduler::call::Subscribe {
            framework_info: v1::FrameworkInfo { user: "u".into(), ..Default::default() },
            force: Some(true),
            suppressed_roles: vec!["r".into()],
            offer_constraints: Some(v1::scheduler::OfferConstraints::default()),
        }),
        ..scheduler::Call::default()
    };
    let (call, force) = call.into();
    let subscribe = call.subscribe.expect("kept");
    assert!(force);
    assert_eq!(subscribe.framework_info.user, "u");
    assert_eq!(subscribe.suppressed_roles, ["r"]);
    assert!(subscribe.offer_constraints.is_some());
}

#[test]
fn all_but_subscribe_is_the_same_bytes() {
    let mut call = v1::scheduler::Call {
        framework_id: Some(v1::FrameworkId { value: "f".into() }),
        r#type: Some(v1::scheduler::call::Type::Kill.into()),
        accept: Some(v1::scheduler::call::Accept::default()),
        decline: Some(v1::scheduler::call::Decline::default()),
        accept_inverse_offers: Some(v1::scheduler::call::AcceptInverseOffers::default()),
        decline_inverse_offers: Some(v1::scheduler::call::DeclineInverseOffers::default()),
        revive: Some(v1::scheduler::call::Revive { roles: vec!["r".into()] }),
        kill: Some(v1::scheduler::call::Kill::default()),
        shutdown: Some(v1::scheduler::call::Shutdown::default()),
        acknowledge: Some(v1::scheduler::call::Acknowledge::default()),
        reconcile: Some(v1::scheduler::call::Reconcile::default()),
        message: Some(v1::scheduler::call::Message::default()),
        request: Some(v1::scheduler::call::Request::default()),
        suppress: Some(v1::scheduler::call::Suppress { roles: vec!["s".into()] }),
        ..v1::scheduler::Call::default()
    };
    call.acknowledge_operation_status =
        Some(v1::scheduler::call::AcknowledgeOperationStatus::default());
    call.reconcile_operations = Some(v1::scheduler::call::ReconcileOperations::default());
    call.update_framework = Some(v1::scheduler::call::UpdateFramework::default());
    let read = scheduler::Call::decode(&call.encode_to_vec()[..]).expect("the same bytes");
    assert_eq!(<(v1::scheduler::Call, bool)>::from(read), (call, false));
}
