//! Roles' quota and weights: kept in the registry, told to the allocation machine, set by operators
//!

mod quota;
mod store;
mod weights;

use reeve_model::Role;

use crate::event::{QuotaChange, RequestId};

pub use store::Quota;
pub(crate) use store::Roles;

/// What goes on when what is written about roles is durable.
#[derive(Debug)]
pub(crate) enum Pending {
    /// These roles have this quota.
    Quotas(RequestId, Vec<(Role, Quota)>),
    /// These roles have this weight.
    Weights(RequestId, Vec<(Role, f64)>),
}

impl QuotaChange {
    /// The words before a refusal, as Mesos begins them.
    fn refused(&self) -> &'static str {
        match self {
            QuotaChange::Update(_) => "Invalid QuotaConfig",
            QuotaChange::Set(..) => "Failed to validate set quota request",
            QuotaChange::Remove(_) => "Failed to remove quota",
        }
    }
}
