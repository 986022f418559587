//! From Mesos's one message to our records.

use std::collections::BTreeMap;

use reeve_registry::Write;
use reeve_wire::internal::Registry;
use reeve_wire::internal::registry::{Machines, MinimumCapability, Quota, Weight};
use reeve_wire::records::Drain;
use reeve_wire::{WireMessage, v1};

use crate::{CAPABILITIES, Kind, Records, machine_id};

/// What a registry of Mesos comes to.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The records.
    pub records: Records,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// Converts a registry of Mesos. What breaks a rule is left out and named.
pub fn convert(registry: Registry) -> Import {
    let mut import = Import::default();
    import.agents(&registry);
    import.maintenance(registry.machines, &registry.schedules);
    import.shares(registry.quotas, registry.quota_configs, registry.weights);
    for MinimumCapability { capability } in registry.minimum_capabilities {
        if CAPABILITIES.contains(&capability.as_str()) {
            import.take(Kind::Capabilities, &capability.clone(), &MinimumCapability { capability });
        } else {
            import.left_out.push(format!(
                "the minimum capability {capability}: this version does not know what it asks of a \
                 master"
            ));
        }
    }
    if let Some(last) = registry.master {
        let name = last.info.pid.unwrap_or(last.info.id);
        import.left_out.push(format!("who led last ({name}): the next leader writes itself down"));
    }
    let providers = registry.resource_provider_registry.unwrap_or_default();
    let count = providers.resource_providers.len() + providers.removed_resource_providers.len();
    if count > 0 {
        import.left_out.push(format!(
            "{count} resource providers: they are not kept, and are admitted again with their agents"
        ));
    }
    import
}

impl Import {
    fn agents(&mut self, registry: &Registry) {
        for agent in registry.slaves.iter().flat_map(|all| &all.slaves) {
            let Some(id) = agent.info.id.as_ref().map(|id| id.value.as_str()) else {
                let host = &agent.info.hostname;
                self.left_out.push(format!("an agent on {host}: it has no id"));
                continue;
            };
            self.take(Kind::Agents, id, &agent.info);
            self.drain(id, agent.drain_info.as_ref(), agent.deactivated());
        }
        for agent in registry.unreachable.iter().flat_map(|all| &all.slaves) {
            self.take(Kind::Unreachable, &agent.id.value, &agent.timestamp);
            self.drain(&agent.id.value, agent.drain_info.as_ref(), agent.deactivated());
        }
        for agent in registry.gone.iter().flat_map(|all| &all.slaves) {
            self.take(Kind::Gone, &agent.id.value, &agent.timestamp);
        }
    }

    fn drain(&mut self, agent: &str, info: Option<&v1::DrainInfo>, deactivated: bool) {
        if info.is_some() || deactivated {
            let drain = Drain { info: info.cloned(), deactivated: Some(deactivated) };
            self.take(Kind::Drain, agent, &drain);
        }
    }

    fn maintenance(&mut self, machines: Option<Machines>, schedules: &[v1::maintenance::Schedule]) {
        for machine in machines.into_iter().flat_map(|all| all.machines) {
            self.take(Kind::Machines, &machine_id(&machine.info.id), &machine.info);
        }
        let windows: Vec<_> = schedules.iter().flat_map(|all| &all.windows).cloned().collect();
        if !windows.is_empty() {
            self.take(Kind::Maintenance, "", &v1::maintenance::Schedule { windows });
        }
    }

    fn shares(
        &mut self,
        old: Vec<Quota>,
        quotas: Vec<v1::quota::QuotaConfig>,
        weights: Vec<Weight>,
    ) {
        for quota in old.into_iter().map(|quota| with_limits(quota.info)).chain(quotas) {
            self.take(Kind::Quota, &quota.role.clone(), &quota);
        }
        for weight in weights {
            let role = weight.info.role.clone().unwrap_or_default();
            self.take(Kind::Weights, &role, &weight.info);
        }
    }

    fn take<T: WireMessage>(&mut self, kind: Kind, id: &str, message: &T) {
        if let Err(why) = kind.check(id, &message.encode_to_vec()) {
            self.left_out.push(format!("{}: {why}", kind.key(id)));
            return;
        }
        if let Write::Put(key, value) = kind.put(id, message) {
            self.records.insert(key, value);
        }
    }
}

/// A guarantee from before Mesos 1.9 is the limit as well.
fn with_limits(old: v1::quota::QuotaInfo) -> v1::quota::QuotaConfig {
    let amounts = old
        .guarantee
        .iter()
        .filter_map(|resource| Some((resource.name.clone(), resource.scalar.as_ref()?.value)));
    let mut guarantees: BTreeMap<String, v1::value::Scalar> = BTreeMap::new();
    for (name, amount) in amounts {
        guarantees.entry(name).or_default().value += amount;
    }
    v1::quota::QuotaConfig {
        role: old.role.unwrap_or_else(|| "*".to_owned()),
        limits: guarantees.clone(),
        guarantees,
    }
}
