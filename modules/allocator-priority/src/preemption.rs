//! What is taken back from lower classes, and from whom. When, is in `waits`.
//!
//! What a framework needs is what its tasks have on average; if it has none, the smallest offer
//! that it takes. Only what is missing of that on one agent is taken back, only where lower
//! classes hold enough of it, and only if it would be of use: not what lies free somewhere else
//! already and was declined, not beyond a quota limit, not where a constraint keeps the framework
//! away. An agent from which something is on its way back is left alone until it has come, and
//! nobody is offered a part of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_allocation_engine::{Class, Dominant, Engine, Policy};
use reeve_module_sdk::allocator::{AgentIx, Amounts, KindIx, Reclaim};

use crate::classes::{Classes, Client};
use crate::holdings::Holdings;
use crate::settings::Preemption;

/// Something is on its way back on an agent.
#[derive(Debug)]
struct Claim {
    /// What each victim has not given back yet.
    left: BTreeMap<Client, Amounts>,
    /// It is not waited for any longer than this.
    until: Duration,
}

/// All claims, by agent.
#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeMap<AgentIx, Claim>);

/// What is to be taken back on an agent, better plans first.
#[derive(Debug)]
struct Plan {
    /// Whether tasks must end, how important the most important victim is, and how much is
    /// taken in millionths of the cluster.
    harm: (bool, Reverse<Class>, i128),
    agent: AgentIx,
    victims: Vec<(Client, Amounts)>,
}

impl Claims {
    /// A client gave something back; returns whether that was the last.
    pub(crate) fn returned(&mut self, agent: AgentIx, client: Client, delta: &Amounts) -> bool {
        let Some(claim) = self.0.get_mut(&agent) else { return false };
        let Some(left) = claim.left.get_mut(&client) else { return false };
        left.add(delta);
        if left.iter().all(|(_, left)| left <= 0) {
            claim.left.remove(&client);
        }
        let is_whole = claim.left.is_empty();
        if is_whole {
            self.0.remove(&agent);
        }
        is_whole
    }

    /// An agent is gone.
    pub(crate) fn forget(&mut self, agent: AgentIx) {
        self.0.remove(&agent);
    }

    /// The agents on which nothing is waited for any longer.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<AgentIx> {
        let gone: Vec<AgentIx> =
            self.0.iter().filter(|(_, claim)| claim.until <= now).map(|(at, _)| *at).collect();
        gone.iter().for_each(|agent| drop(self.0.remove(agent)));
        gone
    }

    /// When the first of them is over.
    pub(crate) fn next_end(&self) -> Option<Duration> {
        self.0.values().map(|claim| claim.until).min()
    }

    /// On how many agents something is on its way back.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back what is `wanted`, at the least harm there is; not from the agents `spared`.
    pub(crate) fn claim(
        &mut self,
        wanted: &Wanted<'_>,
        spared: &BTreeSet<AgentIx>,
        rules: Preemption,
        now: Duration,
    ) -> Vec<Reclaim> {
        let needs = wanted.needs();
        let agents = wanted.holdings.agents().into_iter();
        let plans = agents
            .filter(|agent| !spared.contains(agent) && !self.0.contains_key(agent))
            .flat_map(|agent| needs.iter().filter_map(move |need| wanted.plan(agent, need)));
        let Some(best) = plans.min_by_key(|plan| (plan.harm, plan.agent)) else {
            return Vec::new();
        };
        // As long as the host waits for it: until then another for the same is not lawful.
        let until = now.saturating_add(Reclaim::stands_for(rules.grace));
        let left = best.victims.iter().cloned().collect();
        self.0.insert(best.agent, Claim { left, until });
        let reclaim = |(victim, amounts): (Client, Amounts)| Reclaim {
            framework: victim.0,
            role: victim.1,
            agent: best.agent,
            amounts,
            grace: u64::try_from(rules.grace.as_nanos()).unwrap_or(u64::MAX),
            reason: wanted.reason(victim).into(),
        };
        best.victims.into_iter().map(reclaim).collect()
    }
}

/// Who waits, and all that decides what can be done about it.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) client: Client,
    /// The agents that it was offered in vain.
    pub(crate) declined: &'a BTreeSet<AgentIx>,
    pub(crate) engine: &'a Engine<Classes>,
    pub(crate) holdings: &'a Holdings,
}

impl Wanted<'_> {
    fn home(&self, (framework, role): Client) -> Class {
        self.engine.policy().home_of(framework, role)
    }

    fn reason(&self, victim: Client) -> String {
        let class = |client| self.engine.policy().class_name(self.home(client));
        let waiting = self.engine.framework_id(self.client.0).unwrap_or("?");
        format!(
            "preempted: class {} gives way to class {}, of which framework {waiting} waits",
            class(victim),
            class(self.client)
        )
    }

    /// What is free on an agent, if the client may have it, or could if there were more.
    fn free_on(&self, agent: AgentIx) -> Option<Amounts> {
        let view = self.engine.view(agent, self.client.0, self.client.1)?;
        let may = view.fits && (!view.blocked || self.declined.contains(&agent));
        may.then_some(view.free)
    }

    /// Amounts any one of which would help.
    fn needs(&self) -> Vec<Amounts> {
        let (engine, (framework, role)) = (self.engine, self.client);
        let mut needs = match self.holdings.usual_task(self.client) {
            Some(task) => vec![task],
            None => engine.minimum(framework, role).to_vec(),
        };
        if needs.is_empty() {
            // It takes anything.
            let one = |(kind, _): (KindIx, i64)| Amounts::new([(kind, 1)]);
            needs = engine.kinds().totals_for_shares().iter().map(one).collect();
        }
        needs.retain(|need| {
            let lies_on =
                |agent: AgentIx| self.free_on(agent).is_some_and(|free| free.contains(need));
            engine.is_below_limit(role, need) && !engine.agents_with_something().any(lies_on)
        });
        needs
    }

    fn plan(&self, agent: AgentIx, need: &Amounts) -> Option<Plan> {
        let free = self.free_on(agent)?;
        let lacks = |(kind, amount): (KindIx, i64)| (kind, (amount - free.get(kind)).max(0));
        let missing = Amounts::new(need.iter().map(lacks));
        let home = self.home(self.client);
        let mut lower: Vec<_> = self
            .holdings
            .on(agent)
            .map(|(victim, held)| (self.home(victim), victim, held))
            .filter(|(class, ..)| *class > home)
            .collect();
        // Offers before tasks, the lowest class first.
        lower.sort_by_key(|(class, victim, held)| (held.tasks > 0, Reverse(*class), *victim));
        let mut left = missing.clone();
        let (mut kills, mut highest) = (false, Class::MAX);
        let mut victims = Vec::new();
        for (class, victim, held) in lower {
            let has =
                |(kind, left): (KindIx, i64)| (kind, left.min(held.unreserved.get(kind)).max(0));
            let gives = Amounts::new(left.iter().map(has));
            if !gives.is_empty() {
                (kills, highest) = (kills || held.tasks > 0, highest.min(class));
                left.subtract(&gives);
                victims.push((victim, gives));
            }
        }
        if !left.is_empty() || victims.is_empty() {
            return None;
        }
        let share = Dominant::of(&missing, self.engine.kinds());
        let millionths = i128::from(share.held) * 1_000_000 / i128::from(share.total.max(1));
        Some(Plan { harm: (kills, Reverse(highest), millionths), agent, victims })
    }
}
