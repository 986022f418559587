//! What the registry holds of frameworks: written before anybody hears of it, known to the next
//! leader, and in order with all else that comes for a framework.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Wall;
use reeve_model::{AgentId, FrameworkId, FrameworkInfo, Principal, Role, TaskState};

use super::Cluster;
use super::cluster::{Session, framework, known, pid, registration, reregistration, subscription};
use crate::Options;
use crate::event::{
    Call, Caller, Channel, CompletedFramework, Kind, Recovered, RecoveredFramework, RequestId,
    StreamClaim, StreamId, Subscription, WriteId,
};

fn named(id: &str) -> FrameworkInfo {
    FrameworkInfo { id: Some(id.into()), ..framework() }
}

fn subscribes(stream: u64, info: FrameworkInfo) -> Kind {
    Kind::Subscribes(StreamId(stream), Box::new(subscription(info)))
}

fn calls(by: &Session, request: u64, call: Call) -> Kind {
    let caller = Caller::Request(RequestId(request), StreamClaim::Is(by.1), None);
    Kind::Calls(by.0.clone(), caller, call)
}

fn update(info: FrameworkInfo) -> Call {
    Call::UpdateFramework { info: Arc::new(info), suppressed: BTreeSet::new(), constraints: None }
}

/// A subscribed framework, before a registry that commits when it is told to.
fn waiting() -> (Cluster, Session) {
    let mut c = Cluster::new();
    let f = c.framework();
    c.commits = false;
    (c, f)
}

fn committed(c: &mut Cluster, write: u64) -> Vec<String> {
    c.step(Kind::Committed(WriteId(write)))
}

#[test]
fn nobody_is_subscribed_before_that_is_durable() {
    let mut c = Cluster::new();
    c.commits = false;
    assert_eq!(c.step(subscribes(1, framework())), ["persist 0: describe m-0000"]);
    assert!(c.view().frameworks.is_empty());
    let lines = committed(&mut c, 0);
    assert_eq!(lines[0], "#1 < subscribed m-0000");
    let again = c.step(subscribes(2, named("m-0000")));
    assert_eq!(again[0], "#1 < error: Framework failed over", "nothing is written");
}

#[test]
fn who_hangs_up_before_it_has_an_id_leaves_nothing_behind() {
    let mut c = Cluster::new();
    c.commits = false;
    c.step(subscribes(1, framework()));
    assert!(c.step(Kind::StreamClosed(StreamId(1))).is_empty());
    assert_eq!(committed(&mut c, 0), ["persist 1: forget m-0000"]);
    assert!(committed(&mut c, 1).is_empty());
    assert!(c.view().frameworks.is_empty());
}

#[test]
fn what_comes_during_a_write_is_taken_after_it_in_order() {
    let (mut c, f) = waiting();
    let eng = FrameworkInfo { roles: vec!["eng".into()], ..named("m-0000") };
    assert_eq!(c.step(calls(&f, 1, update(eng))), ["persist 1: describe m-0000"]);
    let revive = Call::Suppress(vec![Role::new("eng")]);
    assert!(c.step(calls(&f, 2, revive)).is_empty(), "it is of a role to come");
    assert_eq!(c.view().frameworks[&f.0].record.info.roles, [Role::any()]);
    assert_eq!(
        committed(&mut c, 1),
        [
            "alloc: f0 changed, suppressed {}",
            "answer 1: Done",
            "alloc: f0 suppress [eng]",
            "answer 2: Accepted",
        ]
    );
}

#[test]
fn an_update_that_changes_nothing_writes_nothing() {
    let (mut c, f) = waiting();
    let lines = c.step(calls(&f, 1, update(named("m-0000"))));
    assert_eq!(lines, ["alloc: f0 changed, suppressed {}", "answer 1: Done"]);
}

#[test]
fn of_two_schedulers_that_subscribe_during_a_write_the_later_stays() {
    let (mut c, f) = waiting();
    let renamed = || FrameworkInfo { name: "new".to_owned(), ..named("m-0000") };
    assert_eq!(c.step(subscribes(2, renamed())), ["persist 1: describe m-0000"]);
    assert!(c.step(subscribes(3, renamed())).is_empty());
    assert!(c.step(calls(&f, 1, Call::Revive(Vec::new()))).is_empty());
    let lines = committed(&mut c, 1);
    let told: Vec<_> = lines.into_iter().filter(|line| !line.starts_with("alloc")).collect();
    assert_eq!(
        told,
        [
            "#1 < error: Framework failed over",
            "close #1",
            "#2 < subscribed m-0000 again",
            "#2 < heartbeat",
            "#2 < error: Framework failed over",
            "close #2",
            "#3 < subscribed m-0000 again",
            "#3 < heartbeat",
            "answer 1: Refused(StreamStale(m-0000))",
        ]
    );
}

#[test]
fn a_scheduler_that_subscribes_with_news_and_hangs_up_has_its_time_to_come_back() {
    let (mut c, f) = waiting();
    c.step(Kind::StreamClosed(f.1));
    let renamed = FrameworkInfo { name: "new".to_owned(), ..named("m-0000") };
    c.step(subscribes(2, renamed));
    c.step(Kind::StreamClosed(StreamId(2)));
    committed(&mut c, 1);
    let record = c.view().frameworks[&f.0].record.clone();
    assert_eq!((record.info.name.as_str(), record.connected), ("new", false));
    assert_eq!(c.pass(Duration::from_secs(60)), ["persist 2: complete m-0000 forget []"]);
}

#[test]
fn a_framework_lives_until_its_end_is_durable() {
    let (mut c, f) = waiting();
    assert_eq!(c.step(calls(&f, 1, Call::Teardown)), ["persist 1: complete m-0000 forget []"]);
    let asked = Kind::TeardownAsked(RequestId(2), f.0.clone());
    assert!(c.step(asked).is_empty());
    assert!(c.step(subscribes(2, named("m-0000"))).is_empty());
    assert_eq!(c.view().frameworks.len(), 1);
    assert_eq!(
        committed(&mut c, 1),
        [
            "close #1",
            "alloc: f0 removed",
            "answer 1: Accepted",
            "answer 2: Refused(NothingToTearDown)",
            "#2 < error: Framework has been removed",
            "close #2",
        ]
    );
}

#[test]
fn a_framework_whose_time_is_over_during_a_write_is_kept_if_that_brings_it_back() {
    let (mut c, f) = waiting();
    c.step(Kind::StreamClosed(f.1));
    c.pass(Duration::from_secs(59));
    let renamed = FrameworkInfo { name: "new".to_owned(), ..named("m-0000") };
    assert_eq!(c.step(subscribes(2, renamed)), ["persist 1: describe m-0000"]);
    assert!(c.pass(Duration::from_secs(5)).is_empty());
    committed(&mut c, 1);
    assert!(!c.pass(Duration::from_secs(5)).iter().any(|line| line.contains("complete")));
    assert!(c.view().frameworks[&f.0].record.connected);
}

#[test]
fn a_driver_that_asks_again_during_the_write_gets_one_framework() {
    let mut c = Cluster::new();
    c.commits = false;
    let drives = |number| {
        let channel = Channel::Libprocess(pid("d1"));
        let subscription = Subscription { channel, ..subscription(framework()) };
        Kind::Subscribes(StreamId(number), Box::new(subscription))
    };
    assert_eq!(c.step(drives(1)), ["persist 0: describe m-0000"]);
    assert!(c.step(drives(2)).is_empty());
    assert_eq!(committed(&mut c, 0)[..2], ["link d1", "d1 < subscribed m-0000"]);
    assert_eq!(c.step(drives(3)), ["d1 < subscribed m-0000"]);
}

#[test]
fn only_so_many_completed_frameworks_are_remembered() {
    let options = Options { max_completed_frameworks: 1, ..Options::default() };
    let mut c = Cluster::with(options, Recovered::default());
    let (one, two) = (c.framework(), c.framework());
    c.call(&one, Call::Teardown);
    let lines = c.call(&two, Call::Teardown);
    assert_eq!(lines[0], "persist 3: complete m-0001 forget [\"m-0000\"]");
    let (_, _, lines) = c.subscribe(named("m-0000"));
    assert_eq!(lines[0], "persist 4: describe m-0000", "nobody knows that it ended");
}

fn at(seconds: i64) -> Wall {
    Wall(seconds * 1_000_000_000)
}

fn completed(id: &str, ended: i64) -> CompletedFramework {
    CompletedFramework { info: named(id).into(), registered: at(1), ended: at(ended) }
}

fn after_failover(info: FrameworkInfo) -> Recovered {
    Recovered {
        agents: vec![registration(Some(&AgentId::new("old-S1")), "cpus:4").info],
        frameworks: vec![RecoveredFramework { info: info.into(), registered: at(7) }],
        completed: vec![completed("old-0003", 30), completed("old-0002", 20)],
        ..Recovered::default()
    }
}

#[test]
fn a_new_leader_knows_every_framework_at_once() {
    let c = Cluster::with(Options::default(), after_failover(named("old-0001")));
    let view = c.view();
    let record = &view.frameworks["old-0001"].record;
    assert!(record.recovered && !record.connected && !record.active);
    assert_eq!(record.registered, at(7));
    let completed: Vec<_> = view.completed.iter().map(|one| one.record.id.as_str()).collect();
    assert_eq!(completed, ["old-0002", "old-0003"], "the oldest first");
    assert_eq!(view.completed[1].record.unregistered, Some(at(30)));
}

#[test]
fn a_recovered_framework_has_its_failover_timeout_from_the_election() {
    let day = Duration::from_secs(24 * 3600);
    let patient = FrameworkInfo { failover_timeout: day, ..named("old-0001") };
    let mut c = Cluster::with(Options::default(), after_failover(patient));
    let ends = |lines: Vec<String>| lines.iter().any(|line| line.contains("complete old-0001"));
    assert!(!ends(c.pass(day - Duration::from_secs(1))));
    assert!(ends(c.pass(Duration::from_secs(1))));
}

#[test]
fn a_recovered_framework_has_no_less_time_than_agents_have() {
    let mut c = Cluster::with(Options::default(), after_failover(named("old-0001")));
    assert!(c.pass(Duration::from_secs(599)).is_empty());
    let lines = c.pass(Duration::from_secs(1));
    assert!(lines.contains(&"persist 1: complete old-0001 forget []".to_owned()), "{lines:?}");
}

#[test]
fn a_recovered_framework_that_is_as_it_was_writes_nothing_when_it_returns() {
    let mut c = Cluster::with(Options::default(), after_failover(named("old-0001")));
    let mut back = reregistration(&AgentId::new("old-S1"), "cpus:4");
    back.frameworks.push(named("old-0001").into());
    back.tasks.push(known("t", &"old-0001".into(), TaskState::Running, "cpus:1"));
    c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    let (id, _, lines) = c.subscribe(named("old-0001"));
    assert!(!lines.iter().any(|line| line.contains("persist")), "{lines:?}");
    assert!(lines.contains(&"#1 < subscribed old-0001 again".to_owned()));
    assert_eq!(c.view().frameworks[&id].tasks.len(), 1);
    assert_eq!(c.view().frameworks[&id].record.registered, at(7));
}

#[test]
fn a_recovered_framework_belongs_to_who_it_belonged_to() {
    let mut c = Cluster::with(Options::default(), after_failover(named("old-0001")));
    let principal = Some(Principal::new("mallory"));
    let (_, _, lines) = c.subscribe(FrameworkInfo { principal, ..named("old-0001") });
    assert_eq!(lines[0], "#1 < error: Changing framework's principal is not allowed.");
}

#[test]
fn a_completed_framework_stays_completed_over_a_failover() {
    let mut c = Cluster::with(Options::default(), after_failover(named("old-0001")));
    let (_, _, lines) = c.subscribe(named("old-0002"));
    assert_eq!(lines, ["#1 < error: Framework has been removed", "close #1"]);
    let gone = FrameworkId::new("old-0003");
    let mut back = reregistration(&AgentId::new("old-S1"), "cpus:4");
    back.frameworks.push(named("old-0003").into());
    back.tasks.push(known("t", &gone, TaskState::Running, "cpus:1"));
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    assert!(lines.contains(&"a1 < shutdown framework old-0003".to_owned()), "{lines:?}");
    assert!(!c.view().frameworks.contains_key(&gone));
}

#[test]
fn more_completed_frameworks_than_are_wanted_are_forgotten_for_good() {
    let options = Options { max_completed_frameworks: 1, ..Options::default() };
    let c = Cluster::with(options, after_failover(named("old-0001")));
    assert_eq!(super::render::lines(&c.effects)[0], "persist 0: forget old-0002");
    assert_eq!(c.view().completed.len(), 1);
}
