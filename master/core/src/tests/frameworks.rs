//! A framework's life: subscribed, lost, back again, ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_model::{FrameworkInfo, Principal, Role, TaskState};

use super::Cluster;
use super::cluster::{Session, framework, pid, subscription};
use crate::answer::Refusal;
use crate::event::{Call, Caller, Channel, Kind, RequestId, StreamClaim, StreamId, Subscription};
use crate::{Answer, Effect};

fn returning(id: &reeve_model::FrameworkId) -> FrameworkInfo {
    FrameworkInfo { id: Some(id.clone()), ..framework() }
}

fn answer(c: &mut Cluster, id: &str, claim: StreamClaim) -> Option<Answer> {
    let caller = Caller::Request(RequestId(1), claim, None);
    c.step(Kind::Calls(id.into(), caller, Call::Revive(Vec::new())));
    c.effects.iter().find_map(|effect| match effect {
        Effect::Answer(RequestId(1), answer) => Some(answer.clone()),
        _ => None,
    })
}

#[test]
fn calls_are_refused_in_the_order_of_mesos() {
    let mut c = Cluster::new();
    let (id, stream) = c.framework();
    let refused = |why| Some(Answer::Refused(why));
    let is = StreamClaim::Is(stream);
    assert_eq!(answer(&mut c, "m-0009", is), refused(Refusal::UnknownFramework));
    assert_eq!(answer(&mut c, "m-0000", StreamClaim::Missing), refused(Refusal::StreamMissing));
    let stale = refused(Refusal::StreamStale(id.clone()));
    assert_eq!(answer(&mut c, "m-0000", StreamClaim::Unknown), stale);
    assert_eq!(answer(&mut c, "m-0000", StreamClaim::Is(StreamId(99))), stale);
    assert_eq!(answer(&mut c, "m-0000", is), Some(Answer::Accepted));
    c.step(Kind::StreamClosed(stream));
    assert_eq!(answer(&mut c, "m-0000", is), refused(Refusal::NotSubscribed));
    assert_eq!(answer(&mut c, "m-0000", StreamClaim::Missing), refused(Refusal::NotSubscribed));
}

#[test]
fn only_the_owner_calls_for_a_framework_where_senders_are_asked_who_they_are() {
    let mut c = Cluster::new();
    let owner = Principal::new("alice");
    let (id, stream, _) =
        c.subscribe(FrameworkInfo { principal: Some(owner.clone()), ..framework() });
    let mut ask = |sender: &str, claim| {
        let caller = Caller::Request(RequestId(1), claim, Some(Principal::new(sender)));
        c.step(Kind::Calls(id.clone(), caller, Call::Revive(Vec::new())));
        c.effects.iter().find_map(|effect| match effect {
            Effect::Answer(RequestId(1), answer) => Some(answer.clone()),
            _ => None,
        })
    };
    assert_eq!(ask("alice", StreamClaim::Is(stream)), Some(Answer::Accepted));
    // Before anything is said of the stream.
    let foreign = Refusal::NotTheOwner(Principal::new("bob"), "alice".to_owned());
    assert_eq!(ask("bob", StreamClaim::Missing), Some(Answer::Refused(foreign)));
}

#[test]
fn a_second_stream_takes_over_and_the_first_gets_an_error() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let old = c.framework();
    c.run(&old, 0, &a, "t");
    c.grant(0, 0, "cpus:3");
    let (id, stream, lines) = c.subscribe(returning(&old.0));
    assert_eq!(id, old.0);
    assert_eq!(
        lines,
        [
            "#1 < error: Framework failed over",
            "close #1",
            "#2 < subscribed m-0000 again",
            "#2 < heartbeat",
            "alloc: f0 changed, suppressed {}",
            "a1 < update framework test",
            "alloc: f0 gives a0 cpus:3",
            "alloc: f0 active true",
        ]
    );
    assert!(c.step(Kind::StreamClosed(old.1)).is_empty(), "the old stream's end means nothing");
    let reconcile = Call::Reconcile(Vec::new());
    let lines = c.call(&(id, stream), reconcile);
    assert_eq!(lines, ["#2 < update t TASK_STAGING REASON_RECONCILIATION"]);
}

#[test]
fn a_framework_that_comes_back_in_time_keeps_its_tasks() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.grant(0, 0, "cpus:3");
    assert_eq!(
        c.step(Kind::StreamClosed(f.1)),
        ["alloc: f0 active false", "alloc: f0 gives a0 cpus:3"]
    );
    assert!(!c.view().frameworks[&f.0].record.connected);
    let update = c.update("a1", &a, &f.0, "t", TaskState::Running, 1);
    assert!(update.is_empty(), "the agent sends it again");
    c.pass(Duration::from_secs(59));
    c.step(Kind::AgentPonged(pid("a1")));
    c.subscribe(returning(&f.0));
    c.pass(Duration::from_secs(60));
    assert_eq!(c.view().frameworks[&f.0].tasks.len(), 1);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Running, 1),
        ["#2 < update t TASK_RUNNING (1)"]
    );
}

#[test]
fn a_framework_that_stays_away_ends_and_its_tasks_are_killed() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.step(Kind::StreamClosed(f.1));
    let lines = c.pass(Duration::from_secs(60));
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("ping")).collect();
    assert_eq!(
        lines,
        [
            "persist 2: complete m-0000 forget []",
            "a1 < shutdown framework m-0000",
            "alloc: f0 gives a0 cpus:1",
            "alloc: f0 removed"
        ]
    );
    let view = c.view();
    assert_eq!(view.completed[0].completed[0].state, TaskState::Killed);
    let (_, _, lines) = c.subscribe(returning(&f.0));
    assert_eq!(lines, ["#2 < error: Framework has been removed", "close #2"]);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Killed, 1),
        ["a1 < shutdown framework m-0000"],
        "the agent may not have heard it the first time"
    );
}

#[test]
fn teardown_ends_a_framework_at_once() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.grant(0, 0, "cpus:3");
    assert_eq!(
        c.call(&f, Call::Teardown),
        [
            "persist 2: complete m-0000 forget []",
            "alloc: f0 gives a0 cpus:3",
            "a1 < shutdown framework m-0000",
            "alloc: f0 gives a0 cpus:1",
            "close #1",
            "alloc: f0 removed",
        ]
    );
    let by_operator =
        |c: &mut Cluster, id: &str| c.step(Kind::TeardownAsked(RequestId(3), id.into()));
    assert_eq!(by_operator(&mut c, "m-0000"), ["answer 3: Refused(NothingToTearDown)"]);
    c.framework();
    assert_eq!(by_operator(&mut c, "m-0001").last().unwrap(), "answer 3: Done");
}

#[test]
fn heartbeats_come_every_15_seconds_while_there_is_a_stream() {
    let mut c = Cluster::new();
    let f = c.framework();
    assert_eq!(c.pass(Duration::from_secs(46)).len(), 3);
    c.step(Kind::StreamClosed(f.1));
    assert!(c.pass(Duration::from_secs(20)).is_empty());
}

#[test]
fn a_framework_known_to_an_earlier_leader_is_taken_in() {
    let mut c = Cluster::new();
    let (id, _, lines) = c.subscribe(returning(&"old-0007".into()));
    assert_eq!(id.as_str(), "old-0007");
    assert_eq!(lines[..2], ["persist 0: describe old-0007", "#1 < subscribed old-0007 again"]);
}

#[test]
fn roles_that_are_only_spoken_of_are_refused() {
    let mut c = Cluster::new();
    let suppressed = BTreeSet::from([Role::new("eng")]);
    let wrong = Subscription { suppressed, ..subscription(framework()) };
    let lines = c.step(Kind::Subscribes(StreamId(1), Box::new(wrong)));
    assert!(lines[0].starts_with("#1 < error: Suppressed role 'eng'"), "{lines:?}");
    assert_eq!(lines[1], "close #1");
}

fn update(c: &mut Cluster, f: &Session, info: FrameworkInfo) -> Vec<String> {
    let info = Arc::new(info);
    c.call(f, Call::UpdateFramework { info, suppressed: BTreeSet::new(), constraints: None })
}

#[test]
fn an_update_gives_up_roles_and_their_offers() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let both = FrameworkInfo { roles: vec!["a".into(), "b".into()], ..framework() };
    let (id, stream, _) = c.subscribe(both);
    let f = (id, stream);
    c.grant_in("a", 0, 0, "cpus:1");
    c.grant_in("b", 0, 0, "cpus:2");
    let info = FrameworkInfo { roles: vec!["a".into()], ..returning(&f.0) };
    assert_eq!(
        update(&mut c, &f, info),
        [
            "persist 2: describe m-0000",
            "alloc: f0 gives a0 cpus:2",
            "#1 < rescind m-O1",
            "alloc: f0 changed, suppressed {}",
            "answer 7: Done",
        ]
    );
}

#[test]
fn an_update_cannot_change_who_the_framework_is() {
    let mut c = Cluster::new();
    let f = c.framework();
    let base = || returning(&f.0);
    let principal = Some(Principal::new("other"));
    for wrong in [
        FrameworkInfo { user: "other".to_owned(), ..base() },
        FrameworkInfo { checkpoint: false, ..base() },
        FrameworkInfo { principal, ..base() },
    ] {
        let lines = update(&mut c, &f, wrong);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("answer 7: Refused(Invalid("), "{lines:?}");
    }
    assert_eq!(c.view().frameworks[&f.0].record.info.user, "root");
}

fn drives(driver: &str, info: FrameworkInfo, force: bool, number: u64) -> Kind {
    let channel = Channel::Libprocess(pid(driver));
    let subscription = Subscription { channel, force, ..subscription(info) };
    Kind::Subscribes(StreamId(number), Box::new(subscription))
}

#[test]
fn a_driver_takes_over_from_another_only_by_force() {
    let mut c = Cluster::new();
    let lines = c.step(drives("d1", framework(), false, 1));
    assert_eq!(lines[..3], ["persist 0: describe m-0000", "link d1", "d1 < subscribed m-0000"]);
    let again = c.step(drives("d1", framework(), false, 2));
    assert_eq!(
        again,
        ["d1 < subscribed m-0000"],
        "the same driver asks again: no second framework"
    );
    let id = "m-0000".into();
    let lines = c.step(drives("d2", returning(&id), false, 3));
    assert_eq!(lines, ["d2 < error: Framework failed over"]);
    let lines = c.step(drives("d2", returning(&id), true, 4));
    assert_eq!(lines[..2], ["d1 < error: Framework failed over", "unlink d1"]);
    // To be taken over is to come for the first time, as schedulers on libmesos see it.
    assert!(lines.contains(&"d2 < subscribed m-0000".to_owned()));
    let late = Kind::Calls(id.clone(), Caller::Driver(pid("d1")), Call::Teardown);
    assert!(c.step(late).is_empty());
    assert_eq!(
        answer(&mut c, "m-0000", StreamClaim::Missing),
        Some(Answer::Refused(Refusal::NotHttp))
    );
}

#[test]
fn a_driver_whose_link_broke_is_told_and_may_come_back() {
    let mut c = Cluster::new();
    let id = "m-0000".into();
    c.step(drives("d1", framework(), false, 1));
    let lines = c.step(Kind::LinkBroken(pid("d1")));
    assert_eq!(lines, ["d1 < error: Framework disconnected", "alloc: f0 active false"]);
    let call = |driver| Kind::Calls("m-0000".into(), Caller::Driver(pid(driver)), Call::Teardown);
    assert_eq!(c.step(call("d1")), ["d1 < error: Framework disconnected"]);
    assert!(c.step(call("d2")).is_empty(), "it never was the framework's");
    let lines = c.step(drives("d2", returning(&id), false, 2));
    assert_eq!(lines, ["d2 < error: Framework failed over"]);
    let lines = c.step(drives("d1", returning(&id), false, 3));
    assert_eq!(lines[..2], ["link d1", "d1 < subscribed m-0000 again"]);
}

#[test]
fn a_driver_that_asks_twice_gets_its_offers_anew() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.step(drives("d1", framework(), false, 1));
    c.grant(0, 0, "cpus:4");
    let lines = c.step(drives("d1", returning(&"m-0000".into()), false, 2));
    let rescinded = "d1 < rescind m-O0".to_owned();
    assert!(lines.contains(&rescinded), "it drops what comes before it is registered: {lines:?}");
}

#[test]
fn a_driver_is_told_why_its_update_is_refused() {
    let mut c = Cluster::new();
    c.step(drives("d1", framework(), false, 1));
    let info = FrameworkInfo { user: "other".to_owned(), ..returning(&"m-0000".into()) };
    let call = Call::UpdateFramework {
        info: Arc::new(info),
        suppressed: BTreeSet::new(),
        constraints: None,
    };
    let lines = c.step(Kind::Calls("m-0000".into(), Caller::Driver(pid("d1")), call));
    assert!(lines[0].starts_with("d1 < error: "), "{lines:?}");
}

#[test]
fn an_aborted_driver_gets_no_offers_and_keeps_its_tasks() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.step(drives("d1", framework(), false, 1));
    c.grant(0, 0, "cpus:4");
    let lines = c.step(Kind::DriverDeactivates(pid("d1"), "m-0000".into()));
    assert_eq!(lines, ["alloc: f0 active false", "alloc: f0 gives a0 cpus:4"]);
    assert!(c.grant(0, 0, "cpus:4").is_empty());
    c.step(drives("d1", returning(&"m-0000".into()), false, 2));
    assert_eq!(c.grant(0, 0, "cpus:4").len(), 1);
}
