//! One visit of one agent: who gets what of it. Two stages are Mesos's: first the roles below their
//! quota guarantee, then everybody by fair share. Where offers are no larger than fair shares, those
//! below theirs come in between. Each stage goes through the classes from the highest.

use reeve_module_sdk::allocator::{
    AgentIx, Amounts, Free, Grant, KindIx, RoleIx, Room, Share, TAKES_REVOCABLE,
};

use crate::engine::{Booked, Engine, Offer};
use crate::policy::{Class, Policy};
use crate::tree::{Client, OWN, Offered};

/// Which stage a visit is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Guarantees,
    BelowShares,
    FairShares,
}

/// The visit of one agent.
#[derive(Debug)]
struct Visit {
    free: Free,
    stage: Stage,
    /// Candidates not met yet; at zero the walk ends.
    left: usize,
    /// Whether quota or a reserve kept somebody from taking all that is free.
    held_back: bool,
}

/// What a role may have of the agent, whichever of its clients of one class takes it.
#[derive(Clone, Debug)]
struct Portion {
    share: Share,
    /// All scalars that come with it.
    scalars: Amounts,
    /// The same with the revocable ones.
    with_revocable: Amounts,
    other: bool,
}

impl Portion {
    /// The same with no more of the unreserved `free` than `most`, where that names the kind.
    fn narrowed(&self, free: &Amounts, most: &Amounts, divided: &Amounts) -> Self {
        let upto = Amounts::new(free.iter().map(|(kind, free)| {
            let has = self.has_of(kind, free);
            (kind, if divided.get(kind) > 0 { has.min(most.get(kind)) } else { has })
        }));
        let mut less =
            Amounts::new(free.iter().map(|(kind, free)| (kind, self.has_of(kind, free))));
        less.subtract(&upto);
        let mut narrowed = self.clone();
        narrowed.scalars.subtract(&less);
        narrowed.with_revocable.subtract(&less);
        narrowed.share = Share::UpTo(upto);
        narrowed
    }

    fn has_of(&self, kind: KindIx, free: i64) -> i64 {
        match &self.share {
            Share::All => free,
            Share::UpTo(most) => most.get(kind),
        }
    }

    fn suits(&self, minimum: &[Amounts], revocable: bool) -> bool {
        let scalars = if revocable { &self.with_revocable } else { &self.scalars };
        if minimum.is_empty() {
            return self.other || !scalars.is_empty();
        }
        minimum.iter().any(|all| scalars.contains(all))
    }
}

impl<P: Policy> Engine<P> {
    /// Visits what is queued and, if quota has loosened, what it held back, within the budget.
    pub(crate) fn visit_agents(&mut self, room: &mut Room) -> bool {
        self.booked.clear();
        room.grants.clear();
        room.reclaims.clear();
        room.wake_after = 0;
        let mut visits = 0;
        while visits < room.budget {
            let Some(agent) = self.next_agent() else { return false };
            self.visit(agent, room);
            visits += 1;
        }
        self.agents.has_queued() || self.has_loosened()
    }

    fn next_agent(&mut self) -> Option<AgentIx> {
        if let Some(agent) = self.agents.next_queued() {
            return Some(agent);
        }
        if !self.has_loosened() {
            return None;
        }
        let next = self.agents.next_held_back();
        if next.is_none() {
            self.quotas.settle();
        }
        next
    }

    fn has_loosened(&mut self) -> bool {
        self.quotas.has_loosened(self.reserves.are_set())
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
        if self.options.offer == Offer::Share && visit.left > 1 {
            self.portions.divide(&self.candidates, &self.tree);
            visit.stage = Stage::BelowShares;
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
            let Some((slot, share)) = self.first_taker(visit) else { break };
            self.grant(at, slot, share, visit, room);
            self.candidates.clear(slot);
            candidates -= 1;
        }
        visit.left = candidates;
    }

    /// The first client in order that can take something.
    fn first_taker(&mut self, visit: &mut Visit) -> Option<(u32, Share)> {
        (0..self.tree.classes()).find_map(|class| self.next_taker(class, None, visit))
    }

    /// The first client of a class in order below a role, or below the root.
    fn next_taker(
        &mut self,
        class: Class,
        below: Option<RoleIx>,
        visit: &mut Visit,
    ) -> Option<(u32, Share)> {
        self.tree.refresh_children(class, below, &self.scale);
        for place in 0..self.tree.children(class, below).len() {
            if visit.left == 0 {
                return None;
            }
            let child = self.tree.children(class, below).get(place)?;
            let taker = match (below, child) {
                (Some(role), OWN) => self.taker_in(class, role, visit),
                (_, child) => {
                    let role = RoleIx(child);
                    let passed_by = visit.stage == Stage::Guarantees
                        && below.is_none()
                        && self.quotas.shortfall(role).is_none();
                    if passed_by {
                        continue;
                    }
                    self.next_taker(class, Some(role), visit)
                }
            };
            if taker.is_some() {
                return taker;
            }
        }
        None
    }

    fn taker_in(&mut self, class: Class, role: RoleIx, visit: &mut Visit) -> Option<(u32, Share)> {
        // Mostly all clients are at home in the class that they stand in.
        let mut home = class;
        let mut portion = self.portion(home, role, visit);
        if portion.is_none() && !self.reserves.are_set() {
            return None;
        }
        self.tree.refresh_clients(class, role, &self.scale);
        // Neighbours mostly ask for the same minimum: it is judged once for all of them.
        let mut last: Option<(&[Amounts], bool, bool)> = None;
        for slot in self.tree.clients_of(class, role).iter() {
            if !self.candidates.has(slot) {
                continue;
            }
            let client = &self.tree.clients[slot as usize];
            if client.home != home {
                home = client.home;
                (portion, last) = (self.portion(home, role, visit), None);
            }
            let revocable = client.has & TAKES_REVOCABLE != 0;
            let taken = match &portion {
                None => None,
                Some(portion) if visit.stage == Stage::BelowShares => {
                    self.up_to_its_share(slot, client, portion, visit)
                }
                Some(portion) => {
                    let suits = match last {
                        Some((minimum, r, suits))
                            if r == revocable && *minimum == *client.minimum =>
                        {
                            suits
                        }
                        _ => portion.suits(&client.minimum, revocable),
                    };
                    last = Some((&client.minimum, revocable, suits));
                    suits.then(|| portion.share.clone())
                }
            };
            if let Some(share) = taken {
                return Some((slot, share));
            }
            visit.left = visit.left.saturating_sub(1);
            if visit.left == 0 {
                return None;
            }
        }
        None
    }

    /// As much of the portion as brings the client to its fair share, if that is enough for it.
    fn up_to_its_share(
        &self,
        slot: u32,
        client: &Client,
        portion: &Portion,
        visit: &Visit,
    ) -> Option<Share> {
        if client.needs_more {
            return None;
        }
        let kinds = &self.scale.kinds;
        let most = self.portions.room(slot, &self.tree, kinds)?;
        let narrowed = portion.narrowed(&visit.free.unreserved, &most, &kinds.totals_for_shares());
        let revocable = client.has & TAKES_REVOCABLE != 0;
        narrowed.suits(&client.minimum, revocable).then_some(narrowed.share)
    }

    /// What clients of the role that are at home in a class may have of what is free, `None` if
    /// that is nothing.
    fn portion(&self, home: Class, role: RoleIx, visit: &mut Visit) -> Option<Portion> {
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
        if self.reserves.are_set()
            && let Some(most) = self.beyond_reserves(home, &scalars)
        {
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

    /// What is left of `scalars` after the reserves of higher classes, if that is less.
    fn beyond_reserves(&self, home: Class, scalars: &Amounts) -> Option<Amounts> {
        let kinds = &self.scale.kinds;
        let mut capped = false;
        let most = Amounts::new(scalars.iter().map(|(kind, amount)| {
            let available = self.quotas.available(kind);
            let surplus = self.reserves.surplus(home, kind, available, kinds);
            capped |= surplus < amount;
            (kind, amount.min(surplus))
        }));
        capped.then_some(most)
    }

    fn grant(&mut self, at: AgentIx, slot: u32, share: Share, visit: &mut Visit, room: &mut Room) {
        let client = &self.tree.clients[slot as usize];
        let (framework, role) = (client.framework, client.role);
        let revocable = client.has & TAKES_REVOCABLE != 0;
        let tree = &self.tree;
        let taken = visit.free.take(&share, revocable, |r| tree.is_within(role, r));
        let mut delta = taken.unreserved.clone();
        delta.add(&taken.reserved);
        if self.options.offer == Offer::Share {
            let cut = visit.stage == Stage::BelowShares;
            let offered = Offered { agent: at, scalars: delta.clone(), cut };
            self.tree.clients[slot as usize].offered = Some(offered);
        }
        self.quotas.freed(&taken.unreserved, &Amounts::default());
        self.hold((slot, at), &delta, &taken.reserved, true);
        self.booked.push(Booked { client: slot, agent: at, taken });
        room.grants.push(Grant { framework, role, agent: at, share });
    }
}
