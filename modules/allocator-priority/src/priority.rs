//! The allocator as the host sees it: the engine, and around it waits, ageing and preemption.

use std::collections::BTreeSet;
use std::time::Duration;

use reeve_allocation_engine::{Class, Engine, Options, Policy};
use reeve_module_sdk::allocator::{AgentIx, Allocator, Amounts, Change, FrameworkIx, RoleIx, Room};

use crate::classes::{Classes, Client};
use crate::holdings::Holdings;
use crate::preemption::{Claims, Wanted};
use crate::settings::Settings;
use crate::waits::{Wait, Waits};

/// After that many claims in vain the time between them grows no more.
const MOST_DOUBLINGS: u32 = 10;

/// Nobody is looked at for a claim more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Strict classes, dominant resource fairness inside each.
#[derive(Debug)]
pub struct Priority {
    settings: Settings,
    engine: Engine<Classes>,
    waits: Waits,
    holdings: Holdings,
    claims: Claims,
    /// Those for whom something may be taken back, the highest class first.
    needy: BTreeSet<(Class, Client)>,
    /// What the last round granted, by place.
    granted: Vec<(Client, AgentIx, Amounts)>,
    now: Duration,
}

impl Priority {
    /// An allocator that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            engine: Engine::new(Classes::new(settings.clone()), Options::default()),
            settings,
            waits: Waits::default(),
            holdings: Holdings::default(),
            claims: Claims::default(),
            needy: BTreeSet::new(),
            granted: Vec::new(),
            now: Duration::ZERO,
        }
    }

    /// Whether waits matter.
    fn watches(&self) -> bool {
        !self.settings.ageing.is_zero() || self.settings.preemption.is_some()
    }

    fn home(&self, client: Client) -> Class {
        self.engine.policy().home_of(client.0, client.1)
    }

    fn hold(&mut self, client: Client, agent: AgentIx, delta: &Amounts, reserved: &Amounts) {
        let mut unreserved = delta.clone();
        unreserved.subtract(reserved);
        self.holdings.hold(agent, client, &unreserved);
        if delta.iter().any(|(_, amount)| amount < 0) {
            if self.claims.returned(agent, client, &unreserved) {
                self.engine.release(agent);
            }
            self.waits.returned(client, agent, delta);
        }
    }

    fn take_in(&mut self, change: &Change) {
        match change {
            Change::Demand { framework, role, wanted, .. } => {
                self.waits.want((*framework, *role), *wanted);
            }
            Change::FrameworkGone { framework } => self.waits.forget(*framework),
            Change::AgentGone { agent } => self.claims.forget(*agent),
            Change::Holds { framework, role, agent, delta, reserved } => {
                self.hold((*framework, *role), *agent, delta, reserved);
            }
            Change::Tasks { framework, role, agent, count } => {
                let client = (*framework, *role);
                if self.holdings.set_tasks(*agent, client, *count) {
                    self.waits.undone(client, *agent);
                    self.waits.served(client);
                }
            }
            Change::Undone { grant } => {
                let Some((client, agent, unreserved)) = self.granted.get_mut(*grant) else {
                    return;
                };
                let mut less = Amounts::default();
                less.subtract(&std::mem::take(unreserved));
                self.holdings.hold(*agent, *client, &less);
                self.waits.undone(*client, *agent);
            }
            _ => {}
        }
    }

    /// Those who no longer wait go back to their own class.
    fn bring_home(&mut self) {
        for client in self.waits.take_ended() {
            self.engine.policy_mut().set_risen(client, 0);
            self.engine.reclass(client.0, client.1);
        }
    }

    fn schedule(&mut self, now: Duration) {
        let (settings, engine) = (&self.settings, &self.engine);
        let patience = settings.preemption.map(|rules| rules.patience).unwrap_or_default();
        self.waits.schedule(now, patience, |client, wait| next_due(client, wait, settings, engine));
    }

    /// What is due by time: rises at once, claims once the engine has granted what it can.
    fn do_what_is_due(&mut self, now: Duration) {
        for client in self.waits.take_due(now) {
            let home = self.home(client);
            let Some(wait) = self.waits.get_mut(client) else { continue };
            let Some(since) = wait.since() else { continue };
            if self.settings.preemption.is_some() && wait.next_claim <= now {
                self.needy.insert((home, client));
            }
            if self.settings.ageing.is_zero() {
                continue;
            }
            let rises = (now - since).as_nanos() / self.settings.ageing.as_nanos();
            let rises = usize::try_from(rises).unwrap_or(home).min(home);
            if rises > wait.risen {
                wait.risen = rises;
                self.engine.policy_mut().set_risen(client, rises);
                self.engine.reclass(client.0, client.1);
            }
        }
    }

    fn book(&mut self, room: &Room) {
        self.granted.clear();
        for (grant, taken) in room.grants.iter().zip(self.engine.taken()) {
            let client = (grant.framework, grant.role);
            self.granted.push((client, grant.agent, taken.unreserved.clone()));
            self.holdings.hold(grant.agent, client, &taken.unreserved);
            let mut all = taken.unreserved.clone();
            all.add(&taken.reserved);
            self.waits.offered(client, grant.agent, all);
        }
    }

    fn take_back(&mut self, now: Duration, room: &mut Room) {
        let Some(rules) = self.settings.preemption else { return };
        // What was offered just now has not been answered yet.
        let offered: BTreeSet<AgentIx> = self.granted.iter().map(|(_, at, _)| *at).collect();
        for (_, client) in std::mem::take(&mut self.needy) {
            let Some(wait) = self.waits.get_mut(client) else { continue };
            if wait.since().is_none() || wait.next_claim > now {
                continue;
            }
            let (engine, holdings) = (&self.engine, &self.holdings);
            let wanted = Wanted { client, declined: &wait.declined, engine, holdings };
            let reclaims = self.claims.claim(&wanted, &offered, rules, now);
            let pause = match (reclaims.is_empty(), offered.is_empty()) {
                // Each claim that does not end the wait makes the next one come later.
                (false, _) => {
                    (rules.patience + rules.grace) * (1 << wait.claims.min(MOST_DOUBLINGS))
                }
                (true, false) => SHORTEST_PAUSE,
                (true, true) => rules.patience,
            };
            if let Some(reclaim) = reclaims.first() {
                wait.claims += 1;
                self.engine.withhold(reclaim.agent);
            }
            wait.next_claim = now + pause.max(SHORTEST_PAUSE);
            room.reclaims.extend(reclaims);
        }
    }

    fn class_sentences(&self, client: Client) -> Vec<String> {
        let policy = self.engine.policy();
        let home = policy.class_name(self.home(client));
        let Some(since) = self.waits.get(client).and_then(Wait::since) else {
            return vec![format!("it is in class {home}")];
        };
        let waited = self.now.saturating_sub(since).as_secs();
        let mut sentences = vec![match policy.class_of(client.0, client.1) {
            class if class < self.home(client) => {
                let risen = policy.class_name(class);
                format!("it is of class {home}, has waited {waited} s, and stands in class {risen}")
            }
            _ => format!("it is in class {home} and has waited {waited} s"),
        }];
        let claims = self.waits.get(client).map_or(0, |wait| wait.claims);
        if claims > 0 {
            sentences.push(format!("lower classes were asked {claims} times to give way to it"));
        }
        if self.claims.len() > 0 {
            let agents = self.claims.len();
            sentences.push(format!(
                "{agents} agents are offered to nobody until all has come back that was claimed there"
            ));
        }
        sentences
    }
}

fn next_due(
    client: Client,
    wait: &Wait,
    settings: &Settings,
    engine: &Engine<Classes>,
) -> Option<Duration> {
    let since = wait.since()?;
    let home = engine.policy().home_of(client.0, client.1);
    let steps = u32::try_from(wait.risen + 1).unwrap_or(u32::MAX);
    let rises = !settings.ageing.is_zero() && wait.risen < home;
    let rise = rises.then(|| since.saturating_add(settings.ageing.saturating_mul(steps)));
    let claims = settings.preemption.is_some() && home + 1 < settings.classes.len();
    rise.into_iter().chain(claims.then_some(wait.next_claim)).min()
}

impl Allocator for Priority {
    fn apply(&mut self, changes: &[Change]) {
        if self.watches() {
            changes.iter().for_each(|change| self.take_in(change));
        }
        self.engine.apply(changes);
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        self.now = now;
        if !self.watches() {
            return self.engine.allocate(now, room);
        }
        self.bring_home();
        for agent in self.claims.expire(now) {
            self.engine.release(agent);
        }
        self.schedule(now);
        self.do_what_is_due(now);
        let more = self.engine.allocate(now, room);
        self.book(room);
        if !more {
            self.take_back(now, room);
        }
        self.schedule(now);
        let due = self.waits.next_due().into_iter().chain(self.claims.next_end()).min();
        let wait = due.map(|due| due.saturating_sub(now).as_nanos().max(1));
        room.wake_after = wait.map_or(0, |wait| u64::try_from(wait).unwrap_or(u64::MAX));
        more
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        let mut sentences = self.engine.explain(framework, role);
        sentences.extend(self.class_sentences((framework, role)));
        sentences
    }
}
