//! Agents: the `slaves` of `/state`, and `/slaves`.

use reeve_master_core::view::{AgentView, Snapshot};
use reeve_model::{AgentInfo, Resources};
use reeve_transport::{Request, Response};

use super::json::Writer;
use super::resources::{attributes, full, reserved, reserved_full, resources};
use crate::office::Leader;
use crate::sight::{Depth, Sight};

/// The names of agents' capabilities, by number (`AgentInfo.Capability.Type`).
const CAPABILITIES: [&str; 9] = [
    "UNKNOWN",
    "MULTI_ROLE",
    "HIERARCHICAL_ROLE",
    "RESERVATION_REFINEMENT",
    "RESOURCE_PROVIDER",
    "RESIZE_VOLUME",
    "AGENT_OPERATION_FEEDBACK",
    "AGENT_DRAINING",
    "TASK_RESOURCE_LIMITS",
];

/// `GET /slaves`.
pub fn slaves(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let (query, sight) = (request.query(), Sight::of(leader, request, Depth::Frameworks)?);
    let wanted = query.get("slave_id");
    let is_wanted = |id: &str| wanted.is_none_or(|wanted| wanted == id);
    Ok(Writer::response(|w| {
        let agents = sight.agents.iter().filter(|(id, _)| is_wanted(id.as_str()));
        w.key("slaves").array(agents, |w, (_, view)| {
            w.object(|w| {
                agent(w, view, &sight);
                everything(w, view, &sight);
            });
        });
        recovered(w, &sight, is_wanted);
    }))
}

/// The field `recovered_slaves`: agents of an earlier leader that have not come back.
pub fn recovered(w: &mut Writer, snapshot: &Snapshot, is_wanted: impl Fn(&str) -> bool) {
    let awaited = snapshot.awaited.iter().filter(|(id, _)| is_wanted(id.as_str()));
    w.key("recovered_slaves").array(awaited, |w, (_, info)| w.object(|w| described(w, info)));
}

/// The fields of an agent.
pub fn agent(w: &mut Writer, view: &AgentView, sight: &Sight) {
    let record = &view.record;
    w.field("id", record.id.as_str());
    w.field("hostname", &record.info.hostname);
    w.field("port", record.info.port);
    attributes(w.key("attributes"), &record.info.attributes);
    domain(w, &record.info);
    w.field("pid", record.pid.to_string());
    w.field("registered_time", record.registered.to_seconds());
    w.optional("reregistered_time", record.reregistered.map(|at| at.to_seconds()));
    resources(w.key("resources"), &record.total);
    resources(w.key("used_resources"), &view.used);
    resources(w.key("offered_resources"), &view.offered);
    reserved(w.key("reserved_resources"), &sight.resources(&record.total));
    resources(w.key("unreserved_resources"), &record.total.unreserved());
    w.field("active", record.active);
    w.field("deactivated", record.deactivated.is_some());
    w.field("version", &record.version);
    let names = record.capabilities.iter().filter_map(|number| capability(*number));
    w.key("capabilities").array(names, |w, name| w.value(name));
    if let Some(drain) = record.deactivated.and_then(|deactivation| deactivation.drain) {
        w.key("drain_info").message(&drain.to_wire());
        let told = record.drain_told.map(|at| (at.0 / 1_000_000_000) as f64);
        w.optional("estimated_drain_start_time_seconds", told);
    }
}

/// The fields that only `/slaves` has.
fn everything(w: &mut Writer, view: &AgentView, sight: &Sight) {
    let total = &sight.resources(&view.record.total);
    reserved_full(w.key("reserved_resources_full"), total);
    full(w.key("unreserved_resources_full"), &total.unreserved());
    full(w.key("used_resources_full"), &sight.resources(&view.used));
    full(w.key("offered_resources_full"), &sight.resources(&view.offered));
}

fn described(w: &mut Writer, info: &AgentInfo) {
    let id = info.id.as_ref().map(|id| id.as_str()).unwrap_or_default();
    w.field("id", id);
    w.field("hostname", &info.hostname);
    w.field("port", info.port);
    attributes(w.key("attributes"), &info.attributes);
    domain(w, info);
    let none = Resources::new();
    resources(w.key("resources"), &info.resources);
    resources(w.key("used_resources"), &none);
    resources(w.key("offered_resources"), &none);
}

fn domain(w: &mut Writer, info: &AgentInfo) {
    if let Some(domain) = &info.domain {
        w.key("domain").message(&domain.to_wire());
    }
}

fn capability(number: i32) -> Option<&'static str> {
    CAPABILITIES.get(usize::try_from(number).ok()?).copied()
}
