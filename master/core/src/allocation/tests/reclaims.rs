//! What a module may take back, and how often.

use std::time::Duration;

use reeve_model::{Quantities, Role};
use reeve_module_sdk::allocator::{Amounts, Change, KindIx, Reclaim, RoleIx};

use super::cases::{MOMENT, add_agent, subscribe};
use super::ledger::Ledger;
use super::scripted::Scripted;
use crate::allocation::{AgentIx, Event, FrameworkIx, Rule};

const GRACE: Duration = Duration::from_secs(5);

/// Framework 0 holds an offer of 4 CPUs and 1 GB in the role `batch`; the numbers of role and kind.
fn cluster() -> (Ledger<Scripted>, RoleIx, KindIx) {
    let mut ledger = Ledger::new(Scripted::default());
    subscribe(&mut ledger, 0, &["batch"]);
    subscribe(&mut ledger, 1, &["web"]);
    add_agent(&mut ledger, 0, "cpus:4;mem:1024;cpus(batch):2");
    ledger.pass(MOMENT);
    assert_eq!((ledger.offers.len(), ledger.offers[0].framework.0), (1, 0));
    let (mut role_of, mut kind_of) = (None, None);
    for change in &ledger.host.allocator.heard {
        match change {
            Change::Role { role, name, .. } if name == "batch" => role_of = Some(*role),
            Change::Kind { kind, name, .. } if name == "cpus" => kind_of = Some(*kind),
            _ => {}
        }
    }
    (ledger, role_of.unwrap(), kind_of.unwrap())
}

fn wanted(role: RoleIx, kind: KindIx, thousandths: i64) -> Reclaim {
    Reclaim {
        framework: FrameworkIx(0),
        role,
        agent: AgentIx(0),
        amounts: Amounts::new([(kind, thousandths)]),
        grace: GRACE.as_nanos() as u64,
        reason: "others need it more".into(),
    }
}

/// Has the module propose these now; the rules that were broken.
fn propose(ledger: &mut Ledger<Scripted>, reclaims: Vec<Reclaim>) -> Vec<Rule> {
    let before = ledger.host.counters().unlawful_reclaims.clone();
    ledger.host.allocator.reclaims = reclaims;
    // Whatever makes the host ask.
    let role = Role::new("batch");
    ledger.send(Event::Tasks { framework: FrameworkIx(0), role, agent: AgentIx(0), count: 1 });
    ledger.pass(2 * MOMENT);
    ledger.pass(Duration::from_secs(2));
    let after = &ledger.host.counters().unlawful_reclaims;
    after.iter().filter(|(rule, n)| before.get(rule) != Some(n)).map(|(rule, _)| *rule).collect()
}

#[test]
fn what_is_held_is_taken_back_once_until_it_has_come() {
    let (mut ledger, role, kind) = cluster();
    assert!(propose(&mut ledger, vec![wanted(role, kind, 1000)]).is_empty());
    let reclaim = ledger.reclaims.pop().unwrap();
    assert_eq!(reclaim.amounts, Quantities::parse("cpus:1").unwrap());
    assert_eq!(reclaim.held, Quantities::parse("cpus:4;mem:1024").unwrap(), "but no reservation");
    assert_eq!((reclaim.grace, &*reclaim.reason), (GRACE, "others need it more"));
    assert_eq!(ledger.host.reclaims(), (1, 0));
    assert_eq!(propose(&mut ledger, vec![wanted(role, kind, 500)]), [Rule::UnderWay]);
    ledger.decline(0, Some(Duration::from_secs(3600)));
    assert_eq!(ledger.host.reclaims(), (0, 0));
    assert_eq!(propose(&mut ledger, vec![wanted(role, kind, 500)]), [Rule::NotHeld]);
    assert!(ledger.reclaims.is_empty());
    assert_eq!(ledger.host.counters().reclaims, 1);
}

#[test]
fn only_as_much_as_came_counts() {
    let (mut ledger, role, kind) = cluster();
    propose(&mut ledger, vec![wanted(role, kind, 3000)]);
    let mut offer = ledger.offers.remove(0);
    let mut task = offer.clone();
    task.resources = super::resources("cpus:2;mem:512").allocated_to(&"batch".into());
    offer.resources -= &task.resources;
    ledger.used.push(offer);
    ledger.recover(task, Some(Duration::from_secs(3600)));
    assert_eq!(propose(&mut ledger, vec![wanted(role, kind, 1000)]), [Rule::UnderWay]);
    let rest = ledger.used.remove(0);
    ledger.recover(rest, Some(Duration::from_secs(3600)));
    assert_eq!(ledger.host.reclaims(), (0, 0));
}

#[test]
fn what_does_not_come_is_forgotten_and_may_be_asked_for_again() {
    let (mut ledger, role, kind) = cluster();
    propose(&mut ledger, vec![wanted(role, kind, 1000)]);
    ledger.pass(Reclaim::stands_for(GRACE));
    assert!(propose(&mut ledger, vec![wanted(role, kind, 1000)]).is_empty());
    assert_eq!(ledger.reclaims.len(), 2);
    assert_eq!(ledger.host.reclaims(), (1, 1));
}

#[test]
fn proposals_that_break_a_rule_are_counted_and_change_nothing() {
    let (mut ledger, role, kind) = cluster();
    let good = wanted(role, kind, 1000);
    let framework = Reclaim { framework: FrameworkIx(7), ..good.clone() };
    assert_eq!(propose(&mut ledger, vec![framework]), [Rule::UnknownFramework]);
    let other = Reclaim { framework: FrameworkIx(1), ..good.clone() };
    assert_eq!(propose(&mut ledger, vec![other]), [Rule::NotHeld]);
    let nowhere = Reclaim { agent: AgentIx(7), ..good.clone() };
    assert_eq!(propose(&mut ledger, vec![nowhere]), [Rule::UnknownAgent]);
    let no_role = Reclaim { role: RoleIx(77), ..good.clone() };
    assert_eq!(propose(&mut ledger, vec![no_role]), [Rule::UnknownRole]);
    for nothing in [0, -1] {
        let nothing = wanted(role, kind, nothing);
        assert_eq!(propose(&mut ledger, vec![nothing]), [Rule::NothingWanted]);
    }
    assert_eq!(propose(&mut ledger, vec![wanted(role, kind, 4001)]), [Rule::NotHeld]);
    assert!(ledger.reclaims.is_empty());
    assert_eq!(propose(&mut ledger, vec![good.clone(), good]), [Rule::UnderWay]);
    assert_eq!(ledger.reclaims.len(), 1, "the first of two is lawful");
    assert_eq!(ledger.unlawful, 8);
}

#[test]
fn nothing_is_taken_from_an_agent_that_is_away() {
    let (mut ledger, role, kind) = cluster();
    ledger.agents.get_mut(&AgentIx(0)).unwrap().1 = false;
    ledger.send(Event::AgentActive { agent: AgentIx(0), active: false });
    assert!(propose(&mut ledger, vec![wanted(role, kind, 1000)]).is_empty(), "nobody told it");
    assert!(ledger.reclaims.is_empty());
}
