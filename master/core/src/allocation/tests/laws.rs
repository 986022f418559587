//! Random lives of small clusters, with an honest module and with one that lies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use reeve_model::{Capabilities, Conversion, Quantities, Quantity, Reservation, Resources, Role};
use reeve_module_sdk::allocator::Allocator;

use super::ledger::{Ledger, Subscriber};
use super::liar::Liar;
use super::{Drf, facts, framework_info, resources};
use crate::allocation::{AgentIx, Event, FrameworkIx, Granted};

const ROLES: [&str; 4] = ["*", "eng", "eng/web", "ops"];

const TOTALS: [&str; 6] = [
    "cpus:4;mem:1024;ports:[31000-32000]",
    "cpus:8;mem:512;disk:1000",
    "cpus:2;mem:256;cpus(eng):2;mem(eng):256;ports(ops):[1-10]",
    "cpus:1;mem:64;gpus:1",
    "cpus(eng/web):3;mem(ops):100",
    "mem:48;licences:3",
];

#[derive(Clone, Debug)]
enum Step {
    AddAgent { agent: u32, total: usize, active: bool },
    ChangeAgent { agent: u32, total: usize },
    ActivateAgent { agent: u32, active: bool },
    RemoveAgent { agent: u32 },
    Subscribe { framework: u32, roles: u8, gpus: bool },
    ActivateFramework { framework: u32, active: bool },
    RemoveFramework { framework: u32 },
    Suppress { framework: u32, role: usize },
    Revive { framework: u32, role: Option<usize> },
    Decline { offer: usize, seconds: Option<u64> },
    Accept { offer: usize, cpus: i64 },
    Finish { task: usize },
    Reserve { offer: usize },
    Limit { role: usize, cpus: Option<i64> },
    Weight { role: usize, weight: i64 },
    Pass { millis: u64 },
}

fn steps(quota: bool) -> impl Strategy<Value = Vec<Step>> {
    let (agent, framework, role) = (0u32..4, 0u32..3, 0..ROLES.len());
    let offer = 0usize..8;
    let seconds = proptest::option::of(0u64..10);
    let cpus = proptest::option::of(0i64..9);
    let step = prop_oneof![
        4 => (agent.clone(), 0..TOTALS.len(), any::<bool>())
            .prop_map(|(agent, total, active)| Step::AddAgent { agent, total, active }),
        1 => (agent.clone(), 0..TOTALS.len())
            .prop_map(|(agent, total)| Step::ChangeAgent { agent, total }),
        1 => (agent.clone(), any::<bool>())
            .prop_map(|(agent, active)| Step::ActivateAgent { agent, active }),
        1 => agent.prop_map(|agent| Step::RemoveAgent { agent }),
        4 => (framework.clone(), 1u8..16, any::<bool>())
            .prop_map(|(framework, roles, gpus)| Step::Subscribe { framework, roles, gpus }),
        1 => (framework.clone(), any::<bool>())
            .prop_map(|(framework, active)| Step::ActivateFramework { framework, active }),
        1 => framework.clone().prop_map(|framework| Step::RemoveFramework { framework }),
        2 => (framework.clone(), role.clone())
            .prop_map(|(framework, role)| Step::Suppress { framework, role }),
        2 => (framework, proptest::option::of(role.clone()))
            .prop_map(|(framework, role)| Step::Revive { framework, role }),
        8 => (offer.clone(), seconds)
            .prop_map(|(offer, seconds)| Step::Decline { offer, seconds }),
        8 => (offer.clone(), 0i64..5).prop_map(|(offer, cpus)| Step::Accept { offer, cpus }),
        5 => offer.clone().prop_map(|task| Step::Finish { task }),
        2 => offer.prop_map(|offer| Step::Reserve { offer }),
        1 => (role.clone(), cpus).prop_map(|(role, cpus)| Step::Limit { role, cpus }),
        1 => (role, 1i64..5).prop_map(|(role, weight)| Step::Weight { role, weight }),
        8 => (0u64..3000).prop_map(|millis| Step::Pass { millis }),
    ];
    let fits = move |step: &Step| quota || !matches!(step, Step::Limit { .. });
    proptest::collection::vec(step, 1..80)
        .prop_map(move |steps| steps.into_iter().filter(fits).collect())
}

impl<A: Allocator> Ledger<A> {
    fn carry_out(&mut self, step: Step) {
        match step {
            Step::AddAgent { agent, total, active } => self.add_agent(agent, TOTALS[total], active),
            Step::ChangeAgent { agent, total } => self.change_agent(agent, TOTALS[total]),
            Step::ActivateAgent { agent, active } => {
                let agent = AgentIx(agent);
                if let Some(known) = self.agents.get_mut(&agent) {
                    known.1 = active;
                    self.send(Event::AgentActive { agent, active });
                }
            }
            Step::RemoveAgent { agent } => self.remove_agent(AgentIx(agent)),
            Step::Subscribe { framework, roles, gpus } => self.subscribe(framework, roles, gpus),
            Step::ActivateFramework { framework, active } => {
                let framework = FrameworkIx(framework);
                if let Some(known) = self.frameworks.get_mut(&framework) {
                    known.active = active;
                    self.forget(|one, _, _| one == framework && !active);
                    self.send(Event::FrameworkActive { framework, active });
                }
            }
            Step::RemoveFramework { framework } => self.remove_framework(FrameworkIx(framework)),
            Step::Suppress { framework, role } => {
                let (framework, role) = (FrameworkIx(framework), Role::new(ROLES[role]));
                if let Some(known) = self.frameworks.get_mut(&framework) {
                    known.suppressed.insert(role.clone());
                    self.send(Event::Suppress { framework, roles: vec![role] });
                }
            }
            Step::Revive { framework, role } => self.revive(FrameworkIx(framework), role),
            Step::Decline { offer, seconds } => {
                if offer < self.offers.len() {
                    self.decline(offer, seconds.map(Duration::from_secs));
                }
            }
            Step::Accept { offer, cpus } => self.accept(offer, cpus),
            Step::Finish { task } => {
                if task < self.used.len() {
                    let task = self.used.remove(task);
                    self.recover(task, None);
                }
            }
            Step::Reserve { offer } => self.reserve(offer),
            Step::Limit { role, cpus } => self.limit(ROLES[role], cpus),
            Step::Weight { role, weight } => {
                let weight = Quantity::from_units(weight);
                self.send(Event::Weight { role: ROLES[role].into(), weight });
            }
            Step::Pass { millis } => self.pass(Duration::from_millis(millis)),
        }
    }

    fn add_agent(&mut self, agent: u32, total: &str, active: bool) {
        let (number, total) = (AgentIx(agent), resources(total));
        self.remove_agent(number);
        self.agents.insert(number, (total.clone(), active));
        let info = facts(agent);
        self.send(Event::AgentAdded { agent: number, info, total, used: Vec::new(), active });
    }

    /// As the master does it: offers are rescinded first, and a smaller agent kills its tasks.
    fn change_agent(&mut self, agent: u32, total: &str) {
        let agent = AgentIx(agent);
        if !self.agents.contains_key(&agent) {
            return;
        }
        self.recover_all(|held| held.agent == agent);
        if let Some(known) = self.agents.get_mut(&agent) {
            known.0 = resources(total);
        }
        self.forget(|_, _, on| on == agent);
        self.send(Event::AgentChanged { agent, total: resources(total) });
    }

    fn remove_agent(&mut self, agent: AgentIx) {
        if self.agents.remove(&agent).is_some() {
            self.offers.retain(|held| held.agent != agent);
            self.used.retain(|held| held.agent != agent);
            self.forget(|_, _, on| on == agent);
            self.send(Event::AgentRemoved { agent });
        }
    }

    fn recover_all(&mut self, which: impl Fn(&Granted) -> bool) {
        let (gone, offers) = std::mem::take(&mut self.offers).into_iter().partition(&which);
        self.offers = offers;
        let (ended, used) = std::mem::take(&mut self.used).into_iter().partition(&which);
        self.used = used;
        let (gone, ended): (Vec<Granted>, Vec<Granted>) = (gone, ended);
        for held in gone.into_iter().chain(ended) {
            self.recover(held, None);
        }
    }

    fn subscribe(&mut self, framework: u32, roles: u8, gpus: bool) {
        let number = FrameworkIx(framework);
        let roles: Vec<&str> =
            (0..ROLES.len()).filter(|at| roles & 1 << at != 0).map(|at| ROLES[at]).collect();
        let mut capabilities = Capabilities::none();
        if gpus {
            capabilities = Capabilities::GPU_RESOURCES.with(Capabilities::RESERVATION_REFINEMENT);
        }
        let info = Arc::new(framework_info(framework, &roles, capabilities));
        let known = self.frameworks.contains_key(&number);
        let unsuppressed = self.frameworks.get(&number).map(|known| known.suppressed.clone());
        let unsuppressed = unsuppressed.unwrap_or_default();
        self.forget(|one, role, _| one == number && unsuppressed.contains(role));
        self.frameworks.insert(
            number,
            Subscriber {
                roles: info.roles.iter().cloned().collect(),
                active: true,
                gpus,
                refinement: gpus,
                ..Subscriber::default()
            },
        );
        let (suppressed, constraints) = (BTreeSet::new(), None);
        if known {
            self.send(Event::FrameworkChanged { framework: number, info, suppressed, constraints });
            self.send(Event::FrameworkActive { framework: number, active: true });
        } else {
            let active = true;
            let framework = number;
            self.send(Event::FrameworkAdded { framework, info, suppressed, constraints, active });
        }
    }

    fn remove_framework(&mut self, framework: FrameworkIx) {
        if !self.frameworks.contains_key(&framework) {
            return;
        }
        self.recover_all(|held| held.framework == framework);
        self.frameworks.remove(&framework);
        self.forget(|one, _, _| one == framework);
        self.send(Event::FrameworkRemoved { framework });
    }

    fn revive(&mut self, framework: FrameworkIx, role: Option<usize>) {
        let roles: Vec<Role> = role.map(|role| ROLES[role].into()).into_iter().collect();
        let Some(known) = self.frameworks.get_mut(&framework) else { return };
        known.suppressed.retain(|role| !roles.is_empty() && !roles.contains(role));
        self.forget(|one, role, _| one == framework && (roles.is_empty() || roles.contains(role)));
        self.send(Event::Revive { framework, roles });
    }

    /// Uses some of an offer and refuses the rest for five seconds.
    fn accept(&mut self, offer: usize, cpus: i64) {
        if offer >= self.offers.len() {
            return;
        }
        let offer = self.offers.remove(offer);
        let mut part = offer.resources.clone();
        part.shrink("cpus", Quantity::from_units(cpus));
        part.shrink("mem", Quantity::from_units(cpus * 64));
        let rest = &offer.resources - &part;
        if !part.is_empty() {
            self.used.push(Granted { resources: part, ..offer.clone() });
        }
        if !rest.is_empty() {
            let rest = Granted { resources: rest, ..offer };
            self.recover(rest, Some(Duration::from_secs(5)));
        }
    }

    fn reserve(&mut self, offer: usize) {
        let Some(offer) = self.offers.get(offer).cloned() else { return };
        let unreserved = offer.resources.filter(|one| !one.is_reserved() && !one.revocable);
        if offer.role.is_any() || unreserved.is_empty() {
            return;
        }
        let reservation = Reservation::dynamic(offer.role.clone(), None);
        let to: Resources = unreserved
            .iter()
            .cloned()
            .map(|mut one| {
                one.reservations = one.reservations.push(reservation.clone());
                one
            })
            .collect();
        let conversion = Conversion { consumed: unreserved.clone(), converted: to.clone() };
        let at = self.offers.iter().position(|one| *one == offer).unwrap();
        self.offers[at].resources = offer.resources.apply(&conversion).unwrap();
        let plain = conversion.unallocated();
        if let Some(known) = self.agents.get_mut(&offer.agent) {
            known.0 = known.0.apply(&plain).unwrap();
        }
        let (framework, agent, from) = (Some(offer.framework), offer.agent, unreserved);
        self.send(Event::Converted { framework, agent, from, to });
    }

    fn limit(&mut self, role: &str, cpus: Option<i64>) {
        let role = Role::new(role);
        if role.parent().is_some() {
            return;
        }
        let limits: Vec<_> =
            cpus.map(|cpus| ("cpus".into(), Quantity::from_units(cpus))).into_iter().collect();
        self.limits.insert(role.clone(), limits.clone());
        self.send(Event::Quota { role, guarantees: Quantities::new(), limits });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_grant_breaks_an_invariant_and_nothing_wanted_is_left(steps in steps(false)) {
        let mut ledger = Ledger::new(Drf::default());
        for step in steps {
            let rested = matches!(step, Step::Pass { millis } if millis > 20);
            ledger.carry_out(step);
            if rested {
                ledger.check_nothing_left();
            }
        }
        ledger.pass(Duration::from_millis(20));
        ledger.check_nothing_left();
        prop_assert_eq!(ledger.unlawful, 0, "drf is lawful: {:?}", ledger.host.counters());
    }

    #[test]
    fn quota_limits_hold(steps in steps(true)) {
        let mut ledger = Ledger::new(Drf::default());
        for step in steps {
            ledger.carry_out(step);
        }
        ledger.pass(Duration::from_secs(20));
        prop_assert_eq!(ledger.unlawful, 0, "drf is lawful: {:?}", ledger.host.counters());
    }

    #[test]
    fn a_lying_module_breaks_nothing(steps in steps(true)) {
        let mut ledger = Ledger::new(Liar::default());
        for step in steps {
            ledger.carry_out(step);
        }
        ledger.pass(Duration::from_secs(20));
    }
}
