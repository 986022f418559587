//! UPDATE_WEIGHTS: whose share is how large.

use reeve_model::Role;

use super::Pending;
use super::store::weighs;
use crate::answer::Answer;
use crate::effect::{Effect, Mutation};
use crate::event::RequestId;
use crate::master::Master;
use crate::step::Step;
use crate::view::Change;

impl Master {
    /// An operator sets weights, which were checked before.
    pub(crate) fn weights_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        weights: Vec<(Role, f64)>,
    ) {
        let mutation = Mutation::SetWeights(weights.clone());
        self.persist(step, mutation, Pending::Weights(request, weights));
    }

    /// New weights are durable. As in Mesos all offers are taken back if somebody has such a role,
    /// so that the shares come right soon.
    pub(super) fn now_weighs(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        weights: Vec<(Role, f64)>,
    ) {
        let has = |role: &Role| self.frameworks.iter().any(|(_, known)| known.info.has_role(role));
        let concerns = weights.iter().any(|(role, _)| has(role));
        for (role, weight) in weights {
            step.allocation(weighs(&role, weight));
            step.changed(Change::Weight(role.clone(), weight));
            self.roles.weights.insert(role, weight);
        }
        if concerns {
            let offers: Vec<_> = self.offers.iter().map(|(number, _)| *number).collect();
            offers.into_iter().for_each(|number| self.rescind(step, number));
        }
        step.push(Effect::Answer(request, Answer::Done));
    }
}
