//! How offers end without being used.

use std::time::Duration;

use reeve_model::{Filters, OfferId};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::{Live, OfferNr};
use crate::effect::ToScheduler;
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::{Change, OfferEnd};

impl Master {
    /// DECLINE. Offers that ended before, or are somebody else's, are passed over.
    pub(crate) fn decline(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        offers: &[OfferId],
        filters: Filters,
    ) {
        for id in offers {
            let Some(number) = self.offers.find(id) else { continue };
            if self.offers.get(number).is_some_and(|live| live.framework == fx) {
                self.end_offer(step, number, OfferEnd::Declined, refusal(filters));
            }
        }
    }

    /// Takes an offer back and tells the scheduler.
    pub(crate) fn rescind(&mut self, step: &mut Step<'_>, number: OfferNr) {
        let Some(live) = self.offers.get(number) else { return };
        let (framework, id) = (live.framework, live.offer.id.clone());
        self.end_offer(step, number, OfferEnd::Rescinded, None);
        self.tell(step, framework, ToScheduler::Rescind(id));
    }

    /// Takes every offer of an agent back, inverse ones too.
    pub(crate) fn rescind_agent(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        let offers: Vec<OfferNr> = agent.offers.iter().copied().collect();
        for number in offers {
            self.rescind(step, number);
        }
        self.take_back_about(step, ix);
    }

    /// Takes every offer of a framework back, inverse ones too.
    pub(crate) fn rescind_framework(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let offers: Vec<OfferNr> = framework.offers.iter().copied().collect();
        for number in offers {
            self.rescind(step, number);
        }
        self.take_back_from(step, fx);
    }

    /// Ends every offer of a framework that has nobody to be told, inverse ones too.
    pub(crate) fn end_framework_offers(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let offers: Vec<OfferNr> = framework.offers.iter().copied().collect();
        for number in offers {
            self.end_offer(step, number, OfferEnd::Rescinded, None);
        }
        self.end_talks_with(step, fx);
    }

    /// An offer was not answered in time (`--offer_timeout`).
    pub(crate) fn offer_overdue(&mut self, step: &mut Step<'_>, number: OfferNr) {
        self.rescind(step, number);
    }

    /// Ends an offer; all its resources are free again.
    pub(super) fn end_offer(
        &mut self,
        step: &mut Step<'_>,
        number: OfferNr,
        end: OfferEnd,
        filter: Option<Duration>,
    ) {
        if let Some(live) = self.take_offer(step, number, end) {
            self.recover(step, live.framework, live.agent, live.offer.resources.clone(), filter);
        }
    }

    /// Ends an offer; what becomes of its resources is the caller's business.
    pub(super) fn take_offer(
        &mut self,
        step: &mut Step<'_>,
        number: OfferNr,
        end: OfferEnd,
    ) -> Option<Live> {
        let live = self.offers.remove(number)?;
        self.timers.cancel(&Timer::Offer(number));
        if let Some(framework) = self.frameworks.get_mut(live.framework) {
            framework.offers.remove(&number);
        }
        if let Some(agent) = self.agents.get_mut(live.agent) {
            agent.offers.remove(&number);
        }
        step.changed(Change::OfferEnded(live.offer.id.clone(), end));
        Some(live)
    }
}

/// For how long what is given back is not wanted.
pub(super) fn refusal(filters: Filters) -> Option<Duration> {
    Some(filters.refuse).filter(|refuse| !refuse.is_zero())
}
