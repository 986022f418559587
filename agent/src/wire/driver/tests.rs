use std::sync::Arc;

use reeve_model::{AgentId, ContainerId, ExecutorId, ExecutorInfo, FrameworkInfo, TaskState};

use super::*;

fn pid() -> Pid {
    "executor(1)@10.0.0.9:4711".parse().unwrap()
}

fn read<T: WireMessage>(message: &T) -> (FrameworkId, ExecutorId, Asked) {
    parse(&pid(), T::NAME, &bytes(message)).expect("a message of drivers").expect("a good one")
}

fn wire_status(state: v1::TaskState) -> v1::TaskStatus {
    let task_id = v1::TaskId { value: "t".to_owned() };
    v1::TaskStatus { task_id, state: state.into(), ..v1::TaskStatus::default() }
}

fn wire_update(state: v1::TaskState) -> internal::StatusUpdate {
    internal::StatusUpdate {
        framework_id: v1::FrameworkId { value: "f".to_owned() },
        executor_id: Some(v1::ExecutorId { value: "e".to_owned() }),
        status: wire_status(state),
        timestamp: 7.0,
        uuid: Some(Bytes::from_static(&[9; 16])),
        ..internal::StatusUpdate::default()
    }
}

#[test]
fn a_registration_names_its_driver() {
    let wire = internal::RegisterExecutorMessage {
        framework_id: v1::FrameworkId { value: "f".to_owned() },
        executor_id: v1::ExecutorId { value: "e".to_owned() },
    };
    let (framework, executor, asked) = read(&wire);
    assert_eq!((framework.as_str(), executor.as_str()), ("f", "e"));
    let Asked::Register { subscription, again: false } = asked else { panic!("{asked:?}") };
    assert_eq!(subscription.driver, Some(pid()));
}

#[test]
fn one_that_comes_back_says_what_it_has() {
    let wire = internal::ReregisterExecutorMessage {
        framework_id: v1::FrameworkId { value: "f".to_owned() },
        executor_id: v1::ExecutorId { value: "e".to_owned() },
        updates: vec![wire_update(v1::TaskState::TaskRunning)],
        ..internal::ReregisterExecutorMessage::default()
    };
    let (_, _, asked) = read(&wire);
    let Asked::Register { subscription, again: true } = asked else { panic!("{asked:?}") };
    let status = &subscription.updates[0];
    assert_eq!((status.state, status.uuid), (TaskState::Running, Some(reeve_model::Uuid([9; 16]))));
}

#[test]
fn an_update_carries_its_own_id_and_time_into_its_status() {
    let update = wire_update(v1::TaskState::TaskFinished);
    let wire = internal::StatusUpdateMessage { update, pid: Some(pid().to_string()) };
    let (_, _, asked) = read(&wire);
    let Asked::Tell(Kind::ExecutorUpdates(_, _, status)) = asked else { panic!("{asked:?}") };
    assert_eq!(status.uuid, Some(reeve_model::Uuid([9; 16])));
    assert_eq!(status.source, Some(Source::Executor));
    assert_eq!(status.timestamp.map(|at| at.0), Some(7.0));
    let wrong =
        internal::StatusUpdate { executor_id: None, ..wire_update(v1::TaskState::TaskFinished) };
    let wire = internal::StatusUpdateMessage { update: wrong, pid: None };
    let name = internal::StatusUpdateMessage::NAME;
    assert!(matches!(parse(&pid(), name, &bytes(&wire)), Some(Err(Refused::NoExecutor))));
}

#[test]
fn what_is_said_goes_as_the_messages_that_drivers_know() {
    let framework = FrameworkInfo::try_from(v1::FrameworkInfo {
        user: "root".to_owned(),
        name: "n".to_owned(),
        id: Some(v1::FrameworkId { value: "f".to_owned() }),
        ..v1::FrameworkInfo::default()
    });
    let framework = Arc::new(framework.unwrap());
    let executor = ExecutorInfo::try_from(v1::ExecutorInfo {
        executor_id: v1::ExecutorId { value: "e".to_owned() },
        command: Some(v1::CommandInfo::default()),
        ..v1::ExecutorInfo::default()
    });
    let agent = AgentInfo {
        id: Some(AgentId::new("s")),
        hostname: "h".to_owned(),
        port: 5051,
        resources: reeve_model::Resources::default(),
        attributes: reeve_model::Attributes::default(),
        domain: None,
        checkpoint: true,
    };
    let mut to = Driver {
        pid: pid(),
        framework: FrameworkId::new("f"),
        executor: ExecutorId::new("e"),
        again: false,
        info: Some(framework.clone()),
    };
    let greeting = ToExecutor::Subscribed {
        executor: Arc::new(executor.unwrap()),
        framework,
        container: ContainerId::new("c"),
    };
    let named = |to: &Driver, message: &ToExecutor| {
        encode(message, to, &agent).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(named(&to, &greeting), [internal::ExecutorRegisteredMessage::NAME]);
    to.again = true;
    assert_eq!(named(&to, &greeting), [internal::ExecutorReregisteredMessage::NAME]);
    let error = ToExecutor::Error("not wanted".to_owned());
    assert_eq!(named(&to, &error), [internal::ShutdownExecutorMessage::NAME]);
    assert_eq!(named(&to, &ToExecutor::Heartbeat), [""; 0]);

    let task = v1::TaskInfo {
        name: "n".to_owned(),
        task_id: v1::TaskId { value: "t".to_owned() },
        agent_id: v1::AgentId { value: "s".to_owned() },
        data: Some(Bytes::from_static(b"data")),
        ..v1::TaskInfo::default()
    };
    let task = Arc::new(TaskInfo::try_from(task).unwrap());
    let sent = encode(&ToExecutor::LaunchGroup(vec![task.clone(), task]), &to, &agent);
    assert_eq!(sent.len(), 2);
    let run: internal::RunTaskMessage = decode(&sent[0].1).unwrap();
    assert_eq!(run.task.data, Some(Bytes::from_static(b"data")));
    assert_eq!(run.framework.name, "n");
}
