//! What figures rely on: every task is launched once, fits, and is counted once.

use super::*;
use crate::framework::Codec;

fn launcher(tasks: u32, at_once: u32) -> Launcher {
    let options = FrameworkOptions {
        id: None,
        master: ([127, 0, 0, 1], 5050).into(),
        tasks,
        codec: Codec::Protobuf,
        connections: 1,
        at_once,
        per_offer: u32::MAX,
        need: parse_need("cpus:0.1; mem:32").expect("good"),
        command: "true".to_owned(),
        user: "root".to_owned(),
        hold: false,
        checkpoint: false,
    };
    Launcher::new(&options, Instant::now())
}

fn offers(amounts: &[f64]) -> Event {
    let offer = |(index, cpus): (usize, &f64)| v1::Offer {
        id: v1::OfferId { value: format!("o{index}") },
        resources: vec![scalar("cpus", *cpus), scalar("mem", 1e6)],
        ..v1::Offer::default()
    };
    let offers = amounts.iter().enumerate().map(offer).collect();
    let offers = v1::scheduler::event::Offers { offers };
    Event { offers: Some(offers), ..Event::default() }
}

fn status(task: usize, state: TaskState) -> Event {
    let status = v1::TaskStatus {
        task_id: v1::TaskId { value: format!("load-{task}") },
        state: state.into(),
        agent_id: Some(v1::AgentId::default()),
        uuid: Some(bytes::Bytes::from_static(&[0; 16])),
        ..v1::TaskStatus::default()
    };
    Event { update: Some(v1::scheduler::event::Update { status }), ..Event::default() }
}

/// The calls that follow, and how many tasks each launches.
fn follow(launcher: &mut Launcher, event: Event) -> Vec<(call::Type, usize)> {
    let mut out = Vec::new();
    launcher.take(event, Instant::now(), &mut out).expect("a good event");
    let count = |call: &Call| {
        let operations = call.accept.iter().flat_map(|accept| &accept.operations);
        operations.filter_map(|one| one.launch.as_ref()).map(|one| one.task_infos.len()).sum()
    };
    out.iter().map(|call| (call.r#type(), count(call))).collect()
}

#[test]
fn as_many_are_launched_as_fit_and_no_more_than_asked_for() {
    let mut launcher = launcher(7, u32::MAX);
    let calls = follow(&mut launcher, offers(&[0.3, 0.05, 0.9, 1.0]));
    use call::Type::{Accept, Decline, Suppress};
    assert_eq!(calls, [(Accept, 3), (Decline, 0), (Accept, 4), (Suppress, 0), (Decline, 0)]);
}

#[test]
fn one_at_a_time_means_one_at_a_time() {
    let mut launcher = launcher(2, 1);
    assert_eq!(follow(&mut launcher, offers(&[0.3, 0.3])), [(call::Type::Accept, 1)]);
    let calls = follow(&mut launcher, status(0, TaskState::TaskRunning));
    assert_eq!(calls, [(call::Type::Acknowledge, 0)]);
    let calls = follow(&mut launcher, status(0, TaskState::TaskFinished));
    use call::Type::{Accept, Acknowledge, Suppress};
    assert_eq!(calls, [(Acknowledge, 0), (Accept, 1), (Suppress, 0)]);
}

#[test]
fn an_update_told_twice_counts_once() {
    let mut launcher = launcher(1, u32::MAX);
    follow(&mut launcher, offers(&[1.0]));
    for state in [TaskState::TaskRunning, TaskState::TaskFinished] {
        follow(&mut launcher, status(0, state));
        follow(&mut launcher, status(0, state));
    }
    let figures = launcher.figures();
    assert_eq!((figures.running, figures.finished, figures.failed), (1, 1, 0));
    assert_eq!(figures.to_ended.count, 1);
    assert!(launcher.is_done());
}

#[test]
fn long_latencies_are_not_cut_short() {
    let mut times = Times::new();
    times.add(Duration::from_secs(3_600));
    let hour = times.latency().p50.as_secs_f64();
    assert!((hour - 3_600.0).abs() < 10.0, "{hour}");
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in ["cpus", "cpus:x", "cpus:0", "cpus:-1", "cpus:inf"] {
        assert!(parse_need(text).is_err(), "{text}");
    }
}
