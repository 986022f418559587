//! How talks end without an answer.

use std::sync::Arc;

use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::InverseOffer;
use super::store::Talk;
use crate::effect::ToScheduler;
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::{Answered, Change};

impl Master {
    /// Takes back what frameworks are asked about an agent. What they have answered counts on.
    pub(crate) fn take_back_about(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        for fx in self.inverse_offers.about(ix) {
            if let Some(Talk::Asked(_)) = self.inverse_offers.get(ix, fx) {
                self.take_back(step, ix, fx);
            }
        }
    }

    /// Everything about an agent begins anew, or it is gone.
    pub(crate) fn end_talks_about(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        for fx in self.inverse_offers.about(ix) {
            self.take_back(step, ix, fx);
        }
    }

    /// Everything with a framework begins anew, and it knows what it is asked.
    pub(crate) fn take_back_from(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        for ix in self.inverse_offers.with(fx) {
            self.take_back(step, ix, fx);
        }
    }

    /// Ends all talks with a framework that has nobody to be told.
    pub(crate) fn end_talks_with(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        for ix in self.inverse_offers.with(fx) {
            self.end_talk(step, ix, fx, None);
        }
    }

    /// Ends a talk, and tells the scheduler if it has an inverse offer.
    pub(super) fn take_back(&mut self, step: &mut Step<'_>, ix: AgentIx, fx: FrameworkIx) {
        if let Some(offer) = self.end_talk(step, ix, fx, None) {
            self.tell(step, fx, ToScheduler::RescindInverse(offer.id.clone()));
        }
    }

    /// Ends a talk, with or without an answer; says which inverse offer ended.
    pub(super) fn end_talk(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        fx: FrameworkIx,
        answer: Option<Answered>,
    ) -> Option<Arc<InverseOffer>> {
        self.timers.cancel(&Timer::Inverse(ix, fx));
        let Talk::Asked(offer) = self.inverse_offers.remove(ix, fx)? else { return None };
        step.changed(Change::InverseOfferEnded(offer.clone(), answer));
        Some(offer)
    }
}
