//! The settings of allocation, named as the flags of the Mesos master.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_model::{MinAllocatable, Quantities, Quantity, ResourceName};

/// Settings; the defaults are Mesos's where Mesos has the setting.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--allocation_interval`: what a refusal lasts at the least (AL-2).
    pub allocation_interval: Duration,
    /// How long changes gather before the next round; the first after a pause does not wait.
    pub batch: Duration,
    /// How many agents a round visits before other events get their turn.
    pub chunk: usize,
    /// `--min_allocatable_resources`: the smallest offer.
    pub min_allocatable: MinAllocatable,
    /// `--fair_sharing_excluded_resource_names`.
    pub excluded: BTreeSet<ResourceName>,
    /// `--filter_gpu_resources`: agents with GPUs are for frameworks with GPU_RESOURCES.
    pub filter_gpus: bool,
    /// The region the master stands in (`--domain`).
    pub region: Option<Arc<str>>,
}

impl Default for Options {
    fn default() -> Self {
        let one = |name, amount| Quantities::from_iter([(name, amount)]);
        Self {
            allocation_interval: Duration::from_secs(1),
            batch: Duration::from_millis(1),
            chunk: 2000,
            min_allocatable: MinAllocatable::new(vec![
                one(ResourceName::Cpus, Quantity::from_thousandths(10)),
                one(ResourceName::Mem, Quantity::from_units(32)),
            ]),
            excluded: BTreeSet::new(),
            filter_gpus: true,
            region: None,
        }
    }
}
