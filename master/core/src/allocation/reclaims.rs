//! The check of what a module wants back, and what is on its way. Which offers and tasks end for
//! it is the master's business: the host sees what comes of it when resources are free.

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_machine::{Tick, Timers};
use reeve_module_sdk::allocator::{AgentIx, Amounts, FrameworkIx, Reclaim, RoleIx};

use super::books::Books;
use super::event::{Reclaimed, Rule};
use super::holdings::by_role;
use super::kinds::Weighed;

/// So much of a module's reason is passed on.
const LONGEST_REASON: usize = 500;

/// A framework in a role on an agent.
pub(super) type Place = (AgentIx, FrameworkIx, RoleIx);

/// All that is on its way back.
#[derive(Debug, Default)]
pub(super) struct Reclaims {
    /// What has not come yet.
    missing: BTreeMap<Place, Amounts>,
    /// Until when it is waited for.
    ends: Timers<Place>,
    /// How often that was in vain.
    overdue: u64,
}

impl Reclaims {
    /// How many places have to give something back.
    pub(super) fn under_way(&self) -> usize {
        self.missing.len()
    }

    /// How many did not in time.
    pub(super) fn overdue(&self) -> u64 {
        self.overdue
    }

    /// A place holds more, or less. What it gives back is counted.
    pub(super) fn held(&mut self, place: Place, delta: &Weighed) {
        if self.missing.is_empty() || delta.firm.iter().all(|(_, amount)| amount >= 0) {
            return;
        }
        let Some(missing) = self.missing.get_mut(&place) else { return };
        missing.add(&delta.unreserved());
        if missing.iter().all(|(_, amount)| amount <= 0) {
            self.missing.remove(&place);
            self.ends.cancel(&place);
        }
    }

    /// Waits no longer for what should have come by now.
    pub(super) fn expire(&mut self, now: Tick) {
        while let Some(place) = self.ends.due(now) {
            self.missing.remove(&place);
            self.overdue += 1;
        }
    }

    fn wait_for(&mut self, place: Place, amounts: Amounts, until: Tick) {
        self.missing.insert(place, amounts);
        self.ends.set(place, until);
    }
}

impl Books {
    /// What the master is to take back for a proposal. Nothing on an agent that is away: the
    /// module cannot know that, and nobody would gain by it.
    ///
    /// # Errors
    /// The rule that the proposal breaks.
    pub(super) fn reclaim(&mut self, wanted: &Reclaim) -> Result<Option<Reclaimed>, Rule> {
        let Reclaim { framework, agent, .. } = *wanted;
        self.framework(framework).ok_or(Rule::UnknownFramework)?;
        let role = self.roles.role(wanted.role).ok_or(Rule::UnknownRole)?.clone();
        let known = self.agent(agent).ok_or(Rule::UnknownAgent)?;
        let place = (agent, framework, wanted.role);
        if self.reclaims.missing.contains_key(&place) {
            return Err(Rule::UnderWay);
        }
        if wanted.amounts.is_empty() || wanted.amounts.iter().any(|(_, amount)| amount <= 0) {
            return Err(Rule::NothingWanted);
        }
        let parts = known.held.get(framework).map(by_role).unwrap_or_default();
        let part = parts.into_iter().find(|(held_in, _)| *held_in == role);
        let held = part.map(|(_, part)| self.kinds.weigh(&part).unreserved()).unwrap_or_default();
        if !held.contains(&wanted.amounts) {
            return Err(Rule::NotHeld);
        }
        if !known.active {
            return Ok(None);
        }
        let grace = Duration::from_nanos(wanted.grace);
        let until = self.now + Reclaim::stands_for(grace);
        self.reclaims.wait_for(place, wanted.amounts.clone(), until);
        let amounts = self.kinds.quantities(&wanted.amounts);
        let held = self.kinds.quantities(&held);
        let reason: String = wanted.reason.chars().take(LONGEST_REASON).collect();
        Ok(Some(Reclaimed { framework, role, agent, amounts, held, grace, reason: reason.into() }))
    }
}
