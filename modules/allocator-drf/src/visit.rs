//! One visit of one agent: who gets what of it. The two stages are Mesos's: first the roles below
//! their quota guarantee, then everybody by fair share.

use reeve_module_sdk::allocator::{
    AgentIx, Amounts, Free, Grant, RoleIx, Room, Share, TAKES_REVOCABLE,
};

use crate::drf::{Booked, Drf};
use crate::tree::OWN;

/// Which of the two stages a visit is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Guarantees,
    FairShares,
}

/// The visit of one agent.
#[derive(Debug)]
struct Visit {
    free: Free,
    stage: Stage,
    /// Candidates not met yet; at zero the walk ends.
    left: usize,
    /// Whether quota kept somebody from taking all that is free.
    held_back: bool,
}

/// What a role may have of the agent, whichever of its clients takes it.
#[derive(Debug)]
struct Portion {
    share: Share,
    /// All scalars that come with it.
    scalars: Amounts,
    /// The same with the revocable ones.
    with_revocable: Amounts,
    other: bool,
}

impl Portion {
    fn suits(&self, minimum: &[Amounts], revocable: bool) -> bool {
        let scalars = if revocable { &self.with_revocable } else { &self.scalars };
        if minimum.is_empty() {
            return self.other || !scalars.is_empty();
        }
        minimum.iter().any(|all| scalars.contains(all))
    }
}

impl Drf {
    /// Visits what is queued and, if quota has loosened, what it held back, within the budget.
    pub(crate) fn visit_agents(&mut self, room: &mut Room) -> bool {
        self.booked.clear();
        room.grants.clear();
        let mut visits = 0;
        while visits < room.budget {
            let Some(agent) = self.next_agent() else { return false };
            self.visit(agent, room);
            visits += 1;
        }
        self.agents.has_queued() || self.quotas.has_loosened()
    }

    fn next_agent(&mut self) -> Option<AgentIx> {
        if let Some(agent) = self.agents.next_queued() {
            return Some(agent);
        }
        if !self.quotas.has_loosened() {
            return None;
        }
        let next = self.agents.next_held_back();
        if next.is_none() {
            self.quotas.settle();
        }
        next
    }

    fn visit(&mut self, at: AgentIx, room: &mut Room) {
        let Some(agent) = self.agents.get_mut(at) else { return };
        let candidates = &mut self.candidates;
        let left = candidates.assign_difference(&self.tree.wanting, &agent.blocked);
        let needs = agent.needs;
        let free = std::mem::take(&mut agent.free);
        let mut visit = Visit { free, stage: Stage::Guarantees, left, held_back: false };
        if needs != 0 {
            self.leave_out_unfit(needs, &mut visit);
        }
        if self.quotas.any_shortfall() {
            self.grant_all(at, &mut visit, room);
        }
        visit.stage = Stage::FairShares;
        self.grant_all(at, &mut visit, room);
        if let Some(agent) = self.agents.get_mut(at) {
            agent.free = visit.free;
        }
        self.agents.rest(at, visit.held_back);
    }

    fn leave_out_unfit(&mut self, needs: u32, visit: &mut Visit) {
        let unfit = |slot: &u32| self.tree.clients[*slot as usize].has & needs != needs;
        let unfit: Vec<u32> = self.candidates.iter().filter(unfit).collect();
        visit.left -= unfit.len();
        unfit.into_iter().for_each(|slot| self.candidates.clear(slot));
    }

    /// Grants until nobody takes anything more. The walk starts anew after each grant, because it
    /// has changed the order.
    fn grant_all(&mut self, at: AgentIx, visit: &mut Visit, room: &mut Room) {
        let mut candidates = visit.left;
        while candidates > 0 && !visit.free.is_empty() {
            visit.left = candidates;
            let Some((slot, share)) = self.next_taker(None, visit) else { break };
            self.grant(at, slot, share, visit, room);
            self.candidates.clear(slot);
            candidates -= 1;
        }
        visit.left = candidates;
    }

    /// The first client in order below a role, or below the root, that can take something.
    fn next_taker(&mut self, below: Option<RoleIx>, visit: &mut Visit) -> Option<(u32, Share)> {
        self.tree.refresh_children(below, &self.kinds);
        for place in 0..self.tree.children(below).len() {
            if visit.left == 0 {
                return None;
            }
            let child = self.tree.children(below).get(place)?;
            let taker = match (below, child) {
                (Some(role), OWN) => self.taker_in(role, visit),
                (_, child) => {
                    let role = RoleIx(child);
                    let passed_by = visit.stage == Stage::Guarantees
                        && below.is_none()
                        && self.quotas.shortfall(role).is_none();
                    if passed_by {
                        continue;
                    }
                    self.next_taker(Some(role), visit)
                }
            };
            if taker.is_some() {
                return taker;
            }
        }
        None
    }

    fn taker_in(&mut self, role: RoleIx, visit: &mut Visit) -> Option<(u32, Share)> {
        let portion = self.portion(role, visit)?;
        self.tree.refresh_clients(role, &self.kinds);
        let clients = self.tree.clients_of(role);
        // Neighbours mostly ask for the same minimum: it is judged once for all of them.
        let mut last: Option<(&[Amounts], bool, bool)> = None;
        for slot in clients.iter() {
            if !self.candidates.has(slot) {
                continue;
            }
            let client = &self.tree.clients[slot as usize];
            let revocable = client.has & TAKES_REVOCABLE != 0;
            let suits = match last {
                Some((minimum, r, suits)) if r == revocable && *minimum == *client.minimum => suits,
                _ => portion.suits(&client.minimum, revocable),
            };
            if suits {
                return Some((slot, portion.share));
            }
            last = Some((&client.minimum, revocable, suits));
            visit.left = visit.left.saturating_sub(1);
            if visit.left == 0 {
                return None;
            }
        }
        None
    }

    /// What the role may have of what is free, `None` if that is nothing.
    fn portion(&self, role: RoleIx, visit: &mut Visit) -> Option<Portion> {
        let free = &visit.free;
        let guaranteed = visit.stage == Stage::Guarantees;
        let mut scalars = free.unreserved.clone();
        let mut share = Share::All;
        let top = self.tree.top_of(role);
        if let Some(most) = self.quotas.cap(top, &free.unreserved, guaranteed) {
            visit.held_back = true;
            scalars = most.clone();
            share = Share::UpTo(most);
        }
        if guaranteed {
            let lacks = self.quotas.shortfall(top)?;
            if !lacks.iter().any(|(kind, _)| scalars.get(kind) > 0) {
                return None;
            }
        }
        for reserved in &free.reserved {
            if self.tree.is_within(role, reserved.role) {
                scalars.add(&reserved.amounts);
            }
        }
        if scalars.is_empty() && !free.other && free.revocable.is_empty() {
            return None;
        }
        let mut with_revocable = scalars.clone();
        with_revocable.add(&free.revocable);
        Some(Portion { share, scalars, with_revocable, other: free.other })
    }

    fn grant(&mut self, at: AgentIx, slot: u32, share: Share, visit: &mut Visit, room: &mut Room) {
        let client = &self.tree.clients[slot as usize];
        let (framework, role) = (client.framework, client.role);
        let revocable = client.has & TAKES_REVOCABLE != 0;
        let tree = &self.tree;
        let taken = visit.free.take(&share, revocable, |r| tree.is_within(role, r));
        let mut delta = taken.unreserved.clone();
        delta.add(&taken.reserved);
        self.quotas.freed(&taken.unreserved, &Amounts::default());
        self.hold(slot, &delta, &taken.reserved, true);
        self.booked.push(Booked { client: slot, taken });
        room.grants.push(Grant { framework, role, agent: at, share });
    }
}
