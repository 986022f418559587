//! A scripted cluster: a tiny host and frameworks that play by a script, for tests and benchmarks
//! of allocators. It holds every grant against the books, as the host does, and stops with a
//! message where one is not lawful.
//!
//! A framework takes one task's worth out of each offer that is large enough, and gives the rest
//! back at once; what is too small it declines, and is not asked again about that agent until more
//! is free there than it declined, or the filter ends.

pub mod bench;

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Free, Grant, KindIx, Label, Reclaim, RoleIx,
    Room,
};

/// How long a framework does not want to hear of what it declined.
const FILTER: Duration = Duration::from_secs(5);

/// Rounds without a change of time after which an allocator is said not to come to rest.
const ROUNDS: usize = 1_000_000;

/// What a framework does.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The role it is in.
    pub role: &'static str,
    /// What each of its tasks needs, in units, by kind.
    pub task: Vec<i64>,
    /// How many tasks it wants to have.
    pub most: usize,
    /// Its labels.
    pub labels: Vec<(&'static str, &'static str)>,
    /// Whether it says with its demand that it takes nothing smaller than a task.
    pub says_minimum: bool,
}

#[derive(Debug)]
struct Player {
    script: Script,
    role: RoleIx,
    task: Amounts,
    wanted: bool,
}

#[derive(Debug, Default)]
struct Agent {
    free: Amounts,
    /// Who runs tasks here, the youngest last, and when each must end.
    tasks: Vec<(FrameworkIx, Option<Duration>)>,
    /// What was declined, by whom, and until when.
    refused: BTreeMap<FrameworkIx, (Amounts, Duration)>,
}

/// The cluster.
#[derive(Debug)]
pub struct Rehearsal<A> {
    /// The allocator.
    pub allocator: A,
    /// The time.
    pub now: Duration,
    /// All that the allocator wanted back so far.
    pub reclaims: Vec<Reclaim>,
    /// How many offers were made.
    pub offers: usize,
    roles: Vec<&'static str>,
    players: Vec<Player>,
    agents: Vec<Agent>,
    changes: Vec<Change>,
    wake: Option<Duration>,
    room: Room,
}

fn amounts(units: &[i64]) -> Amounts {
    Amounts::new((0u16..).map(KindIx).zip(units.iter().map(|units| units * 1000)))
}

fn negative(amounts: &Amounts) -> Amounts {
    let mut negative = Amounts::default();
    negative.subtract(amounts);
    negative
}

// === Setting the stage ===

impl<A: Allocator> Rehearsal<A> {
    /// An empty cluster with these scalar resources.
    pub fn new(allocator: A, kinds: &[&str]) -> Self {
        let kind = |(kind, name): (u16, &&str)| Change::Kind {
            kind: KindIx(kind),
            name: (*name).into(),
            excluded: false,
        };
        Self {
            allocator,
            now: Duration::ZERO,
            reclaims: Vec::new(),
            offers: 0,
            roles: Vec::new(),
            players: Vec::new(),
            agents: Vec::new(),
            changes: (0u16..).zip(kinds).map(kind).collect(),
            wake: None,
            room: Room::default(),
        }
    }

    /// A role with its weight in thousandths; its parents must be there.
    pub fn role(&mut self, name: &'static str, weight: i64) -> RoleIx {
        let number = |name: &str| self.roles.iter().position(|known| *known == name);
        let parent = name.rsplit_once('/').and_then(|(parent, _)| number(parent));
        let role = number(name).unwrap_or(self.roles.len());
        if role == self.roles.len() {
            self.roles.push(name);
        }
        let (role, parent) = (RoleIx(role as u32), parent.map(|parent| RoleIx(parent as u32)));
        let (name, parent) = (name.into(), parent.into());
        self.changes.push(Change::Role { role, name, parent, weight });
        role
    }

    /// An agent with so many units of each kind.
    pub fn agent(&mut self, units: &[i64]) -> AgentIx {
        let agent = AgentIx(self.agents.len() as u32);
        let total = amounts(units);
        self.agents.push(Agent { free: total.clone(), ..Agent::default() });
        let (id, reserved) = (format!("S{}", agent.0).into(), Default::default());
        self.changes.push(Change::Agent { agent, id, total, reserved, needs: 0 });
        self.tell_free(agent);
        agent
    }

    /// A framework; a role that is not there yet has weight 1.
    pub fn framework(&mut self, script: Script) -> FrameworkIx {
        let known = self.roles.iter().position(|known| *known == script.role);
        let role = match known {
            Some(role) => RoleIx(role as u32),
            None => self.role(script.role, 1000),
        };
        let framework = FrameworkIx(self.players.len() as u32);
        let label = |&(key, value): &(&str, &str)| Label { key: key.into(), value: value.into() };
        self.changes.push(Change::Framework {
            framework,
            id: format!("F{:04}", framework.0).into(),
            has: 0,
            labels: script.labels.iter().map(label).collect(),
        });
        let task = amounts(&script.task);
        self.players.push(Player { script, role, task, wanted: false });
        self.tell_demand(framework);
        framework
    }

    /// From now on a framework wants to have so many tasks.
    pub fn want(&mut self, framework: FrameworkIx, most: usize) {
        self.players[framework.0 as usize].script.most = most;
        self.tell_demand(framework);
    }

    /// So many tasks of a framework end, wherever they are.
    pub fn finish(&mut self, framework: FrameworkIx, count: usize) {
        for _ in 0..count {
            let of = |agent: &Agent| agent.tasks.iter().position(|(owner, _)| *owner == framework);
            let Some((at, task)) =
                self.agents.iter().enumerate().find_map(|(at, agent)| Some((at, of(agent)?)))
            else {
                return;
            };
            self.end(AgentIx(at as u32), task);
        }
    }

    /// How many tasks a framework has.
    pub fn tasks(&self, framework: FrameworkIx) -> usize {
        let all = self.agents.iter().flat_map(|agent| &agent.tasks);
        all.filter(|(owner, _)| *owner == framework).count()
    }

    /// What is free on an agent.
    pub fn free(&self, agent: AgentIx) -> &Amounts {
        &self.agents[agent.0 as usize].free
    }

    /// Why a framework has no offer.
    pub fn explain(&self, framework: FrameworkIx) -> Vec<String> {
        self.allocator.explain(framework, self.players[framework.0 as usize].role)
    }
}

// === Playing ===

impl<A: Allocator> Rehearsal<A> {
    /// Lets time pass, and everybody do what is due.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        while let Some(next) = self.next_due().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            self.end_what_is_due();
            self.settle();
        }
        self.now = end;
    }

    /// Asks the allocator until nothing changes any more at this time.
    pub fn settle(&mut self) {
        for _ in 0..ROUNDS {
            self.allocator.apply(&std::mem::take(&mut self.changes));
            let mut room = std::mem::take(&mut self.room);
            room.budget = 1024;
            room.grants.clear();
            room.reclaims.clear();
            room.wake_after = 0;
            let more = self.allocator.allocate(self.now, &mut room);
            self.play(&room.grants);
            room.reclaims.iter().for_each(|reclaim| self.take_back(reclaim));
            let after = Some(room.wake_after).filter(|&after| after > 0);
            self.wake = after.map(|after| self.now + Duration::from_nanos(after));
            self.room = room;
            if !more && self.changes.is_empty() {
                return;
            }
        }
        assert!(self.changes.is_empty(), "the allocator does not come to rest");
    }

    fn next_due(&self) -> Option<Duration> {
        let agents = self.agents.iter();
        let due = agents.flat_map(|agent| {
            let filters = agent.refused.values().map(|(_, until)| *until);
            filters.chain(agent.tasks.iter().filter_map(|(_, end)| *end))
        });
        due.chain(self.wake).min()
    }

    fn end_what_is_due(&mut self) {
        if self.wake.is_some_and(|wake| wake <= self.now) {
            self.wake = None;
        }
        for at in 0..self.agents.len() {
            let agent = AgentIx(at as u32);
            let now = self.now;
            let due = |end: &Option<Duration>| end.is_some_and(|end| end <= now);
            while let Some(task) = self.agents[at].tasks.iter().position(|(_, end)| due(end)) {
                self.end(agent, task);
            }
            self.unblock(agent, |_, until, now| until <= now);
        }
    }

    fn unblock(&mut self, agent: AgentIx, gone: impl Fn(&Amounts, Duration, Duration) -> bool) {
        let known = &mut self.agents[agent.0 as usize];
        let now = self.now;
        let (players, changes) = (&self.players, &mut self.changes);
        known.refused.retain(|&framework, (refused, until)| {
            let ends = gone(refused, *until, now);
            if ends {
                let role = players[framework.0 as usize].role;
                changes.push(Change::Unblocked { framework, role, agent });
            }
            !ends
        });
    }

    fn tell_free(&mut self, agent: AgentIx) {
        let unreserved = self.agents[agent.0 as usize].free.clone();
        let now_free = unreserved.clone();
        self.unblock(agent, |refused, _, _| !refused.contains(&now_free));
        let free = Free { unreserved, ..Free::default() };
        self.changes.push(Change::Free { agent, free });
    }

    fn tell_demand(&mut self, framework: FrameworkIx) {
        let has = self.tasks(framework);
        let player = &mut self.players[framework.0 as usize];
        let wanted = has < player.script.most;
        if wanted == player.wanted {
            return;
        }
        player.wanted = wanted;
        let minimum = player.script.says_minimum.then(|| player.task.clone());
        let (role, minimum) = (player.role, minimum.into_iter().collect());
        self.changes.push(Change::Demand { framework, role, wanted, minimum });
    }

    fn tell_tasks(&mut self, framework: FrameworkIx, agent: AgentIx) {
        let tasks = self.agents[agent.0 as usize].tasks.iter();
        let count = tasks.filter(|(owner, _)| *owner == framework).count() as u32;
        let role = self.players[framework.0 as usize].role;
        self.changes.push(Change::Tasks { framework, role, agent, count });
    }

    fn tell_holds(&mut self, framework: FrameworkIx, agent: AgentIx, delta: Amounts) {
        let (role, reserved) = (self.players[framework.0 as usize].role, Amounts::default());
        self.changes.push(Change::Holds { framework, role, agent, delta, reserved });
    }

    /// All offers of a round are out before the first is answered.
    fn play(&mut self, grants: &[Grant]) {
        let offered: Vec<Amounts> = grants.iter().map(|grant| self.offer(grant)).collect();
        let declined: Vec<bool> = grants
            .iter()
            .zip(&offered)
            .map(|(grant, amounts)| self.answer(grant, amounts))
            .collect();
        for ((grant, refused), declined) in grants.iter().zip(offered).zip(declined) {
            let Grant { framework, role, agent, .. } = *grant;
            let known = &mut self.agents[agent.0 as usize];
            // Larger offers are welcome.
            if declined && refused.contains(&known.free) {
                known.refused.insert(framework, (refused, self.now + FILTER));
                self.changes.push(Change::Blocked { framework, role, agent });
            }
        }
    }

    /// Cuts an offer.
    fn offer(&mut self, grant: &Grant) -> Amounts {
        let Grant { framework, role, agent, ref share } = *grant;
        self.offers += 1;
        let known = &mut self.agents[agent.0 as usize];
        let player = &self.players[framework.0 as usize];
        assert!(player.role == role && player.wanted, "{framework:?} does not want {grant:?}");
        assert!(!known.refused.contains_key(&framework), "{framework:?} declined {agent:?}");
        let unreserved = std::mem::take(&mut known.free);
        let mut free = Free { unreserved, ..Free::default() };
        let taken = free.take(share, false, |_| false).unreserved;
        known.free = free.unreserved;
        assert!(!taken.is_empty(), "an offer of nothing: {grant:?}");
        taken
    }

    /// Takes a task's worth of an offer and gives back the rest. Returns whether that is all.
    fn answer(&mut self, grant: &Grant, taken: &Amounts) -> bool {
        let Grant { framework, agent, .. } = *grant;
        let player = &self.players[framework.0 as usize];
        let (task, most) = (player.task.clone(), player.script.most);
        let mut rest = taken.clone();
        let takes = taken.contains(&task) && self.tasks(framework) < most;
        if takes {
            rest.subtract(&task);
            self.agents[agent.0 as usize].tasks.push((framework, None));
            self.tell_tasks(framework, agent);
        }
        if !rest.is_empty() {
            self.agents[agent.0 as usize].free.add(&rest);
            self.tell_holds(framework, agent, negative(&rest));
            self.tell_free(agent);
        }
        self.tell_demand(framework);
        !takes
    }

    /// Tasks of the framework there end after the grace, the youngest first.
    fn take_back(&mut self, reclaim: &Reclaim) {
        self.reclaims.push(reclaim.clone());
        let task = self.players[reclaim.framework.0 as usize].task.clone();
        let end = self.now + Duration::from_nanos(reclaim.grace);
        let tasks = self.agents[reclaim.agent.0 as usize].tasks.iter_mut().rev();
        let mut back = Amounts::default();
        for (_, ends) in tasks.filter(|(owner, ends)| *owner == reclaim.framework && ends.is_none())
        {
            if back.contains(&reclaim.amounts) {
                return;
            }
            *ends = Some(end);
            back.add(&task);
        }
        assert!(back.contains(&reclaim.amounts), "there is less than {reclaim:?}");
    }

    fn end(&mut self, agent: AgentIx, task: usize) {
        let known = &mut self.agents[agent.0 as usize];
        let (framework, _) = known.tasks.remove(task);
        let task = self.players[framework.0 as usize].task.clone();
        known.free.add(&task);
        self.tell_holds(framework, agent, negative(&task));
        self.tell_tasks(framework, agent);
        self.tell_free(agent);
        self.tell_demand(framework);
    }
}
