//! Offers: from a grant to their one end.

mod offer;

pub use offer::Offer;
