//! Offers: from a grant to their one end, accepted, declined or rescinded (M1).

mod accept;
mod end;
mod grant;
mod offer;
mod store;

pub use offer::Offer;

pub(crate) use accept::Terms;
pub(crate) use store::{Live, OfferNr, Offers};
