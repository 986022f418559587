//! Oversubscription: offering what is granted and not used once more, and making room when it is
//! wanted. The data is that of the interface ([`reeve_module_api::v2::oversubscription`]), as it
//! stands.

use reeve_module_api::abi_stable::std_types::{RResult, RVec};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::oversubscription::{RawQosController, RawResourceEstimator};

pub use reeve_module_api::v2::isolator::{Figure, Scalar, Usage, Value};
pub use reeve_module_api::v2::oversubscription::{AgentUsage, Correction, ExecutorUsage};

use crate::Failed;
use crate::guard::guarded;

/// Says how much of an agent may be offered as revocable resources.
pub trait ResourceEstimator: Send + Sync {
    /// How much, in all: what revocable tasks hold already included. Asked every
    /// `oversubscribed_resources_interval`; an error leaves the last answer in force.
    fn oversubscribable(&self, usage: &AgentUsage) -> Result<Vec<Scalar>, Failed>;
}

/// Says which revocable work must go so that others get what they were granted.
pub trait QosController: Send + Sync {
    /// Who must go now. Asked every `qos_correction_interval_min`, but not more than once a second,
    /// while there are executors that hold revocable resources. No others are killed; an error
    /// kills nobody.
    fn corrections(&self, usage: &AgentUsage) -> Result<Vec<Correction>, Failed>;
}

/// An author's resource estimator on its way across.
pub(crate) struct CrossingEstimator<E>(pub(crate) E);

impl<E: ResourceEstimator> RawResourceEstimator for CrossingEstimator<E> {
    fn oversubscribable(&self, usage: &AgentUsage) -> RResult<RVec<Scalar>, Fault> {
        guarded(|| self.0.oversubscribable(usage).map(RVec::from))
    }
}

/// An author's QoS controller on its way across.
pub(crate) struct CrossingController<C>(pub(crate) C);

impl<C: QosController> RawQosController for CrossingController<C> {
    fn corrections(&self, usage: &AgentUsage) -> RResult<RVec<Correction>, Fault> {
        guarded(|| self.0.corrections(usage).map(RVec::from))
    }
}
