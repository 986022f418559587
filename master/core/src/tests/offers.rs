//! An offer's life: made, and ended once.

use std::time::Duration;

use reeve_model::{Filters, Operation, Reservation, Resource, Resources, Role, TaskId};

use super::Cluster;
use super::cluster::{Session, Wish, framework, parse, pid, task};
use crate::Options;
use crate::event::{Call, Kind, Recovered};

fn launch(id: &str, agent: &reeve_model::AgentId) -> Vec<Operation> {
    let wish = Wish { id, agent, resources: "cpus:1", executor: None };
    vec![Operation::Launch(vec![Ok(task(wish))])]
}

fn decline(c: &mut Cluster, by: &Session, offers: Vec<reeve_model::OfferId>) -> Vec<String> {
    let filters = Filters { refuse: Duration::from_secs(30) };
    c.call(by, Call::Decline { offers, filters })
}

#[test]
fn a_declined_offer_goes_back_with_its_filter() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let f = c.framework();
    let offers = c.grant(0, 0, "cpus:4");
    assert_eq!(c.view().offers.len(), 1);
    let lines = decline(&mut c, &f, offers.clone());
    assert_eq!(lines, ["alloc: f0 gives a0 cpus:4 for 30s"]);
    assert!(decline(&mut c, &f, offers).is_empty(), "an offer ends once");
    assert!(c.view().offers.is_empty());
    assert_eq!(c.view().tallies.offers.declined, 1);
}

#[test]
fn an_offer_can_be_used_once() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let offers = c.grant(0, 0, "cpus:4");
    c.accept(&f, offers.clone(), launch("t1", &a));
    assert_eq!(
        c.accept(&f, offers, launch("t2", &a)),
        ["#1 < update t2 TASK_DROPPED REASON_INVALID_OFFERS"]
    );
}

#[test]
fn one_wrong_offer_spoils_all_and_the_good_ones_go_back() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    c.agent("a2", "cpus:4");
    let f = c.framework();
    let mut offers = c.grant(0, 0, "cpus:1");
    offers.extend(c.grant(0, 1, "cpus:2"));
    assert_eq!(
        c.accept(&f, offers, launch("t", &a)),
        [
            "alloc: f0 gives a0 cpus:1",
            "alloc: f0 gives a1 cpus:2",
            "#1 < update t TASK_DROPPED REASON_INVALID_OFFERS",
        ],
        "offers of two agents"
    );
    let mut twice = c.grant(0, 0, "cpus:1");
    twice.push(twice[0].clone());
    assert_eq!(c.accept(&f, twice, launch("t", &a)).len(), 2);
}

#[test]
fn offers_of_one_agent_are_used_together() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let mut offers = c.grant(0, 0, "cpus:0.5");
    offers.extend(c.grant(0, 0, "cpus:0.5"));
    assert_eq!(c.accept(&f, offers, launch("t", &a)), ["a1 < run t cpus:1 +executor"]);
}

#[test]
fn another_frameworks_offer_is_out_of_reach() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let _owner = c.framework();
    let thief = c.framework();
    let offers = c.grant(0, 0, "cpus:4");
    assert!(decline(&mut c, &thief, offers.clone()).is_empty());
    let lines = c.accept(&thief, offers, launch("t", &a));
    assert_eq!(lines, ["#2 < update t TASK_DROPPED REASON_INVALID_OFFERS"]);
    assert_eq!(c.view().offers.len(), 1);
}

#[test]
fn grants_that_come_too_late_go_back() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let f = c.framework();
    c.grant(0, 0, "cpus:3");
    for (fx, ax, what) in [(0, 0, "cpus:2"), (0, 5, "cpus:1"), (5, 0, "cpus:1")] {
        assert!(c.grant(fx, ax, what).is_empty());
        let lines = super::render::lines(&c.effects);
        assert_eq!(lines, [format!("alloc: f{fx} gives a{ax} {what}")]);
    }
    c.call(&f, Call::Suppress(Vec::new()));
    assert!(c.grant(0, 0, "cpus:1").is_empty(), "suppressed meanwhile");
    c.call(&f, Call::Revive(Vec::new()));
    assert_eq!(c.grant(0, 0, "cpus:1").len(), 1);
}

#[test]
fn an_offer_that_is_held_too_long_is_taken_back() {
    let offer_timeout = Some(Duration::from_secs(10));
    let mut c =
        Cluster::with(Options { offer_timeout, ..Options::default() }, Recovered::default());
    c.agent("a1", "cpus:4");
    let f = c.framework();
    let first = c.grant(0, 0, "cpus:1");
    decline(&mut c, &f, first);
    c.grant(0, 0, "cpus:4");
    assert!(c.pass(Duration::from_secs(9)).is_empty());
    assert_eq!(c.pass(Duration::from_secs(1)), ["alloc: f0 gives a0 cpus:4", "#1 < rescind m-O1"]);
}

#[test]
fn offers_of_an_agent_that_disconnects_are_rescinded() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.framework();
    c.grant(0, 0, "cpus:4");
    assert_eq!(
        c.step(Kind::LinkBroken(pid("a1"))),
        ["alloc: a0 active false", "alloc: f0 gives a0 cpus:4", "#1 < rescind m-O0"]
    );
}

fn reserved(amount: &str, role: &str) -> Resources {
    let level = Reservation::dynamic(Role::new(role), None);
    parse(amount)
        .iter()
        .map(|one| Resource { reservations: one.reservations.push(level.clone()), ..one.clone() })
        .collect()
}

#[test]
fn a_reservation_changes_what_the_agent_has_and_can_be_undone() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let roles = vec![Role::new("eng")];
    let (id, stream, _) = c.subscribe(reeve_model::FrameworkInfo { roles, ..framework() });
    let f = (id, stream);
    let offers = c.grant_in("eng", 0, 0, "cpus:4");
    let resources = reserved("cpus:1", "eng");
    let id = Some(reeve_model::OperationId::new("op"));
    let reserve = Operation::Reserve { id, source: Resources::new(), resources: resources.clone() };
    let lines = c.accept(&f, offers, vec![reserve]);
    assert_eq!(lines.len(), 4, "{lines:?}");
    let shown = "cpus(reservations: [(DYNAMIC,eng)]):1";
    assert_eq!(
        lines,
        [
            format!("a1 < checkpoint {shown}"),
            format!("alloc: a0 cpus:1 -> {shown}"),
            "#1 < operation Some(op) Finished: -".to_owned(),
            format!("alloc: f0 gives a0 cpus:3; {shown} for 5s"),
        ]
    );
    assert_eq!(c.view().agents[&a].record.total.reserved(None), resources);
    let back = crate::allocation::Granted {
        framework: crate::allocation::FrameworkIx(0),
        agent: crate::allocation::AgentIx(0),
        role: Role::new("eng"),
        resources: resources.allocated_to(&Role::new("eng")),
    };
    c.step(Kind::Granted(vec![back]));
    let offer = c.view().offers.keys().next().unwrap().clone();
    let undo = Operation::Unreserve { id: None, resources };
    c.accept(&f, vec![offer], vec![undo]);
    let total = c.view().agents[&a].record.total.clone();
    assert_eq!(total, parse("cpus:4"));
}

#[test]
fn operations_that_cannot_be_done_say_why() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let f = c.framework();
    let id = || Some(reeve_model::OperationId::new("op"));
    let offers = c.grant(0, 0, "cpus:4");
    let resources = reserved("cpus:1", "other");
    let reserve = Operation::Reserve { id: id(), source: Resources::new(), resources };
    let lines = c.accept(&f, offers.clone(), vec![reserve.clone()]);
    assert!(lines[0].contains("Some(op) Error: A reserve operation"), "{lines:?}");
    assert_eq!(lines[1], "alloc: f0 gives a0 cpus:4 for 5s");
    let lines = c.accept(&f, offers, vec![reserve]);
    assert!(lines[0].contains("Some(op) Dropped"), "{lines:?}");
}

#[test]
fn a_task_may_use_what_was_just_reserved_for_it() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let roles = vec![Role::new("eng")];
    let (id, stream, _) = c.subscribe(reeve_model::FrameworkInfo { roles, ..framework() });
    let f = (id, stream);
    let offers = c.grant_in("eng", 0, 0, "cpus:4");
    let resources = reserved("cpus:1", "eng");
    let reserve =
        Operation::Reserve { id: None, source: Resources::new(), resources: resources.clone() };
    let mut wanted = task(Wish { id: "t", agent: &a, resources: "cpus:1", executor: None });
    wanted.resources = resources;
    c.accept(&f, offers, vec![reserve, Operation::Launch(vec![Ok(wanted)])]);
    assert!(c.view().frameworks[&f.0].tasks.contains_key(&TaskId::new("t")));
}
