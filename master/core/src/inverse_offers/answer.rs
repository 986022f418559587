//! ACCEPT_INVERSE_OFFERS and DECLINE_INVERSE_OFFERS (SC-5).

use reeve_model::{Filters, OfferId};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::store::Talk;
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::Answered;

impl Master {
    /// A framework answers. Inverse offers that ended before, or are somebody else's, are passed
    /// over.
    pub(crate) fn answer_inverse_offers(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        offers: &[OfferId],
        accepted: bool,
        filters: Filters,
    ) {
        // One who wants to be asked again at once would be asked without a pause.
        let pause = filters.refuse.max(self.options.allocation_interval);
        for id in offers {
            let Some((ix, asked)) = self.inverse_offers.find(id) else { continue };
            if asked == fx {
                let answer = Answered { accepted, at: step.wall };
                self.end_talk(step, ix, fx, Some(answer));
                self.inverse_offers.set(ix, fx, Talk::Answered);
                self.timers.set(Timer::Inverse(ix, fx), step.now + pause);
            }
        }
    }

    /// REVIVE and UPDATE_FRAMEWORK: a framework that has answered is asked again.
    pub(crate) fn ask_again(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let mut pairs = Vec::new();
        for ix in self.inverse_offers.with(fx) {
            if let Some(Talk::Answered) = self.inverse_offers.get(ix, fx) {
                self.end_talk(step, ix, fx, None);
                pairs.extend(self.has_something(ix, fx).then_some((ix, fx)));
            }
        }
        self.ask(step, pairs);
    }

    /// An inverse offer was not answered in time (`--offer_timeout`), or its answer holds no
    /// longer.
    pub(crate) fn inverse_offer_due(&mut self, step: &mut Step<'_>, ix: AgentIx, fx: FrameworkIx) {
        self.take_back(step, ix, fx);
        if self.has_something(ix, fx) {
            self.ask(step, vec![(ix, fx)]);
        }
    }
}
