//! The master's side of a test: it keeps its own books of offers and tasks, and holds every grant
//! against the invariants A1, A2, A3, A5, A7 and A9.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_machine::{Machine, Tick};
use reeve_model::{Quantities, Quantity, ResourceName, Resources, Role, Value};
use reeve_module_sdk::allocator::Allocator;

use crate::allocation::{AgentIx, Effect, Event, FrameworkIx, Granted, Host, Options, Reclaimed};

/// A refusal as the framework remembers it.
#[derive(Clone, Debug)]
struct Refused {
    framework: FrameworkIx,
    role: Role,
    agent: AgentIx,
    resources: Resources,
    until: Tick,
}

/// One framework as the ledger knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriber {
    pub(super) roles: BTreeSet<Role>,
    pub(super) suppressed: BTreeSet<Role>,
    pub(super) active: bool,
    pub(super) gpus: bool,
    pub(super) revocable: bool,
    pub(super) refinement: bool,
}

#[derive(Debug)]
pub(super) struct Ledger<A: Allocator> {
    pub(super) host: Host<A>,
    pub(super) now: Tick,
    pub(super) agents: BTreeMap<AgentIx, (Resources, bool)>,
    pub(super) frameworks: BTreeMap<FrameworkIx, Subscriber>,
    pub(super) offers: Vec<Granted>,
    pub(super) used: Vec<Granted>,
    pub(super) limits: BTreeMap<Role, Vec<(ResourceName, Quantity)>>,
    refused: Vec<Refused>,
    /// What was taken back, for a test to carry out.
    pub(super) reclaims: Vec<Reclaimed>,
    pub(super) unlawful: usize,
}

impl<A: Allocator> Ledger<A> {
    pub(super) fn new(allocator: A) -> Self {
        Self {
            host: Host::new(Options::default(), allocator),
            now: Tick::ZERO,
            agents: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            offers: Vec::new(),
            used: Vec::new(),
            limits: BTreeMap::new(),
            refused: Vec::new(),
            reclaims: Vec::new(),
            unlawful: 0,
        }
    }

    pub(super) fn send(&mut self, event: Event) {
        let mut out = Vec::new();
        self.host.step(self.now, event, &mut out);
        for effect in out {
            match effect {
                Effect::Offer(grants) => grants.into_iter().for_each(|grant| self.take(grant)),
                Effect::Reclaim(all) => all.into_iter().for_each(|one| self.take_back(one)),
                Effect::Report(_) => self.unlawful += 1,
            }
        }
    }

    /// Lets time pass, and the host do what is due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut rounds = 0;
        while let Some(due) = self.host.deadline().filter(|&due| due <= end) {
            self.now = self.now.max(due);
            self.send(Event::Deadline);
            rounds += 1;
            assert!(rounds < 100_000, "the host does not come to rest");
        }
        self.now = end;
    }

    fn held(&self) -> impl Iterator<Item = &Granted> {
        self.offers.iter().chain(&self.used)
    }

    pub(super) fn free(&self, agent: AgentIx) -> Resources {
        let held = self.held().filter(|held| held.agent == agent);
        let mut free = self.agents[&agent].0.clone();
        for held in held {
            free -= &held.resources.filter(|one| !one.shared).unallocated();
        }
        free
    }

    /// A new grant, held against the invariants.
    fn take(&mut self, grant: Granted) {
        let (total, active) =
            self.agents.get(&grant.agent).expect("a grant names an agent that is there");
        assert!(active, "A9: an inactive agent is not offered");
        let subscriber =
            self.frameworks.get(&grant.framework).expect("a grant names a framework that is there");
        assert!(subscriber.active, "A9: an inactive framework is offered nothing");
        assert!(subscriber.roles.contains(&grant.role), "offers are for roles of the framework");
        assert!(!subscriber.suppressed.contains(&grant.role), "A9: suppressed is suppressed");
        assert!(!grant.resources.is_empty(), "an offer holds something");
        let unallocated = grant.resources.unallocated();
        let free = self.free(grant.agent);
        assert!(
            free.contains(&unallocated.filter(|one| !one.shared)),
            "A1, A2: {unallocated} was granted of {free}, all is {total}"
        );
        for one in grant.resources.iter() {
            assert_eq!(one.allocation.as_ref(), Some(&grant.role));
            assert!(one.is_allocatable_to(&grant.role), "A5: {one} for {}", grant.role);
            assert!(!one.revocable || subscriber.revocable);
            assert!(one.reservations.len() < 2 || subscriber.refinement);
        }
        let has_gpus = total.scalar("gpus").is_positive();
        assert!(!has_gpus || subscriber.gpus, "agents with GPUs are for those who ask for GPUs");
        for refused in self.refused.iter().filter(|refused| {
            refused.framework == grant.framework
                && refused.agent == grant.agent
                && refused.role == grant.role
        }) {
            assert!(
                refused.until <= self.now || !refused.resources.contains(&unallocated),
                "A7: {} was refused until {}, and {} is offered at {}",
                refused.resources,
                refused.until,
                unallocated,
                self.now
            );
        }
        self.offers.push(grant.clone());
        self.check_limit(&grant);
    }

    /// Only who holds something gives it back.
    fn take_back(&mut self, reclaim: Reclaimed) {
        let mut held = Quantities::new();
        for own in self.held().filter(|held| {
            (held.framework, held.agent) == (reclaim.framework, reclaim.agent)
                && held.role == reclaim.role
        }) {
            held += &own.resources.unreserved().non_revocable().non_shared().quantities();
        }
        assert_eq!(held, reclaim.held);
        assert!(!reclaim.amounts.is_empty() && held.contains(&reclaim.amounts), "{reclaim:?}");
        assert!(self.agents[&reclaim.agent].1, "nobody gains by what an absent agent gives back");
        self.reclaims.push(reclaim);
    }

    /// A3, for the names that the grant adds to.
    fn check_limit(&self, grant: &Granted) {
        let top: Role = grant.role.as_str().split('/').next().unwrap().into();
        let Some(limits) = self.limits.get(&top) else { return };
        let within = |role: &Role| *role == top || top.is_ancestor_of(role);
        for (name, limit) in limits {
            let amount = |resources: &Resources, reserved: bool| {
                resources
                    .iter()
                    .filter(|one| one.name == *name && !one.revocable && !one.shared)
                    .filter(|one| match one.reservation_role() {
                        Some(role) => reserved && within(role),
                        None => !reserved,
                    })
                    .map(|one| match one.value {
                        Value::Scalar(amount) => amount.thousandths(),
                        _ => 0,
                    })
                    .sum::<i64>()
            };
            if amount(&grant.resources, false) == 0 {
                continue;
            }
            let reserved: i64 = self.agents.values().map(|(total, _)| amount(total, true)).sum();
            let held: i64 = self
                .held()
                .filter(|held| within(&held.role))
                .map(|held| amount(&held.resources, false))
                .sum();
            assert!(
                reserved + held <= limit.thousandths(),
                "A3: {top} has {held} and reserved {reserved} of {name}, limit {limit}"
            );
        }
    }

    /// Gives an offer back.
    pub(super) fn decline(&mut self, offer: usize, filter: Option<Duration>) {
        let offer = self.offers.remove(offer);
        self.recover(offer, filter);
    }

    pub(super) fn recover(&mut self, held: Granted, filter: Option<Duration>) {
        let subscriber = self.frameworks.get(&held.framework);
        if let Some(lasts) = filter
            && subscriber.is_some_and(|subscriber| subscriber.active)
        {
            self.refused.push(Refused {
                framework: held.framework,
                role: held.role.clone(),
                agent: held.agent,
                resources: held.resources.unallocated(),
                until: self.now + lasts.max(Duration::from_secs(1)),
            });
        }
        let Granted { framework, agent, resources, .. } = held;
        self.send(Event::Recover { framework, agent, resources, filter });
    }

    /// Forgets refusals for which `gone` holds.
    pub(super) fn forget(&mut self, gone: impl Fn(FrameworkIx, &Role, AgentIx) -> bool) {
        self.refused.retain(|refused| !gone(refused.framework, &refused.role, refused.agent));
    }

    /// Nothing that somebody would take is left lying once the host has come to rest.
    pub(super) fn check_nothing_left(&self) {
        let minimum = Options::default().min_allocatable;
        for (&agent, (total, active)) in &self.agents {
            let free = self.free(agent);
            for (&framework, subscriber) in &self.frameworks {
                let fits = *active
                    && subscriber.active
                    && (subscriber.gpus || !total.scalar("gpus").is_positive());
                let wanted = subscriber.roles.difference(&subscriber.suppressed);
                for role in wanted.filter(|_| fits) {
                    let share = free.filter(|one| {
                        one.is_allocatable_to(role)
                            && !one.shared
                            && (!one.revocable || subscriber.revocable)
                            && (one.reservations.len() < 2 || subscriber.refinement)
                    });
                    let refused = self.refused.iter().any(|refused| {
                        (refused.framework, refused.agent) == (framework, agent)
                            && refused.role == *role
                            && refused.until > self.now
                            && refused.resources.contains(&share)
                    });
                    assert!(
                        refused || !minimum.allows(&share.quantities()),
                        "{share} of agent {} is left, and framework {} in {role} would take it",
                        agent.0,
                        framework.0
                    );
                }
            }
        }
    }
}
