use bytes::{Bytes, BytesMut};
use prost::Message;
use reeve_master_core::event::Call;
use reeve_model::{Format, Operation};
use reeve_wire::splice::append;
use reeve_wire::{decode, v1};

use super::restore;
use crate::api::call;

/// A number that no field of `TaskInfo` has.
const NEW: u32 = 900;

fn task() -> Bytes {
    let known = v1::TaskInfo {
        name: "t".to_owned(),
        task_id: v1::TaskId { value: "t".to_owned() },
        agent_id: v1::AgentId { value: "a".to_owned() },
        resources: reeve_model::Resources::parse("cpus:1;mem:32", &reeve_model::Role::any())
            .unwrap()
            .to_wire(Format::PostRefinement)
            .unwrap(),
        command: Some(v1::CommandInfo { value: Some("true".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    let mut bytes = BytesMut::from(&known.encode_to_vec()[..]);
    append(&mut bytes, NEW, b"from the future");
    bytes.freeze()
}

fn wrapped(number: u32, content: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    append(&mut bytes, number, content);
    bytes.freeze()
}

fn operation(kind: v1::offer::operation::Type, number: u32, content: &[u8]) -> Bytes {
    let head = v1::offer::Operation { r#type: Some(kind.into()), ..Default::default() };
    let mut operation = BytesMut::from(&head.encode_to_vec()[..]);
    append(&mut operation, number, content);
    operation.freeze()
}

/// The one operation of an ACCEPT, as it reaches the core.
fn accepted(operation: &[u8]) -> Operation {
    let head = v1::scheduler::Call {
        framework_id: Some(v1::FrameworkId { value: "f".to_owned() }),
        r#type: Some(v1::scheduler::call::Type::Accept.into()),
        ..Default::default()
    };
    let mut encoded = BytesMut::from(&head.encode_to_vec()[..]);
    append(&mut encoded, super::ACCEPT, &wrapped(super::OPERATIONS, operation));
    let encoded = encoded.freeze();

    let wire: v1::scheduler::Call = decode(&encoded).unwrap();
    assert_ne!(wire.encoded_len(), encoded.len(), "the length tells");
    let mut call = call::from_wire(wire).unwrap();
    restore(&mut call, &encoded);
    let Call::Accept { mut operations, .. } = call else { panic!("{call:?}") };
    operations.remove(0)
}

fn is_whole(sent: &[u8]) {
    let future = b"from the future";
    assert!(sent.windows(future.len()).any(|window| window == future), "{sent:?}");
}

#[test]
fn a_task_keeps_its_unknown_fields() {
    let launch = wrapped(super::TASK_INFOS, &task());
    let operation = operation(v1::offer::operation::Type::Launch, super::LAUNCH, &launch);
    let Operation::Launch(tasks) = accepted(&operation) else { panic!("no launch") };
    is_whole(&tasks[0].as_ref().unwrap().to_wire_bytes(Format::PostRefinement).unwrap());
}

#[test]
fn a_group_and_its_executor_keep_their_unknown_fields() {
    let known = v1::ExecutorInfo {
        r#type: Some(v1::executor_info::Type::Custom.into()),
        executor_id: v1::ExecutorId { value: "e".to_owned() },
        framework_id: Some(v1::FrameworkId { value: "f".to_owned() }),
        command: Some(v1::CommandInfo { value: Some("./run".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    let mut executor = BytesMut::from(&known.encode_to_vec()[..]);
    append(&mut executor, NEW, b"from the future");
    let mut launch = BytesMut::from(wrapped(super::EXECUTOR, &executor));
    append(&mut launch, super::TASK_GROUP, &wrapped(super::TASKS, &task()));
    let kind = v1::offer::operation::Type::LaunchGroup;
    let operation = operation(kind, super::LAUNCH_GROUP, &launch);
    let Operation::LaunchGroup { executor, tasks } = accepted(&operation) else {
        panic!("no group")
    };
    is_whole(&executor.unwrap().to_wire_bytes(Format::PostRefinement).unwrap());
    is_whole(&tasks[0].as_ref().unwrap().to_wire_bytes(Format::PostRefinement).unwrap());
}
