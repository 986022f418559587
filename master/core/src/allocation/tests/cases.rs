//! One story each.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Machine;
use reeve_model::{
    Capabilities, Constraint, OfferConstraints, Predicate, Quantities, Quantity, Reservation,
    Resource, Resources, Role, Selector,
};
use reeve_module_sdk::allocator::{Allocator, Change};

use super::ledger::{Ledger, Subscriber};
use super::scripted::Scripted;
use super::{Drf, agent_added, facts, framework_added, framework_info, resources};
use crate::allocation::{AgentIx, Event, FrameworkIx};

pub(super) const MOMENT: Duration = Duration::from_millis(5);

/// A ledger with one agent of 4 CPUs and these frameworks, each in its roles.
fn cluster(frameworks: &[&[&str]]) -> Ledger<Drf> {
    let mut ledger = Ledger::new(Drf::default());
    for (number, roles) in (0u32..).zip(frameworks) {
        subscribe(&mut ledger, number, roles);
    }
    add_agent(&mut ledger, 0, "cpus:4;mem:1024;ports:[31000-32000]");
    ledger.pass(MOMENT);
    ledger
}

pub(super) fn subscribe<A: Allocator>(ledger: &mut Ledger<A>, framework: u32, roles: &[&str]) {
    let subscriber = Subscriber {
        roles: roles.iter().map(|&role| role.into()).collect(),
        active: true,
        refinement: true,
        ..Subscriber::default()
    };
    ledger.frameworks.insert(FrameworkIx(framework), subscriber);
    ledger.send(framework_added(framework, roles));
}

pub(super) fn add_agent<A: Allocator>(ledger: &mut Ledger<A>, agent: u32, total: &str) {
    ledger.agents.insert(AgentIx(agent), (resources(total), true));
    ledger.send(agent_added(agent, total));
}

/// A role may have no more than this, in whole units.
fn limit<A: Allocator>(ledger: &mut Ledger<A>, role: &str, most: &[(&str, u32)]) {
    let units = |&(name, most): &(&str, u32)| (name.into(), Quantity::from_units(most.into()));
    let limits: Vec<_> = most.iter().map(units).collect();
    ledger.limits.insert(role.into(), limits.clone());
    ledger.send(Event::Quota { role: role.into(), guarantees: Quantities::new(), limits });
}

fn takers(ledger: &Ledger<Drf>) -> Vec<u32> {
    ledger.offers.iter().map(|offer| offer.framework.0).collect()
}

#[test]
fn an_agent_is_offered_whole_and_at_once() {
    let ledger = cluster(&[&["*"]]);
    assert_eq!(ledger.offers.len(), 1);
    let offered = &ledger.offers[0].resources;
    assert_eq!(offered.unallocated(), resources("cpus:4;mem:1024;ports:[31000-32000]"));
}

#[test]
fn a_declined_offer_goes_to_the_next_and_comes_back_when_the_filter_ends() {
    let mut ledger = cluster(&[&["*"], &["*"]]);
    assert_eq!(takers(&ledger), [0]);
    ledger.decline(0, Some(Duration::from_secs(5)));
    ledger.pass(MOMENT);
    assert_eq!(takers(&ledger), [1]);
    ledger.decline(0, Some(Duration::from_secs(60)));
    ledger.pass(Duration::from_secs(4));
    assert!(ledger.offers.is_empty());
    ledger.pass(Duration::from_secs(2));
    assert_eq!(takers(&ledger), [0]);
}

#[test]
fn what_is_recovered_without_filter_is_offered_within_milliseconds() {
    let mut ledger = cluster(&[&["*"]]);
    ledger.decline(0, None);
    ledger.pass(Duration::from_millis(2));
    assert_eq!(takers(&ledger), [0]);
}

#[test]
fn freed_resources_beyond_the_refused_ones_break_the_filter() {
    let mut ledger = cluster(&[&["*"]]);
    let mut offer = ledger.offers.remove(0);
    let mut task = offer.clone();
    task.resources = resources("cpus:1;mem:100").allocated_to(&Role::any());
    offer.resources -= &task.resources;
    ledger.recover(offer, Some(Duration::from_secs(3600)));
    ledger.pass(Duration::from_secs(10));
    assert!(ledger.offers.is_empty());
    ledger.recover(task, None);
    ledger.pass(MOMENT);
    assert_eq!(takers(&ledger), [0]);
}

#[test]
fn revive_clears_filters_and_suppress_stops_offers() {
    let mut ledger = cluster(&[&["*"]]);
    let framework = FrameworkIx(0);
    ledger.decline(0, Some(Duration::from_secs(3600)));
    ledger.send(Event::Suppress { framework, roles: Vec::new() });
    ledger.pass(MOMENT);
    assert!(ledger.offers.is_empty());
    ledger.forget(|_, _, _| true);
    ledger.send(Event::Revive { framework, roles: Vec::new() });
    ledger.pass(MOMENT);
    assert_eq!(takers(&ledger), [0]);
}

#[test]
fn a_guarantee_is_kept_free_for_its_role() {
    let mut ledger = cluster(&[]);
    let two = Quantities::from_iter([("cpus".into(), Quantity::from_units(2))]);
    ledger.send(Event::Quota { role: "eng".into(), guarantees: two, limits: Vec::new() });
    subscribe(&mut ledger, 0, &["ops"]);
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers[0].resources.scalar("cpus"), Quantity::from_units(2));
    subscribe(&mut ledger, 1, &["eng"]);
    ledger.pass(MOMENT);
    assert_eq!(takers(&ledger), [0, 1]);
    assert_eq!(ledger.offers[1].resources.scalar("cpus"), Quantity::from_units(2));
}

#[test]
fn a_limit_cuts_an_offer_and_more_comes_when_something_ends() {
    let mut ledger = cluster(&[]);
    limit(&mut ledger, "eng", &[("cpus", 3), ("mem", 512)]);
    subscribe(&mut ledger, 0, &["eng"]);
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers[0].resources.scalar("cpus"), Quantity::from_units(3));
    let mut offer = ledger.offers.remove(0);
    let mut task = offer.clone();
    task.resources = resources("cpus:1;mem:128").allocated_to(&"eng".into());
    offer.resources -= &task.resources;
    ledger.used.push(offer);
    ledger.recover(task, None);
    ledger.pass(MOMENT);
    assert_eq!(takers(&ledger), [0]);
    assert_eq!(ledger.offers[0].resources.scalar("cpus"), Quantity::from_units(1));
}

/// Framework 1 reserves a part of the one offer that there is, of agent 0, for its role.
fn reserve(ledger: &mut Ledger<Drf>, part: &str, role: &Role) {
    let from = resources(part).allocated_to(role);
    let level = Reservation::dynamic(role.clone(), None);
    let keep = |one: &Resource| Resource {
        reservations: one.reservations.push(level.clone()),
        ..one.clone()
    };
    let to: Resources = from.iter().map(keep).collect();
    let total = &mut ledger.agents.get_mut(&AgentIx(0)).unwrap().0;
    *total = &*total - &from.unallocated() + &to.unallocated();
    let offered = &mut ledger.offers[0].resources;
    *offered = &*offered - &from + &to;
    let (framework, agent) = (Some(FrameworkIx(1)), AgentIx(0));
    ledger.send(Event::Converted { framework, agent, from, to });
}

#[test]
fn what_a_grant_that_was_held_back_leaves_is_nobodys_beyond_a_limit() {
    let mut ledger = cluster(&[&["*"]]);
    ledger.decline(0, Some(Duration::from_secs(3600)));
    limit(&mut ledger, "batch", &[("cpus", 1)]);
    subscribe(&mut ledger, 1, &["batch"]);
    ledger.pass(MOMENT);
    assert_eq!(takers(&ledger), [1]);
    // What the first refused is less than what is free now.
    reserve(&mut ledger, "cpus:1", &Role::new("batch"));
    ledger.decline(0, None);
    ledger.pass(MOMENT);
    assert_eq!(ledger.unlawful, 0);
    assert_eq!(takers(&ledger), [1]);
    assert_eq!(ledger.offers[0].resources.scalar("cpus"), Quantity::from_units(1));
}

#[test]
fn what_a_grant_that_was_held_back_leaves_counts_against_a_limit_elsewhere() {
    let mut ledger = Ledger::new(Drf::default());
    subscribe(&mut ledger, 0, &["*"]);
    add_agent(&mut ledger, 0, "cpus:2;mem:1024");
    ledger.pass(MOMENT);
    ledger.decline(0, Some(Duration::from_secs(3600)));
    limit(&mut ledger, "batch", &[("cpus", 2)]);
    subscribe(&mut ledger, 1, &["batch"]);
    ledger.pass(MOMENT);
    reserve(&mut ledger, "cpus:1", &Role::new("batch"));
    // The first is meant to have the CPU that is not reserved, which it refused; so the role has it,
    // and with it no room for what it was meant to have of the other agent.
    ledger.decline(0, None);
    add_agent(&mut ledger, 1, "cpus:4;mem:1024");
    ledger.pass(MOMENT);
    assert_eq!(ledger.unlawful, 0);
    assert_eq!(takers(&ledger), [1, 0]);
    assert_eq!(ledger.offers[0].resources.scalar("cpus"), Quantity::from_units(2));
}

#[test]
fn room_below_a_limit_is_used_on_agents_that_it_kept_away() {
    let mut ledger = cluster(&[]);
    add_agent(&mut ledger, 1, "cpus:4;mem:1024");
    limit(&mut ledger, "eng", &[("cpus", 0), ("mem", 1024)]);
    subscribe(&mut ledger, 0, &["eng"]);
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 1, "one agent's memory is all that the limit allows");
    let kept_away = 1 - ledger.offers[0].agent.0;
    ledger.decline(0, Some(Duration::from_secs(3600)));
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 1);
    assert_eq!(ledger.offers[0].agent, AgentIx(kept_away));
}

#[test]
fn a_filter_on_a_part_of_an_agent_ends_when_the_part_grows() {
    let mut ledger = cluster(&[]);
    subscribe(&mut ledger, 0, &["ops"]);
    add_agent(&mut ledger, 1, "cpus:4;mem:1024;cpus(eng):2;mem(eng):256");
    ledger.pass(MOMENT);
    let at = ledger.offers.iter().position(|offer| offer.agent == AgentIx(1)).unwrap();
    let mut offer = ledger.offers.remove(at);
    let mut task = offer.clone();
    task.resources = resources("cpus:1;mem:100").allocated_to(&"ops".into());
    offer.resources -= &task.resources;
    ledger.recover(offer, Some(Duration::from_secs(3600)));
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 1, "what is left was refused");
    ledger.recover(task, None);
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 2);
}

#[test]
fn what_was_never_held_does_not_become_free() {
    let mut ledger = cluster(&[&["*"]]);
    let mut offer = ledger.offers.remove(0);
    let mut task = offer.clone();
    task.resources = resources("cpus:1;mem:100").allocated_to(&Role::any());
    offer.resources -= &task.resources;
    ledger.used.push(task);
    let twice = Event::Recover {
        framework: offer.framework,
        agent: offer.agent,
        resources: offer.resources.clone(),
        filter: None,
    };
    ledger.recover(offer.clone(), None);
    ledger.send(twice);
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 1);
    assert_eq!(ledger.offers[0].resources, offer.resources);
}

#[test]
fn offer_constraints_keep_agents_away_until_they_change() {
    let mut ledger = Ledger::new(Drf::default());
    let info = framework_info(0, &["*"], Capabilities::none());
    let predicate = Predicate::TextMatches("host[1-9]".into());
    let only = Constraint { selector: Selector::Hostname, predicate };
    let only = OfferConstraints::from_iter([(Role::any(), vec![vec![only]])]);
    let constraints = Some(Arc::new(only));
    let (framework, info, active) = (FrameworkIx(0), Arc::new(info), true);
    let subscriber = Subscriber { roles: [Role::any()].into(), active, ..Subscriber::default() };
    ledger.frameworks.insert(framework, subscriber);
    let suppressed = BTreeSet::new();
    ledger.send(Event::FrameworkAdded {
        framework,
        info: Arc::clone(&info),
        suppressed: suppressed.clone(),
        constraints,
        active,
    });
    add_agent(&mut ledger, 0, "cpus:4;mem:1024");
    add_agent(&mut ledger, 1, "cpus:4;mem:1024");
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 1);
    assert_eq!(ledger.offers[0].agent, AgentIx(1));
    assert_eq!(ledger.host.counters().unlawful.len(), 0);
    ledger.send(Event::FrameworkChanged { framework, info, suppressed, constraints: None });
    ledger.pass(MOMENT);
    assert_eq!(ledger.offers.len(), 2);
}

#[test]
fn tasks_of_an_unknown_framework_count_until_it_returns() {
    let mut ledger = cluster(&[]);
    let used = resources("cpus:3;mem:1000").allocated_to(&Role::any());
    let total = resources("cpus:4;mem:1024");
    ledger.agents.insert(AgentIx(1), (total.clone(), true));
    ledger.send(Event::AgentAdded {
        agent: AgentIx(1),
        info: facts(1),
        total,
        used: vec![(FrameworkIx(7), used.clone())],
        active: true,
    });
    ledger.used.push(crate::allocation::Granted {
        framework: FrameworkIx(7),
        role: Role::any(),
        agent: AgentIx(1),
        resources: used,
    });
    subscribe(&mut ledger, 7, &["*"]);
    subscribe(&mut ledger, 1, &["*"]);
    ledger.pass(MOMENT);
    // Framework 7 already holds something, so both agents go to the other one.
    assert_eq!(takers(&ledger), [1, 7]);
    assert!(ledger.host.shares()[0].1 > 0.9);
}

#[test]
fn it_explains_itself() {
    let mut ledger = cluster(&[&["*"]]);
    let explain = |ledger: &Ledger<Drf>| ledger.host.explain(FrameworkIx(0), None).join("\n");
    ledger.decline(0, Some(Duration::from_secs(100)));
    ledger.pass(MOMENT);
    let text = explain(&ledger);
    assert!(text.contains("the largest agent has cpus:4;mem:1024"), "{text}");
    assert!(text.contains("declined"), "{text}");
    ledger.send(Event::Suppress { framework: FrameworkIx(0), roles: Vec::new() });
    assert!(explain(&ledger).contains("suppressed"), "{}", explain(&ledger));
    ledger.send(Event::FrameworkActive { framework: FrameworkIx(0), active: false });
    assert!(explain(&ledger).contains("not connected"), "{}", explain(&ledger));
    assert!(ledger.host.explain(FrameworkIx(9), None)[0].contains("not known"));
}

#[test]
fn at_rest_it_waits_for_nothing() {
    let ledger = cluster(&[&["*"]]);
    assert_eq!(ledger.host.deadline(), None);
}

#[test]
fn a_module_that_waits_is_asked_again_though_nothing_happens() {
    let mut ledger = Ledger::new(Scripted::default());
    ledger.host.allocator.wake_after = Duration::from_secs(7);
    add_agent(&mut ledger, 0, "cpus:4;mem:1024");
    ledger.pass(Duration::from_secs(60));
    let asked: Vec<u64> = ledger.host.allocator.asked.iter().map(Duration::as_secs).collect();
    assert_eq!(asked, [0, 7], "once for each wish");
    // A wish for no time at all is none that the host spins by.
    ledger.host.allocator.wake_after = Duration::from_nanos(1);
    subscribe(&mut ledger, 0, &["*"]);
    ledger.pass(MOMENT);
    let gap = |asked: &[Duration]| asked[3] - asked[2];
    assert!(gap(&ledger.host.allocator.asked) >= Duration::from_millis(1));
}

#[test]
fn a_module_hears_how_many_tasks_there_are() {
    let mut ledger = Ledger::new(Scripted::default());
    add_agent(&mut ledger, 0, "cpus:4;mem:1024");
    subscribe(&mut ledger, 0, &["eng"]);
    let (framework, role) = (FrameworkIx(0), Role::new("eng"));
    for (agent, count) in [(0, 2), (9, 1), (0, 0)] {
        let (role, agent) = (role.clone(), AgentIx(agent));
        ledger.send(Event::Tasks { framework, role, agent, count });
    }
    ledger.pass(MOMENT);
    let tasks = |change: &Change| match change {
        Change::Tasks { agent, count, .. } => Some((agent.0, *count)),
        _ => None,
    };
    let heard: Vec<_> = ledger.host.allocator.heard.iter().filter_map(tasks).collect();
    assert_eq!(heard, [(0, 2), (0, 0)], "of agents that are there");
}
