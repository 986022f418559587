//! By bytes: what follows was written down field by field, as those drivers write it.

use std::time::Duration;

use reeve_master_core::Options;
use reeve_master_core::event::{Call, Caller, Channel, Kind};
use reeve_model::{FrameworkId, Pid, Role};
use reeve_transport::Inbound;

use super::super::{Parsed, Reader};
use crate::readers::Readers;

const DRIVER: &str = "scheduler(1)@10.0.0.5:4711";

/// A field of bytes: its number, its length, its content.
fn read(message: &Inbound) -> Result<Parsed, String> {
    Reader::new(Readers::new(&Options::default())).read(message)
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()][..], content].concat()
}

/// An id message's content: its one field is the text.
fn id(text: &str) -> Vec<u8> {
    field(1, text.as_bytes())
}

fn parsed(name: &str, parts: &[Vec<u8>]) -> Parsed {
    let message = Inbound {
        from: DRIVER.parse().unwrap(),
        via: None,
        to: "master".into(),
        name: format!("mesos.internal.{name}").into(),
        body: parts.concat().into(),
    };
    read(&message).unwrap()
}

fn call(name: &str, parts: &[Vec<u8>]) -> Call {
    match parsed(name, parts) {
        Parsed::Event(Kind::Calls(framework, Caller::Driver(pid), call)) => {
            assert_eq!(framework, FrameworkId::new("f"));
            assert_eq!(pid, DRIVER.parse::<Pid>().unwrap());
            call
        }
        other => panic!("{other:?}"),
    }
}

/// `FrameworkInfo`: user, name, and if wanted an id.
fn framework(known: Option<&str>) -> Vec<u8> {
    let mut info = [field(1, b"root"), field(2, b"old")].concat();
    known.into_iter().for_each(|known| info.extend(field(3, &id(known))));
    info
}

#[test]
fn registrations_are_subscriptions() {
    let Parsed::Subscribes(new) = parsed("RegisterFrameworkMessage", &[field(1, &framework(None))])
    else {
        panic!("no subscription")
    };
    assert_eq!((new.info.name.as_str(), new.info.id.clone(), new.force), ("old", None, false));
    assert_eq!(new.channel, Channel::Libprocess(DRIVER.parse().unwrap()));

    let back = [field(2, &framework(Some("f"))), vec![3 << 3, 1]];
    let Parsed::Subscribes(back) = parsed("ReregisterFrameworkMessage", &back) else {
        panic!("no subscription")
    };
    assert_eq!((back.info.id.clone(), back.force), (Some(FrameworkId::new("f")), true));
}

#[test]
fn launches_are_acceptances_and_without_tasks_refusals() {
    // TaskInfo: name, task_id, slave_id, a resource (name, type SCALAR, scalar 1.0), a command.
    let resource = [field(1, b"cpus"), vec![2 << 3, 0], field(3, &one()), field(6, b"*")].concat();
    let task = [
        field(1, b"t"),
        field(2, &id("t1")),
        field(3, &id("s1")),
        field(4, &resource),
        field(7, &field(3, b"true")),
    ];
    let filters = [vec![1 << 3 | 1], 30.0_f64.to_le_bytes().to_vec()].concat();
    let launched = call(
        "LaunchTasksMessage",
        &[field(1, &id("f")), field(3, &task.concat()), field(5, &filters), field(6, &id("o1"))],
    );
    let Call::Accept { offers, operations, filters } = launched else { panic!("{launched:?}") };
    assert_eq!((offers.len(), operations.len()), (1, 1));
    assert_eq!(filters.refuse, Duration::from_secs(30));
    let declined =
        call("LaunchTasksMessage", &[field(1, &id("f")), field(5, b""), field(6, &id("o1"))]);
    assert!(matches!(declined, Call::Accept { operations, .. } if operations.is_empty()));
}

/// `Value.Scalar` of 1.
fn one() -> Vec<u8> {
    [vec![1 << 3 | 1], 1.0_f64.to_le_bytes().to_vec()].concat()
}

#[test]
fn the_others_are_the_calls_of_their_names() {
    let f = || field(1, &id("f"));
    assert!(matches!(call("UnregisterFrameworkMessage", &[f()]), Call::Teardown));
    assert!(matches!(call("ResourceRequestMessage", &[f()]), Call::Request));
    assert!(matches!(call("ReviveOffersMessage", &[f()]), Call::Revive(roles) if roles.is_empty()));
    let some = call("ReviveOffersMessage", &[f(), field(2, b"dev")]);
    assert!(matches!(some, Call::Revive(roles) if roles == [Role::new("dev")]));
    let kill = call("KillTaskMessage", &[f(), field(2, &id("t1"))]);
    assert!(
        matches!(kill, Call::Kill { task, agent: None, policy: None } if task.as_str() == "t1")
    );
    let ack = call(
        "StatusUpdateAcknowledgementMessage",
        &[field(1, &id("s1")), field(2, &id("f")), field(3, &id("t1")), field(4, &[7; 16])],
    );
    let Call::Acknowledge { agent, task, uuid } = ack else { panic!("{ack:?}") };
    assert_eq!((agent.as_str(), task.as_str(), uuid.as_bytes()), ("s1", "t1", &[7; 16]));
    // TaskStatus: task_id, state TASK_RUNNING, slave_id.
    let status = [field(1, &id("t1")), vec![2 << 3, 1], field(5, &id("s1"))].concat();
    let asked = call("ReconcileTasksMessage", &[f(), field(2, &status)]);
    let Call::Reconcile(tasks) = asked else { panic!("{asked:?}") };
    assert_eq!((tasks[0].0.as_str(), tasks[0].1.as_ref().unwrap().as_str()), ("t1", "s1"));
    let message = call(
        "FrameworkToExecutorMessage",
        &[field(1, &id("s1")), field(2, &id("f")), field(3, &id("e1")), field(4, b"hi")],
    );
    assert!(matches!(message, Call::Message { data, .. } if data == "hi"));
}

#[test]
fn a_framework_that_breaks_a_rule_is_told_so() {
    // Its role is none.
    let info = [framework(None), field(6, b"a/../b")].concat();
    let refused = parsed("RegisterFrameworkMessage", &[field(1, &info)]);
    assert!(matches!(&refused, Parsed::Refused(why) if why.contains("..")), "{refused:?}");
}
