//! What an agent tells its master of revocable resources, and whose end they bring.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::sync::Arc;

use reeve_agent_core::effect::{Effect, ToMaster};
use reeve_agent_core::event::{Correction, FromMaster, Kind, StreamId};
use reeve_model::{
    AgentId, Capabilities, ContainerId, ExecutorId, Reason, Resource, Resources, TaskInfo,
    TaskState,
};
use rig::{AGENT, Rig, framework, framework_id, resources, task};

fn revocable(text: &str) -> Resources {
    let as_revocable = |one: &Resource| Resource { revocable: true, ..one.clone() };
    resources(text).iter().map(as_revocable).collect()
}

/// What the master was told since the last `take`.
fn told(rig: &Rig) -> Vec<Option<Resources>> {
    let update = |effect: &Effect| match effect {
        Effect::ToMaster(_, ToMaster::Update(_, oversubscribed)) => Some(oversubscribed.clone()),
        _ => None,
    };
    rig.effects.iter().filter_map(update).collect()
}

#[test]
fn a_master_is_told_what_changes_and_all_of_it_when_the_agent_joins() {
    let mut rig = Rig::registered();
    let some = revocable("cpus:2");
    rig.event(Kind::Oversubscribes(some.clone()));
    rig.event(Kind::Oversubscribes(some.clone()));
    assert_eq!(told(&rig), [Some(some.clone())]);
    assert_eq!(rig.view.oversubscribed, some);
    rig.take();
    rig.event(Kind::MasterDetected(None));
    rig.event(Kind::Oversubscribes(Resources::new()));
    assert_eq!(told(&rig), []);
    rig.event(Kind::MasterDetected(Some(rig::master())));
    rig.deadline();
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    assert_eq!(told(&rig), [Some(Resources::new())]);
}

#[test]
fn without_an_estimate_a_master_keeps_what_it_knows() {
    let mut rig = Rig::blank();
    rig.event(Kind::Recovered(Box::default()));
    rig.event(Kind::MasterDetected(Some(rig::master())));
    rig.deadline();
    rig.master(FromMaster::Registered(AgentId::new(AGENT), None));
    assert_eq!(told(&rig), [None]);
}

fn run(rig: &mut Rig, id: &str, resources: Resources, stream: u64) -> ContainerId {
    let info = framework(false, Capabilities::none());
    let wanted = Arc::new(TaskInfo { resources, ..(*task(id, None)).clone() });
    rig.run(&info, &wanted);
    let container = rig.launched().unwrap();
    rig.event(Kind::ContainerStarted(container.clone(), 4711));
    rig.subscribe(stream, id, &[]);
    let uuid = rig.report(id, id, TaskState::Running);
    rig.acknowledge(id, uuid);
    container
}

fn correct(rig: &mut Rig, executor: &str, container: &ContainerId) {
    rig.event(Kind::Corrects(Correction {
        framework: framework_id(),
        executor: ExecutorId::new(executor),
        container: container.clone(),
        reason: "too busy".to_owned(),
    }));
}

#[test]
fn corrections_end_revocable_work_and_no_other() {
    let mut rig = Rig::registered();
    let firm = run(&mut rig, "firm", resources("cpus:1;mem:128"), 1);
    let spare = run(&mut rig, "spare", &revocable("cpus:1") + &resources("mem:128"), 2);
    rig.take();
    correct(&mut rig, "firm", &firm);
    correct(&mut rig, "spare", &ContainerId::new("another"));
    correct(&mut rig, "unknown", &spare);
    assert!(rig.destroyed().is_empty() && rig.view.preempted == 0);

    correct(&mut rig, "spare", &spare);
    correct(&mut rig, "spare", &spare);
    assert_eq!(rig.destroyed(), [spare.clone()].into());
    assert_eq!(rig.view.preempted, 1);
    rig.take();
    rig.ended(&spare, Some(9));
    let sent = rig.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].status.state, TaskState::Lost, "the framework knows no finer word");
    assert_eq!(sent[0].status.reason, Some(Reason::ContainerPreempted));
    assert_eq!(
        sent[0].status.message.as_deref(),
        Some("Container preempted by QoS correction: too busy")
    );
    rig.event(Kind::ExecutorStreamClosed(StreamId(2)));
    assert!(rig.destroyed().is_empty(), "the other one runs on");
}
