//! A resource estimator and a QoS controller that were loaded, as any other.

use reeve_module_api::abi_stable::std_types::RVec;
use reeve_module_sdk::Failed;
use reeve_module_sdk::oversubscription::{
    AgentUsage, Correction, QosController, ResourceEstimator, Scalar,
};

use super::{LoadedQosController, LoadedResourceEstimator};

impl ResourceEstimator for LoadedResourceEstimator {
    fn oversubscribable(&self, usage: &AgentUsage) -> Result<Vec<Scalar>, Failed> {
        self.answer(self.raw.oversubscribable(usage)).map(RVec::into_vec)
    }
}

impl QosController for LoadedQosController {
    fn corrections(&self, usage: &AgentUsage) -> Result<Vec<Correction>, Failed> {
        self.answer(self.raw.corrections(usage)).map(RVec::into_vec)
    }
}
