//! The outstanding offers.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_model::OfferId;
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::Offer;

/// An offer by the number in its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OfferNr(pub u64);

/// An outstanding offer.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub framework: FrameworkIx,
    pub agent: AgentIx,
    pub offer: Arc<Offer>,
}

/// All outstanding offers.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    live: BTreeMap<OfferNr, Live>,
    /// What ids begin with.
    prefix: String,
    next: u64,
}

impl Offers {
    /// Offers are named after this master.
    pub fn name(&mut self, master: &str) {
        self.prefix = format!("{master}-O");
    }

    /// The number and the id of the next offer.
    pub fn number(&mut self) -> (OfferNr, OfferId) {
        let number = self.next;
        self.next += 1;
        (OfferNr(number), OfferId::new(format!("{}{number}", self.prefix)))
    }

    /// The outstanding offer of this id.
    pub fn find(&self, id: &OfferId) -> Option<OfferNr> {
        let number = OfferNr(id.as_str().strip_prefix(&self.prefix)?.parse().ok()?);
        // `+7` and `07` parse as 7, but are not its id.
        (self.live.get(&number)?.offer.id == *id).then_some(number)
    }

    pub fn get(&self, number: OfferNr) -> Option<&Live> {
        self.live.get(&number)
    }

    pub fn insert(&mut self, number: OfferNr, live: Live) {
        self.live.insert(number, live);
    }

    pub fn remove(&mut self, number: OfferNr) -> Option<Live> {
        self.live.remove(&number)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&OfferNr, &Live)> {
        self.live.iter()
    }
}
