//! What a master and a framework rely on: ordered updates, one outstanding at a time.

use std::net::Ipv4Addr;

use super::*;

fn fleet(task_time: Duration) -> Simulated {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 6000));
    let options = FleetOptions {
        master: SocketAddr::from((Ipv4Addr::LOCALHOST, 5050)),
        count: 2,
        resources: String::new(),
        ip: here.ip(),
        port: here.port(),
        sockets: 1,
        task_time,
        checkpoint: false,
        burden: None,
    };
    Simulated::new(here, 10, 2, &[], &options)
}

/// What comes back when the master sends this to `slave(11)`.
fn deliver<T: WireMessage>(fleet: &mut Simulated, message: &T, now: Instant) -> Vec<Outgoing> {
    let inbound = Inbound {
        from: "master@127.0.0.1:5050".parse().expect("a pid"),
        via: None,
        to: "slave(11)".into(),
        name: T::NAME.into(),
        body: reeve_wire::encode(message),
    };
    let mut out = Vec::new();
    fleet.take(inbound, now, &mut out).expect("a good message");
    out
}

fn run(fleet: &mut Simulated, task: &str) -> internal::StatusUpdate {
    let message = internal::RunTaskMessage {
        framework_id: Some(v1::FrameworkId { value: "f".to_owned() }),
        task: v1::TaskInfo {
            task_id: v1::TaskId { value: task.to_owned() },
            ..v1::TaskInfo::default()
        },
        ..internal::RunTaskMessage::default()
    };
    update(&deliver(fleet, &message, Instant::now())).expect("an update")
}

fn update(out: &[Outgoing]) -> Option<internal::StatusUpdate> {
    let sent = out.first()?;
    let message = internal::StatusUpdateMessage::decode(sent.body.clone()).expect("an update");
    assert_eq!(message.pid.as_deref(), Some("slave(11)@127.0.0.1:6000"));
    Some(message.update)
}

fn acknowledge(fleet: &mut Simulated, update: &internal::StatusUpdate) -> Vec<Outgoing> {
    let message = internal::StatusUpdateAcknowledgementMessage {
        uuid: update.uuid.clone().expect("a uuid"),
        ..internal::StatusUpdateAcknowledgementMessage::default()
    };
    deliver(fleet, &message, Instant::now())
}

fn kill(fleet: &mut Simulated, task: &str) -> Vec<Outgoing> {
    let message = internal::KillTaskMessage {
        framework_id: v1::FrameworkId { value: "f".to_owned() },
        task_id: v1::TaskId { value: task.to_owned() },
        kill_policy: None,
    };
    deliver(fleet, &message, Instant::now())
}

#[test]
fn the_end_is_told_once_the_start_is_acknowledged() {
    let mut fleet = fleet(Duration::ZERO);
    let running = run(&mut fleet, "a");
    assert_eq!(running.status.state(), v1::TaskState::TaskRunning);
    let out = acknowledge(&mut fleet, &running);
    let finished = update(&out).expect("the end");
    assert_eq!(finished.status.state(), v1::TaskState::TaskFinished);
    assert_ne!(running.uuid, finished.uuid);
    assert!(acknowledge(&mut fleet, &running).is_empty(), "told twice");
    assert!(acknowledge(&mut fleet, &finished).is_empty());
    assert!(acknowledge(&mut fleet, &finished).is_empty(), "the task is gone");
}

#[test]
fn a_place_used_again_is_another_task() {
    let mut fleet = fleet(Duration::ZERO);
    let first = run(&mut fleet, "a");
    let last = update(&acknowledge(&mut fleet, &first)).expect("the end");
    acknowledge(&mut fleet, &last);
    let second = run(&mut fleet, "b");
    assert!(acknowledge(&mut fleet, &first).is_empty(), "of the task before");
    let ended = update(&acknowledge(&mut fleet, &second)).expect("the end");
    assert_eq!(ended.status.task_id.value, "b");
}

#[test]
fn tasks_end_when_their_time_is_up() {
    let mut fleet = fleet(Duration::from_secs(10));
    let running = run(&mut fleet, "a");
    assert!(acknowledge(&mut fleet, &running).is_empty());
    let due = fleet.due().expect("a time");
    let mut out = Vec::new();
    fleet.pass(due - Duration::from_secs(1), &mut out);
    assert!(out.is_empty(), "too early");
    fleet.pass(due, &mut out);
    let ended = update(&out).expect("the end");
    assert_eq!(ended.status.state(), v1::TaskState::TaskFinished);
}

#[test]
fn a_kill_waits_for_the_acknowledgement_of_the_start() {
    let mut fleet = fleet(Duration::from_secs(10));
    let running = run(&mut fleet, "a");
    assert!(kill(&mut fleet, "a").is_empty());
    let killed = update(&acknowledge(&mut fleet, &running)).expect("the end");
    assert_eq!(killed.status.state(), v1::TaskState::TaskKilled);
    let running = run(&mut fleet, "b");
    acknowledge(&mut fleet, &running);
    let killed = update(&kill(&mut fleet, "b")).expect("the end");
    assert_eq!(killed.status.state(), v1::TaskState::TaskKilled);
    assert!(kill(&mut fleet, "b").is_empty(), "killed twice");
}

#[test]
fn all_register_and_those_registered_do_not_ask_again() {
    let mut fleet = fleet(Duration::ZERO);
    let mut out = Vec::new();
    fleet.register(&mut out);
    assert_eq!(
        out.iter().map(|one| fleet.id(one.agent)).collect::<Vec<_>>(),
        ["slave(11)", "slave(12)"]
    );
    let told = internal::SlaveRegisteredMessage {
        slave_id: v1::AgentId { value: "S0".to_owned() },
        ..internal::SlaveRegisteredMessage::default()
    };
    let update = deliver(&mut fleet, &told, Instant::now());
    assert_eq!(update.len(), 1, "UpdateSlaveMessage follows");
    assert!(fleet.registered().is_none(), "one is missing");
    out.clear();
    fleet.register(&mut out);
    assert_eq!(out.iter().map(|one| fleet.id(one.agent)).collect::<Vec<_>>(), ["slave(12)"]);
}
