//! Oversubscription: what is granted and not used is offered once more, as revocable resources
//! (the resource estimator), and whoever uses it makes room when it is wanted (the QoS
//! controller).

use abi_stable::std_types::{RBox, RResult, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{
    Fault,
    isolator::{Scalar, Usage},
};

/// What one executor has and uses.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, StableAbi)]
pub struct ExecutorUsage {
    /// Its framework.
    pub framework: RString,
    /// Its id.
    pub executor: RString,
    /// Its container.
    pub container: RString,
    /// What it and its tasks were granted for good.
    pub granted: RVec<Scalar>,
    /// What they were granted that can be taken back.
    pub revocable: RVec<Scalar>,
    /// What they use; empty if that is not known (yet).
    pub usage: Usage,
}

/// What an agent has, and what is done with it.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, StableAbi)]
pub struct AgentUsage {
    /// All that the agent has, without what was oversubscribed.
    pub total: RVec<Scalar>,
    /// Its executors.
    pub executors: RVec<ExecutorUsage>,
}

/// An executor that must go so that others get what they were granted.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Correction {
    /// Its framework.
    pub framework: RString,
    /// Its id.
    pub executor: RString,
    /// Its container, lest a later one of the same id be meant.
    pub container: RString,
    /// Why, for the framework.
    pub reason: RString,
}

/// A resource estimator as it crosses; the SDK makes one of its plain trait `ResourceEstimator`,
/// which says what the call means.
#[sabi_trait]
pub trait RawResourceEstimator: Send + Sync {
    /// How much may be offered as revocable, in all: what revocable tasks hold already included.
    #[sabi(last_prefix_field)]
    fn oversubscribable(&self, usage: &AgentUsage) -> RResult<RVec<Scalar>, Fault>;
}

/// A resource estimator as it crosses.
pub type RawResourceEstimatorBox = RawResourceEstimator_TO<'static, RBox<()>>;

/// A QoS controller as it crosses; the SDK makes one of its plain trait `QosController`, which
/// says what the call means.
#[sabi_trait]
pub trait RawQosController: Send + Sync {
    /// Who must go now.
    #[sabi(last_prefix_field)]
    fn corrections(&self, usage: &AgentUsage) -> RResult<RVec<Correction>, Fault>;
}

/// A QoS controller as it crosses.
pub type RawQosControllerBox = RawQosController_TO<'static, RBox<()>>;
