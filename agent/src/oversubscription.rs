//! Oversubscription: the resource estimator and the QoS controller, each asked in its own time
//! about what this agent has and what is done with it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use reeve_agent_core::event::{Correction, Kind};
use reeve_agent_core::view::{ExecutorPhase, View};
use reeve_agent_runtime::Containerizer;
use reeve_model::{ContainerId, Quantity, Resource, Resources};
use reeve_module_host::Timely;
use reeve_module_sdk::oversubscription::{
    AgentUsage, ExecutorUsage, QosController, ResourceEstimator, Scalar,
};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::containers::scalars;
use crate::shell::Input;

/// How long a module is left alone at the least: each question costs a look at all containers.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// What the agent has, and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// All that it has.
    pub(crate) total: Resources,
    /// What runs.
    pub(crate) view: Arc<ArcSwap<View>>,
    /// What that uses.
    pub(crate) containerizer: Containerizer,
}

impl Usage {
    async fn now(&self) -> AgentUsage {
        let view = self.view.load_full();
        let mut executors = Vec::new();
        for (framework, row) in &view.frameworks {
            for executor in row.executors.values() {
                let facts = &executor.facts;
                if facts.state == ExecutorPhase::Terminated {
                    continue;
                }
                let container = &*facts.container.value;
                executors.push(ExecutorUsage {
                    framework: framework.as_str().into(),
                    executor: facts.info.id.as_str().into(),
                    container: container.into(),
                    granted: scalars(&facts.resources.non_revocable()),
                    revocable: scalars(&facts.resources.revocable()),
                    usage: self.containerizer.usage(container).await.unwrap_or_default(),
                });
            }
        }
        AgentUsage { total: scalars(&self.total), executors: executors.into() }
    }

    /// Whether anything holds what can be taken back.
    fn has_revocable(&self) -> bool {
        let view = self.view.load();
        let mut executors = view.frameworks.values().flat_map(|row| row.executors.values());
        executors.any(|row| !row.facts.resources.revocable().is_empty())
    }
}

/// What an estimator says, as resources.
fn revocable(scalars: &[Scalar]) -> Resources {
    let resource = |scalar: &Scalar| {
        let amount = Quantity::from_thousandths(scalar.thousandths);
        Resource { revocable: true, ..Resource::scalar(scalar.name.as_str(), amount) }
    };
    let some = |scalar: &&Scalar| scalar.thousandths > 0 && !scalar.name.is_empty();
    scalars.iter().filter(some).map(resource).collect()
}

/// Asks the estimator now and then, and tells the core what it says. Without one there is nothing
/// to offer, which the master must hear as well: it may remember what there was before.
pub(crate) async fn estimate(
    estimator: Option<Timely<dyn ResourceEstimator>>,
    every: Duration,
    usage: Usage,
    inputs: mpsc::Sender<Input>,
) {
    let Some(estimator) = estimator else {
        drop(inputs.send(Input::Happened(Kind::Oversubscribes(Resources::new()))).await);
        return;
    };
    loop {
        let now = usage.now().await;
        match estimator.ask(move |estimator| estimator.oversubscribable(&now)).await {
            Ok(scalars) => {
                let told = Kind::Oversubscribes(revocable(&scalars));
                if inputs.send(Input::Happened(told)).await.is_err() {
                    return;
                }
            }
            Err(failed) => warn!("the last estimate stays in force: {failed}"),
        }
        tokio::time::sleep(every.max(LEAST_PAUSE)).await;
    }
}

/// Asks the controller now and then while revocable work runs, and tells the core who must go.
pub(crate) async fn correct(
    controller: Timely<dyn QosController>,
    every: Duration,
    usage: Usage,
    inputs: mpsc::Sender<Input>,
) {
    loop {
        tokio::time::sleep(every.max(LEAST_PAUSE)).await;
        if !usage.has_revocable() {
            continue;
        }
        let now = usage.now().await;
        let corrections = match controller.ask(move |one| one.corrections(&now)).await {
            Ok(corrections) => corrections,
            Err(failed) => {
                warn!("no revocable work is ended: {failed}");
                continue;
            }
        };
        for correction in corrections {
            info!(
                framework = %correction.framework,
                executor = %correction.executor,
                "the QoS controller wants an executor gone: {}",
                correction.reason
            );
            let correction = Correction {
                framework: correction.framework.as_str().into(),
                executor: correction.executor.as_str().into(),
                container: ContainerId::new(correction.container.as_str()),
                reason: correction.reason.into(),
            };
            if inputs.send(Input::Happened(Kind::Corrects(correction))).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_of_revocable_resources_and_nothing_below_zero() {
        let scalar = |name: &str, thousandths| Scalar { name: name.into(), thousandths };
        let told = revocable(&[scalar("cpus", 1500), scalar("mem", -1), scalar("", 5)]);
        assert_eq!(told.revocable(), told);
        assert_eq!(told.len(), 1);
        assert_eq!(told.scalar("cpus"), Quantity::from_thousandths(1500));
    }
}
