//! UPDATE_QUOTA, SET_QUOTA, REMOVE_QUOTA: what roles are to get and may have.

use reeve_model::{Quantities, Resources, Role};

use super::store::has;
use super::{Pending, Quota};
use crate::answer::{Answer, Refusal};
use crate::effect::{Effect, Mutation};
use crate::event::{QuotaChange, RequestId};
use crate::master::Master;
use crate::offers::OfferNr;
use crate::step::Step;
use crate::tasks::role_of;
use crate::view::Change;

impl Master {
    /// Tells what an earlier leader wrote down of roles, before anything is offered.
    pub(crate) fn recover_roles(&mut self, step: &mut Step<'_>, recovered: super::Roles) {
        self.roles = recovered;
        for event in self.roles.told() {
            step.allocation(event);
        }
        for (role, quota) in &self.roles.quotas {
            step.changed(Change::Quota(role.clone(), quota.clone()));
        }
        for (role, weight) in &self.roles.weights {
            step.changed(Change::Weight(role.clone(), *weight));
        }
    }

    /// An operator sets quota: all of it or nothing. What a role's name and amounts break by
    /// themselves was found before.
    pub(crate) fn quota_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        change: QuotaChange,
        force: bool,
    ) {
        match self.wanted_quotas(&change, force) {
            Err(refusal) => step.push(Effect::Answer(request, Answer::Refused(refusal))),
            Ok(quotas) => {
                let mutation = Mutation::SetQuotas(quotas.clone());
                self.persist(step, mutation, Pending::Quotas(request, quotas));
            }
        }
    }

    /// What a change comes to, unless the cluster cannot bear it.
    fn wanted_quotas(
        &self,
        change: &QuotaChange,
        force: bool,
    ) -> Result<Vec<(Role, Quota)>, Refusal> {
        let wrong = |why: String| Refusal::Invalid(format!("{}: {why}", change.refused()));
        match change {
            QuotaChange::Update(quotas) => {
                if !force {
                    quotas.iter().try_for_each(|(role, quota)| {
                        self.leaves_consumption(role, quota).map_err(wrong)
                    })?;
                    self.fits(quotas).map_err(wrong)?;
                }
                Ok(quotas.clone())
            }
            QuotaChange::Set(role, _) if self.roles.quotas.contains_key(role) => {
                Err(wrong(format!("Cannot set quota for role '{role}' which already has quota")))
            }
            QuotaChange::Set(role, guarantees) => {
                // What is guaranteed by this older call is the limit, too.
                let limits = guarantees.iter().map(|(name, most)| (name.clone(), most)).collect();
                let quotas = vec![(role.clone(), Quota { guarantees: guarantees.clone(), limits })];
                if !force {
                    self.fits(&quotas).map_err(Refusal::Overcommits)?;
                }
                Ok(quotas)
            }
            QuotaChange::Remove(role) if !self.roles.quotas.contains_key(role) => {
                Err(wrong(format!("Role '{role}' has no quota set")))
            }
            QuotaChange::Remove(role) => Ok(vec![(role.clone(), Quota::default())]),
        }
    }

    fn leaves_consumption(&self, role: &Role, quota: &Quota) -> Result<(), String> {
        let consumed = self.consumed(role);
        match quota.exceeded(&consumed) {
            None => Ok(()),
            Some((name, most)) => Err(format!(
                "Role '{role}' is already consuming '{consumed}'; this is more than the requested \
                 limits, {name}:{most} (use 'force' flag to bypass this check)"
            )),
        }
    }

    /// Whether the cluster has what all roles would be guaranteed.
    fn fits(&self, quotas: &[(Role, Quota)]) -> Result<(), String> {
        let mut all = self.roles.quotas.clone();
        all.extend(quotas.iter().cloned());
        let mut total = Quantities::new();
        all.values().for_each(|quota| total += &quota.guarantees);
        let mut capacity = Quantities::new();
        for (_, agent) in self.agents.iter() {
            capacity += &agent.own.quantities();
        }
        if capacity.contains(&total) {
            return Ok(());
        }
        Err(format!(
            "total quota guarantees '{total}' exceed cluster capacity '{capacity}' (use 'force' \
             flag to bypass this check)"
        ))
    }

    /// What a role and those below it consume: their reservations, and what they use of the rest.
    /// Looks at every agent, which only an operator's call may cost.
    fn consumed(&self, role: &Role) -> Quantities {
        let mut consumed = Quantities::new();
        let within = |other: &Role| other == role || role.is_ancestor_of(other);
        for (_, agent) in self.agents.iter() {
            for (owner, reserved) in agent.own.reservations() {
                if within(&owner) {
                    consumed += &reserved.quantities();
                }
            }
            let tasks = agent.tasks.iter().filter_map(|tx| self.tasks.get(*tx));
            let tasks = tasks.filter(|task| !task.state.is_terminal()).map(|task| &task.resources);
            let executors = agent.executors.values().map(|executor| &executor.resources);
            for used in tasks.chain(executors).filter(|used| within(&role_of(used))) {
                consumed += &firm(used);
            }
        }
        consumed
    }

    /// New quota is durable.
    pub(super) fn now_quota(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        quotas: Vec<(Role, Quota)>,
    ) {
        for (role, quota) in &quotas {
            step.allocation(has(role, quota));
            step.changed(Change::Quota(role.clone(), quota.clone()));
            if quota.is_none() {
                self.roles.quotas.remove(role);
            } else {
                self.roles.quotas.insert(role.clone(), quota.clone());
            }
        }
        for (role, quota) in &quotas {
            self.make_room(step, role, quota);
        }
        step.push(Effect::Answer(request, Answer::Done));
    }

    /// Takes offers back: the role's own as far as they exceed its limits, and others' as far as
    /// its guarantees want them. As in Mesos nothing is looked for that is free already.
    fn make_room(&mut self, step: &mut Step<'_>, role: &Role, quota: &Quota) {
        let within = |other: &Role| other == role || role.is_ancestor_of(other);
        let all = self.offers.iter();
        let all = all.map(|(number, live)| (*number, within(&live.offer.role), live));
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|(_, own, _)| *own);
        let held = |(number, _, live): (OfferNr, bool, &crate::offers::Live)| {
            (number, firm(&live.offer.resources))
        };
        let own: Vec<_> = own.into_iter().map(held).collect();
        let others: Vec<_> = others.into_iter().map(held).collect();
        let mut has = self.consumed(role);
        own.iter().for_each(|(_, offered)| has += offered);
        for (number, offered) in own {
            if quota.exceeded(&has).is_none() {
                break;
            }
            has -= &offered;
            self.rescind(step, number);
        }
        for (number, offered) in others {
            if has.contains(&quota.guarantees) {
                break;
            }
            has += &offered;
            self.rescind(step, number);
        }
    }

    /// What was written about roles is durable: what waited for it goes on.
    pub(crate) fn roles_written(&mut self, step: &mut Step<'_>, pending: Pending) {
        match pending {
            Pending::Quotas(request, quotas) => self.now_quota(step, request, quotas),
            Pending::Weights(request, weights) => self.now_weighs(step, request, weights),
        }
    }
}

/// What of resources counts as consumed beside reservations.
fn firm(resources: &Resources) -> Quantities {
    resources.unreserved().non_revocable().quantities()
}
