//! The allocator against a slow model that keeps nothing: it adds everything up anew for each
//! single choice, and takes the lowest share there is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use reeve_allocator_drf::Drf;
use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Free, Grant, KindIx, Reserved, RoleIx, Room,
    Share,
};

const ROLES: [(&str, Option<u32>); 5] =
    [("a", None), ("a/b", Some(0)), ("a/c", Some(0)), ("d", None), ("d/e", Some(3))];
const FRAMEWORKS: u32 = 3;
const AGENTS: u32 = 4;

type Client = (u32, u32);

/// One level of the way to a client: weighted share, grants, name.
type Level = ((i64, i128), u64, String);

#[derive(Debug, Default)]
struct Model {
    weights: BTreeMap<u32, i64>,
    totals: BTreeMap<u32, [i64; 2]>,
    free: BTreeMap<u32, Free>,
    wanted: BTreeSet<Client>,
    blocked: BTreeSet<(Client, u32)>,
    held: BTreeMap<Client, [i64; 2]>,
    grants: BTreeMap<Client, u64>,
    queue: VecDeque<u32>,
}

impl Model {
    fn within(role: u32, above: u32) -> bool {
        role == above || ROLES[role as usize].1.is_some_and(|parent| Self::within(parent, above))
    }

    /// The largest weighted share of what the clients hold together.
    fn share(&self, clients: impl Fn(&Client) -> bool, weight: i64) -> (i64, i128) {
        let mut largest = (0i64, 1i64);
        for kind in 0..2 {
            let all = |of: &BTreeMap<u32, [i64; 2]>| of.values().map(|one| one[kind]).sum::<i64>();
            let total = all(&self.totals);
            let held: i64 = self
                .held
                .iter()
                .filter(|(client, _)| clients(client))
                .map(|(_, held)| held[kind])
                .sum();
            let more = i128::from(held) * i128::from(largest.1)
                > i128::from(largest.0) * i128::from(total);
            if total > 0 && more {
                largest = (held, total);
            }
        }
        (largest.0, i128::from(largest.1) * i128::from(weight))
    }

    fn count(&self, clients: impl Fn(&Client) -> bool) -> u64 {
        self.grants.iter().filter(|(client, _)| clients(client)).map(|(_, count)| count).sum()
    }

    fn way(&self, client: Client) -> Vec<Level> {
        let (framework, role) = client;
        let mut roles = vec![role];
        while let Some(parent) = ROLES[roles[roles.len() - 1] as usize].1 {
            roles.push(parent);
        }
        let mut way: Vec<Level> = Vec::new();
        for &above in roles.iter().rev() {
            let below = |one: &Client| Self::within(one.1, above);
            let weight = self.weights.get(&above).copied().unwrap_or(1000);
            let name = ROLES[above as usize].0.to_owned();
            way.push((self.share(below, weight), self.count(below), name));
        }
        let own = |one: &Client| one.1 == role;
        let name = format!("{}/.", ROLES[role as usize].0);
        way.push((self.share(own, 1000), self.count(own), name));
        let me = |one: &Client| *one == client;
        way.push((self.share(me, 1000), self.count(me), format!("F{framework}")));
        way
    }

    fn compare(&self, a: Client, b: Client) -> Ordering {
        for (one, other) in self.way(a).into_iter().zip(self.way(b)) {
            let shares = (i128::from(one.0.0) * other.0.1).cmp(&(i128::from(other.0.0) * one.0.1));
            let order = shares.then(one.1.cmp(&other.1)).then(one.2.cmp(&other.2));
            if one.2 != other.2 {
                return order;
            }
        }
        Ordering::Equal
    }

    fn queue(&mut self, agent: u32) {
        if !self.queue.contains(&agent) && self.free.get(&agent).is_some_and(|f| !f.is_empty()) {
            self.queue.push_back(agent);
        }
    }

    fn allocate(&mut self) -> Vec<Grant> {
        let mut grants = Vec::new();
        while let Some(agent) = self.queue.pop_front() {
            let mut done = BTreeSet::new();
            while let Some(client) = self.next(agent, &done) {
                done.insert(client);
                let role = client.1;
                let Some(free) = self.free.get_mut(&agent) else { break };
                let taken = free.take(&Share::All, false, |above| Self::within(role, above.0));
                let held = self.held.entry(client).or_default();
                for kind in 0..2u16 {
                    held[usize::from(kind)] += taken.unreserved.get(KindIx(kind));
                    held[usize::from(kind)] += taken.reserved.get(KindIx(kind));
                }
                *self.grants.entry(client).or_default() += 1;
                let (framework, role) = (FrameworkIx(client.0), RoleIx(role));
                grants.push(Grant { framework, role, agent: AgentIx(agent), share: Share::All });
            }
        }
        grants
    }

    fn next(&self, agent: u32, done: &BTreeSet<Client>) -> Option<Client> {
        let free = self.free.get(&agent)?;
        let takes = |client: &&Client| {
            let mut scalars = free.unreserved.clone();
            let reserved = free.reserved.iter();
            reserved
                .filter(|reserved| Self::within(client.1, reserved.role.0))
                .for_each(|reserved| scalars.add(&reserved.amounts));
            scalars.contains(&minimum())
                && !self.blocked.contains(&(**client, agent))
                && !done.contains(client)
        };
        self.wanted.iter().filter(takes).copied().min_by(|&a, &b| self.compare(a, b))
    }
}

fn minimum() -> Amounts {
    Amounts::new([(KindIx(0), 500)])
}

fn amounts(of: [i64; 2]) -> Amounts {
    Amounts::new([(KindIx(0), of[0]), (KindIx(1), of[1])])
}

#[derive(Clone, Debug)]
enum Step {
    Agent { agent: u32, total: [i64; 2], reserved: Option<(u32, i64)> },
    Gone { agent: u32 },
    Demand { client: Client, wanted: bool },
    Block { client: Client, agent: u32, blocked: bool },
    Weight { role: u32, weight: i64 },
    Release { client: Client, agent: u32, part: [i64; 2] },
    Allocate,
}

fn step() -> impl Strategy<Value = Step> {
    let role = 0..ROLES.len() as u32;
    let client = (0..FRAMEWORKS, role.clone());
    let amount = || (0i64..8).prop_map(|units| units * 1000);
    let reserved = proptest::option::of((role.clone(), amount()));
    prop_oneof![
        3 => (0..AGENTS, amount(), amount(), reserved)
            .prop_map(|(agent, a, b, reserved)| Step::Agent { agent, total: [a, b], reserved }),
        1 => (0..AGENTS).prop_map(|agent| Step::Gone { agent }),
        4 => (client.clone(), any::<bool>())
            .prop_map(|(client, wanted)| Step::Demand { client, wanted }),
        2 => (client.clone(), 0..AGENTS, any::<bool>())
            .prop_map(|(client, agent, blocked)| Step::Block { client, agent, blocked }),
        1 => (role, 1i64..5).prop_map(|(role, weight)| Step::Weight { role, weight: weight * 500 }),
        4 => (client, 0..AGENTS, amount(), amount())
            .prop_map(|(client, agent, a, b)| Step::Release { client, agent, part: [a, b] }),
        4 => Just(Step::Allocate),
    ]
}

/// Tells the model what is told to the allocator.
fn tell(model: &mut Model, step: &Step, changes: &mut Vec<Change>) {
    match *step {
        Step::Agent { agent, total, reserved } => {
            let mut reserved_now = Vec::new();
            let mut sum = total;
            if let Some((role, amount)) = reserved.filter(|&(_, amount)| amount > 0) {
                let amounts = amounts([amount, 0]);
                reserved_now.push(Reserved { role: RoleIx(role), amounts });
                sum[0] += amount;
            }
            let unreserved = amounts(total);
            let (reserved, revocable) = (reserved_now, Amounts::default());
            let free =
                Free { unreserved, reserved: reserved.clone().into(), revocable, other: false };
            model.totals.insert(agent, sum);
            model.free.insert(agent, free.clone());
            model.queue.retain(|&queued| queued != agent || !free.is_empty());
            model.queue(agent);
            let (number, id, total) = (AgentIx(agent), format!("S{agent}").into(), amounts(sum));
            let reserved = reserved.into();
            changes.push(Change::Agent { agent: number, id, total, reserved, needs: 0 });
            changes.push(Change::Free { agent: number, free });
        }
        Step::Gone { agent } => {
            model.totals.remove(&agent);
            model.free.remove(&agent);
            model.queue.retain(|&queued| queued != agent);
            model.blocked.retain(|&(_, on)| on != agent);
            changes.push(Change::AgentGone { agent: AgentIx(agent) });
        }
        Step::Demand { client, wanted } => {
            let news = if wanted { model.wanted.insert(client) } else { false };
            if !wanted {
                model.wanted.remove(&client);
            }
            for agent in (0..AGENTS).filter(|_| news) {
                // Who is blocked has nothing to be woken for, and keeps the agent's place.
                if !model.blocked.contains(&(client, agent)) {
                    model.queue(agent);
                }
            }
            let (framework, role) = (FrameworkIx(client.0), RoleIx(client.1));
            changes.push(Change::Demand {
                framework,
                role,
                wanted,
                minimum: vec![minimum()].into(),
            });
        }
        Step::Block { client, agent, blocked } => {
            if !model.totals.contains_key(&agent) {
                return;
            }
            let (framework, role) = (FrameworkIx(client.0), RoleIx(client.1));
            let number = AgentIx(agent);
            if blocked {
                model.blocked.insert((client, agent));
                changes.push(Change::Blocked { framework, role, agent: number });
            } else {
                model.blocked.remove(&(client, agent));
                if model.wanted.contains(&client) {
                    model.queue(agent);
                }
                changes.push(Change::Unblocked { framework, role, agent: number });
            }
        }
        Step::Weight { role, weight } => {
            model.weights.insert(role, weight);
            changes.push(role_change(role, weight));
        }
        Step::Release { client, agent, part } => release(model, client, agent, part, changes),
        Step::Allocate => {}
    }
}

/// Gives back no more than is held, and frees it on the agent.
fn release(
    model: &mut Model,
    client: Client,
    agent: u32,
    part: [i64; 2],
    changes: &mut Vec<Change>,
) {
    let held = model.held.entry(client).or_default();
    let part = [part[0].min(held[0]), part[1].min(held[1])];
    if part == [0, 0] {
        return;
    }
    held[0] -= part[0];
    held[1] -= part[1];
    let (framework, role) = (FrameworkIx(client.0), RoleIx(client.1));
    let (number, reserved) = (AgentIx(agent), Amounts::default());
    let delta = amounts([-part[0], -part[1]]);
    changes.push(Change::Holds { framework, role, agent: number, delta, reserved });
    if let Some(free) = model.free.get_mut(&agent) {
        free.unreserved.add(&amounts(part));
        let free = free.clone();
        changes.push(Change::Free { agent: number, free });
        model.queue(agent);
    }
}

fn role_change(role: u32, weight: i64) -> Change {
    let (name, parent) = ROLES[role as usize];
    Change::Role {
        role: RoleIx(role),
        name: name.into(),
        parent: parent.map(RoleIx).into(),
        weight,
    }
}

fn cluster() -> Vec<Change> {
    let kind =
        |kind, name: &str| Change::Kind { kind: KindIx(kind), name: name.into(), excluded: false };
    let mut changes = vec![kind(0, "cpus"), kind(1, "mem")];
    changes.extend((0..ROLES.len() as u32).map(|role| role_change(role, 1000)));
    changes.extend((0..FRAMEWORKS).map(|framework| Change::Framework {
        framework: FrameworkIx(framework),
        id: format!("F{framework}").into(),
        has: 0,
        labels: Default::default(),
    }));
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn grants_are_those_of_progressive_filling(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut model, mut drf) = (Model::default(), Drf::default());
        drf.apply(&cluster());
        let mut changes = Vec::new();
        for step in steps.into_iter().chain([Step::Allocate]) {
            tell(&mut model, &step, &mut changes);
            if !matches!(step, Step::Allocate) {
                continue;
            }
            drf.apply(&std::mem::take(&mut changes));
            let mut room = Room { budget: 1000, ..Room::default() };
            prop_assert!(!drf.allocate(Duration::ZERO, &mut room));
            prop_assert_eq!(room.grants.as_slice(), model.allocate());
        }
    }
}
