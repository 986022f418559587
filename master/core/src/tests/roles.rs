//! Quota and weights: durable, told to the allocation machine, and within what the cluster has.

use reeve_model::{Quantities, Role};

use super::Cluster;
use super::cluster::framework;
use crate::Options;
use crate::event::{Ask, Kind, QuotaChange, Recovered, RequestId, WriteId};
use crate::roles::Quota;

fn quota(guarantees: &str, limits: &str) -> Quota {
    let amounts = |text: &str| Quantities::parse(text).unwrap();
    let limits = amounts(limits);
    let limits = limits.iter().map(|(name, most)| (name.clone(), most)).collect();
    Quota { guarantees: amounts(guarantees), limits }
}

fn asks(c: &mut Cluster, change: QuotaChange, force: bool) -> Vec<String> {
    c.step(Kind::Asks(RequestId(3), Ask::Quota { change, force }))
}

fn update(c: &mut Cluster, guarantees: &str, limits: &str, force: bool) -> Vec<String> {
    let quotas = vec![(Role::new("eng"), quota(guarantees, limits))];
    asks(c, QuotaChange::Update(quotas), force)
}

fn weights(c: &mut Cluster, role: &str, weight: f64) -> Vec<String> {
    c.step(Kind::Asks(RequestId(3), Ask::Weights(vec![(role.into(), weight)])))
}

fn told(lines: Vec<String>) -> String {
    lines.last().cloned().unwrap_or_default()
}

#[test]
fn quota_is_durable_before_it_counts() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.commits = false;
    assert_eq!(update(&mut c, "cpus:2", "cpus:3", false), ["persist 1: quota eng"]);
    assert!(c.view().quotas.is_empty());
    assert_eq!(
        c.step(Kind::Committed(WriteId(1))),
        ["alloc: eng gets cpus:2 to cpus:3", "answer 3: Done"]
    );
    assert_eq!(c.view().quotas[&Role::new("eng")], quota("cpus:2", "cpus:3"));
}

#[test]
fn no_more_is_guaranteed_than_there_is_unless_forced() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let answer = told(update(&mut c, "cpus:5", "", false));
    assert!(answer.contains("guarantees 'cpus:5' exceed cluster capacity 'cpus:4'"), "{answer}");
    assert_eq!(told(update(&mut c, "cpus:5", "", true)), "answer 3: Done");
    // All or nothing: what another role is guaranteed counts, too.
    let other = vec![(Role::new("ops"), quota("cpus:1", ""))];
    let answer = told(asks(&mut c, QuotaChange::Update(other), false));
    assert!(answer.contains("'cpus:6' exceed"), "{answer}");
}

#[test]
fn no_limit_is_below_what_is_consumed_unless_forced() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let (id, stream, _) =
        c.subscribe(reeve_model::FrameworkInfo { roles: vec!["eng/web".into()], ..framework() });
    let offers = c.grant_in("eng/web", 0, 0, "cpus:2");
    let wish = super::cluster::Wish { id: "t", agent: &a, resources: "cpus:2", executor: None };
    let launch = reeve_model::Operation::Launch(vec![Ok(super::cluster::task(wish))]);
    c.accept(&(id, stream), offers, vec![launch]);
    let answer = told(update(&mut c, "", "cpus:1", false));
    assert!(answer.contains("Role 'eng' is already consuming 'cpus:2'"), "{answer}");
    assert!(told(update(&mut c, "", "cpus:2", false)).contains("Done"));
    assert!(told(update(&mut c, "", "cpus:1", true)).contains("Done"));
}

#[test]
fn offers_beyond_a_new_limit_are_taken_back() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.subscribe(reeve_model::FrameworkInfo { roles: vec!["eng".into()], ..framework() });
    c.grant_in("eng", 0, 0, "cpus:1");
    c.grant_in("eng", 0, 0, "cpus:2");
    let lines = update(&mut c, "", "cpus:2", false);
    assert_eq!(
        lines[1..],
        [
            "alloc: eng gets  to cpus:2",
            "alloc: f0 gives a0 cpus:1",
            "#1 < rescind m-O0",
            "answer 3: Done",
        ]
    );
}

#[test]
fn others_give_their_offers_back_for_a_guarantee() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.framework();
    c.grant(0, 0, "cpus:1");
    c.grant(0, 0, "cpus:2");
    let lines = update(&mut c, "cpus:1", "", false);
    assert_eq!(lines.iter().filter(|line| line.contains("rescind")).count(), 1);
}

#[test]
fn the_older_calls_set_once_and_remove() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let set = |amounts: &str| QuotaChange::Set("eng".into(), Quantities::parse(amounts).unwrap());
    let answer = told(asks(&mut c, set("cpus:5"), false));
    assert!(answer.contains("Overcommits"), "{answer}");
    assert!(told(asks(&mut c, set("cpus:2"), false)).contains("Done"));
    assert_eq!(c.view().quotas[&Role::new("eng")], quota("cpus:2", "cpus:2"));
    assert!(told(asks(&mut c, set("cpus:1"), false)).contains("already has quota"));
    let lines = asks(&mut c, QuotaChange::Remove("eng".into()), false);
    assert_eq!(lines[1..], ["alloc: eng gets  to ", "answer 3: Done"]);
    assert!(c.view().quotas.is_empty());
    let answer = told(asks(&mut c, QuotaChange::Remove("eng".into()), false));
    assert!(answer.contains("Role 'eng' has no quota set"), "{answer}");
}

#[test]
fn new_weights_of_a_role_in_use_take_all_offers_back() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.framework();
    c.grant(0, 0, "cpus:4");
    let lines = weights(&mut c, "eng", 2.5);
    assert_eq!(lines[1..], ["alloc: eng weighs 2.5", "answer 3: Done"]);
    let lines = weights(&mut c, "*", 3.0);
    assert!(lines.contains(&"#1 < rescind m-O0".to_owned()), "{lines:?}");
    assert_eq!(c.view().weights[&Role::new("eng")], 2.5);
}

#[test]
fn a_new_leader_and_a_new_allocator_are_told_before_anything_is_offered() {
    let recovered = Recovered {
        quotas: [("eng".into(), quota("cpus:2", "cpus:3"))].into(),
        weights: [("ops".into(), 2.0)].into(),
        ..Recovered::default()
    };
    let mut c = Cluster::with(Options::default(), recovered);
    let roles = ["alloc: ops weighs 2", "alloc: eng gets cpus:2 to cpus:3"];
    assert_eq!(super::render::lines(&c.effects), roles);
    assert_eq!(c.view().quotas.len(), 1);
    assert_eq!(c.view().weights.len(), 1);
    c.agent("a1", "cpus:4");
    let lines = c.step(Kind::AllocatorReplaced(1));
    assert_eq!(lines[1..3], roles);
}
