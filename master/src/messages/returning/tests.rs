//! What must come out of an agent's return, however little of it is decoded.

use reeve_wire::splice::append;

use super::*;

fn task(id: &str) -> v1::Task {
    let resource = v1::Resource {
        name: "cpus".to_owned(),
        r#type: v1::value::Type::Scalar.into(),
        scalar: Some(v1::value::Scalar { value: 0.5 }),
        allocation_info: Some(v1::resource::AllocationInfo { role: Some("web".to_owned()) }),
        ..v1::Resource::default()
    };
    let status = v1::TaskStatus {
        task_id: v1::TaskId { value: id.to_owned() },
        state: v1::TaskState::TaskRunning.into(),
        agent_id: Some(v1::AgentId { value: "m-S0".to_owned() }),
        executor_id: Some(v1::ExecutorId { value: id.to_owned() }),
        ..v1::TaskStatus::default()
    };
    let label = v1::Label { key: "tier".to_owned(), value: Some("front".to_owned()) };
    v1::Task {
        name: "service".to_owned(),
        task_id: v1::TaskId { value: id.to_owned() },
        framework_id: v1::FrameworkId { value: "f".to_owned() },
        agent_id: v1::AgentId { value: "m-S0".to_owned() },
        state: v1::TaskState::TaskRunning.into(),
        resources: vec![resource],
        statuses: vec![status],
        labels: Some(v1::Labels { labels: vec![label] }),
        ..v1::Task::default()
    }
}

fn message(tasks: Vec<v1::Task>) -> internal::ReregisterSlaveMessage {
    let framework = v1::FrameworkInfo {
        user: "root".to_owned(),
        name: "f".to_owned(),
        id: Some(v1::FrameworkId { value: "f".to_owned() }),
        ..v1::FrameworkInfo::default()
    };
    internal::ReregisterSlaveMessage {
        slave: SlaveInfo {
            hostname: "host".to_owned(),
            id: Some(v1::AgentId { value: "m-S0".to_owned() }),
            ..SlaveInfo::default()
        },
        tasks,
        frameworks: vec![framework],
        version: Some("1.11.0".to_owned()),
        ..internal::ReregisterSlaveMessage::default()
    }
}

fn read(memory: &mut Memory, message: &internal::ReregisterSlaveMessage) -> Reregistration {
    memory.reregistration(&reeve_wire::encode(message)).expect("a sound message")
}

#[test]
fn a_task_is_known_by_what_it_says_and_keeps_the_rest() {
    let mut encoded = task("t").encode_to_vec();
    let named: Bytes = encoded.clone().into();
    let mut newer = bytes::BytesMut::new();
    append(&mut newer, 99, b"from a newer agent");
    encoded.extend_from_slice(&newer);
    let known = Memory::default().task(&encoded.into(), None).expect("a sound task");

    assert_eq!((known.id.as_str(), &*known.name), ("t", "service"));
    assert_eq!((known.framework.as_str(), known.executor), ("f", None));
    assert_eq!(known.resources.to_string(), "cpus(allocated: web):0.5");
    assert_eq!((known.state, known.statuses.len()), (TaskState::Running, 1));
    let rest = v1::Task::decode(known.rest.clone()).expect("a message");
    assert_eq!(rest, v1::Task { labels: task("t").labels, ..v1::Task::default() });
    assert!(known.rest.ends_with(&newer), "fields unknown here travel along");
    assert!(known.rest.len() < named.len());
}

#[test]
fn what_many_say_alike_is_kept_once() {
    let mut memory = Memory::default();
    let (a, b) = (message(vec![task("a")]), message(vec![task("b")]));
    let (a, b) = (read(&mut memory, &a), read(&mut memory, &b));
    assert!(Arc::ptr_eq(&a.frameworks[0], &b.frameworks[0]));
    assert!(Arc::ptr_eq(&a.tasks[0].name, &b.tasks[0].name));
    assert_eq!(a.tasks[0].resources, b.tasks[0].resources);
    assert_eq!(a.tasks[0].rest.as_ptr(), b.tasks[0].rest.as_ptr());
    let executor = a.tasks[0].statuses[0].executor.as_ref().expect("an executor");
    assert_eq!(executor.as_str(), "a");
    assert_eq!(executor.as_str().as_ptr(), a.tasks[0].id.as_str().as_ptr());
    assert_ne!(a.tasks[0].id, b.tasks[0].id);
}

#[test]
fn a_task_that_breaks_a_rule_is_left_out_alone() {
    let mut broken = task("broken");
    broken.resources[0].scalar = None;
    let back = read(&mut Memory::default(), &message(vec![task("a"), broken, task("b")]));
    let ids: Vec<&str> = back.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn a_message_without_a_required_field_is_refused() {
    let mut message = message(vec![]);
    message.slave.hostname.clear();
    let bytes = message.encode_to_vec();
    // prost writes empty required text, so the whole description is cut out.
    let cut = splice::without(&bytes.into(), &[2]).expect("a message");
    let why = Memory::default().reregistration(&cut).expect_err("it is incomplete");
    assert!(why.contains("slave"), "{why}");
}

#[test]
fn a_task_without_a_required_field_has_the_message_refused() {
    let mut memory = Memory::default();
    // The second says what the first said, but for what it lacks.
    for (number, lacking) in
        [(2, "tasks[1].task_id"), (5, "tasks[1].agent_id"), (6, "tasks[1].state")]
    {
        let whole: Bytes = task("b").encode_to_vec().into();
        let cut = splice::without(&whole, &[number]).expect("a message");
        let mut bytes = bytes::BytesMut::from(&message(vec![task("a")]).encode_to_vec()[..]);
        append(&mut bytes, TASKS, &cut);
        let why = memory.reregistration(&bytes.freeze()).expect_err("it is incomplete");
        assert!(why.contains(lacking), "{why}");
    }
    // A status without a state, in a task that is otherwise like others.
    let mut whole = bytes::BytesMut::from(&task("c").encode_to_vec()[..]);
    append(&mut whole, 8, &[0x0a, 3, 0x0a, 1, b'c']);
    let mut bytes = bytes::BytesMut::from(&message(vec![task("a")]).encode_to_vec()[..]);
    append(&mut bytes, TASKS, &whole);
    let why = memory.reregistration(&bytes.freeze()).expect_err("it is incomplete");
    assert!(why.contains("tasks[1].statuses[1].state"), "{why}");
}
