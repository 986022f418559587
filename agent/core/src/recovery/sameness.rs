//! Whether a started agent is still the one that was checkpointed (RC-6).

use reeve_model::AgentInfo;

use crate::options::Reconfiguration;

/// What differs between two descriptions of an agent, in words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// What the policy lets pass.
    pub(super) allowed: Vec<String>,
    /// What it does not.
    pub(super) refused: Vec<String>,
}

impl Differences {
    /// Holds what an agent was against what it is.
    pub(super) fn between(old: &AgentInfo, new: &AgentInfo, policy: Reconfiguration) -> Self {
        let mut found = Self::default();
        let mut compare = |name: &str, old: String, new: String, adds: bool| {
            if old == new {
                return;
            }
            let allowed = match policy {
                Reconfiguration::Equal => false,
                Reconfiguration::Additive => adds,
                Reconfiguration::Any => true,
            };
            let told = format!("{name} was '{old}' and is '{new}'");
            if allowed { found.allowed.push(told) } else { found.refused.push(told) }
        };
        compare("hostname", old.hostname.clone(), new.hostname.clone(), false);
        compare("port", old.port.to_string(), new.port.to_string(), false);
        let kept = old.attributes.iter().all(|one| new.attributes.iter().any(|it| it == one));
        compare("attributes", old.attributes.to_string(), new.attributes.to_string(), kept);
        let domain = |info: &AgentInfo| match &info.domain {
            Some(domain) => format!("{}/{}", domain.region, domain.zone),
            None => String::new(),
        };
        compare("domain", domain(old), domain(new), old.domain.is_none());
        let more = new.resources.quantities().contains(&old.resources.quantities());
        if old.resources != new.resources {
            compare("resources", old.resources.to_string(), new.resources.to_string(), more);
        }
        found
    }
}
