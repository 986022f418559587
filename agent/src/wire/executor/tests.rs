//! What executors rely on: they read what the framework wrote.

use bytes::BytesMut;
use reeve_agent_core::event::FromMaster;
use reeve_model::{AgentId, Attributes, ContainerId, Pid, Resources, Role};
use reeve_wire::splice::{append, content};
use reeve_wire::{internal, v1};

use super::*;
use crate::wire::incoming;

/// A number that no field of a task or an executor has.
const NEW: u32 = 900;

fn with_news(known: &impl Message) -> Bytes {
    let mut bytes = BytesMut::from(&known.encode_to_vec()[..]);
    append(&mut bytes, NEW, b"from the future");
    bytes.freeze()
}

fn agent() -> AgentInfo {
    AgentInfo {
        id: Some(AgentId::new("a")),
        hostname: "a1".to_owned(),
        port: 5051,
        resources: Resources::new(),
        attributes: Attributes::default(),
        domain: None,
        checkpoint: true,
    }
}

fn framework() -> v1::FrameworkInfo {
    v1::FrameworkInfo {
        user: "root".to_owned(),
        name: "f".to_owned(),
        id: Some(v1::FrameworkId { value: "f".to_owned() }),
        ..v1::FrameworkInfo::default()
    }
}

fn cpus() -> Vec<v1::Resource> {
    let mut some = Resources::parse("cpus:1", &Role::any()).unwrap();
    some.allocate(&Role::any());
    some.to_wire(Format::PreRefinement).unwrap()
}

fn task() -> v1::TaskInfo {
    v1::TaskInfo {
        name: "t".to_owned(),
        task_id: v1::TaskId { value: "t".to_owned() },
        agent_id: v1::AgentId { value: "a".to_owned() },
        resources: cpus(),
        ..v1::TaskInfo::default()
    }
}

fn executor() -> v1::ExecutorInfo {
    v1::ExecutorInfo {
        executor_id: v1::ExecutorId { value: "e".to_owned() },
        framework_id: Some(v1::FrameworkId { value: "f".to_owned() }),
        resources: cpus(),
        ..v1::ExecutorInfo::default()
    }
}

/// A message of the master whose field `number` is replaced by what this version does not know.
fn heard(
    message: &impl reeve_wire::WireMessage,
    name: &str,
    fields: &[(u32, &[u8])],
) -> FromMaster {
    let numbers: Vec<u32> = fields.iter().map(|(number, _)| *number).collect();
    let whole = Bytes::from(message.encode_to_vec());
    let mut body = BytesMut::from(reeve_wire::splice::without(&whole, &numbers).unwrap());
    for (number, content) in fields {
        append(&mut body, *number, content);
    }
    let master = Pid::new("master", "127.0.0.1:5050".parse().unwrap());
    incoming::parse(&format!("mesos.internal.{name}"), &master, &body.freeze()).unwrap()
}

fn inside(bytes: &Bytes, path: &[u32]) -> Bytes {
    path.iter().fold(bytes.clone(), |message, number| content(&message, *number).unwrap().unwrap())
}

/// The same event, but for the order of its fields, as JSON has it.
fn reads_as_json_does(encoded: &Bytes, message: &ToExecutor) {
    let read: Event = reeve_wire::decode(encoded).unwrap();
    assert_eq!(read, event(message, &agent()));
}

#[test]
fn a_task_reaches_its_executor_with_what_we_do_not_know() {
    let wire = internal::RunTaskMessage {
        framework: framework(),
        task: task(),
        ..internal::RunTaskMessage::default()
    };
    let whole = with_news(&task());
    let FromMaster::Run { task, .. } = heard(&wire, "RunTaskMessage", &[(4, &whole)]) else {
        panic!("nothing is run")
    };
    let launch = ToExecutor::Launch(task);
    let sent = encode(&launch, &agent());
    assert_eq!(inside(&sent, &[4, 1, NEW]), "from the future");
    reads_as_json_does(&sent, &launch);
}

#[test]
fn a_group_and_its_executor_keep_what_we_do_not_know() {
    let wire = internal::RunTaskGroupMessage {
        framework: framework(),
        executor: executor(),
        task_group: v1::TaskGroupInfo { tasks: vec![task()] },
        ..internal::RunTaskGroupMessage::default()
    };
    let mut tasks = BytesMut::new();
    append(&mut tasks, 1, &with_news(&task()));
    append(&mut tasks, 1, &with_news(&task()));
    let fields: [(u32, &[u8]); 2] = [(2, &with_news(&executor())), (3, &tasks)];
    let FromMaster::RunGroup { framework, executor, tasks, .. } =
        heard(&wire, "RunTaskGroupMessage", &fields)
    else {
        panic!("nothing is run")
    };
    assert_eq!(tasks.len(), 2);
    let launch = ToExecutor::LaunchGroup(tasks);
    let sent = encode(&launch, &agent());
    assert_eq!(inside(&sent, &[8, 1, 1, NEW]), "from the future");
    reads_as_json_does(&sent, &launch);

    let container = ContainerId::new("c");
    let subscribed = ToExecutor::Subscribed { executor, framework, container };
    let sent = encode(&subscribed, &agent());
    assert_eq!(inside(&sent, &[2, 1, NEW]), "from the future");
    reads_as_json_does(&sent, &subscribed);
}
