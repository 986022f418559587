//! Frameworks: those of `/state`, and `/frameworks`.

use reeve_master_core::offers::Offer;
use reeve_master_core::view::{ExecutorRecord, FrameworkView, Snapshot};
use reeve_model::Capabilities;
use reeve_transport::{Request, Response};

use super::json::Writer;
use super::resources::{labels, resources};
use super::tasks::task;
use crate::dialback::UnreachedDriver;
use crate::office::Leader;
use crate::sight::{Depth, Sight, unreached as unreached_drivers};

/// The names of frameworks' capabilities, by number (`FrameworkInfo.Capability.Type`).
const CAPABILITIES: [&str; 9] = [
    "UNKNOWN",
    "REVOCABLE_RESOURCES",
    "TASK_KILLING_STATE",
    "GPU_RESOURCES",
    "SHARED_RESOURCES",
    "PARTITION_AWARE",
    "MULTI_ROLE",
    "RESERVATION_REFINEMENT",
    "REGION_AWARE",
];

/// `GET /frameworks`.
pub fn frameworks(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let (query, snapshot) = (request.query(), Sight::of(leader, request, Depth::Tasks)?);
    let wanted = query.get("framework_id");
    let drivers = unreached_drivers(leader, request)?;
    Ok(Writer::response(|w| {
        all(w, &snapshot, |id| wanted.is_none_or(|wanted| wanted == id));
        unreached(w, &drivers);
        // Dead since Mesos 1.2, and looked for by old tools.
        w.key("unregistered_frameworks").array([(); 0], |_, ()| {});
    }))
}

/// The fields `frameworks` and `completed_frameworks`.
pub fn all(w: &mut Writer, snapshot: &Snapshot, is_wanted: impl Fn(&str) -> bool) {
    let live = snapshot.frameworks.values();
    let live = live.filter(|view| is_wanted(view.record.id.as_str()));
    w.key("frameworks").array(live, |w, view| w.object(|w| framework(w, view)));
    let done = snapshot.completed.iter();
    let done = done.filter(|view| is_wanted(view.record.id.as_str()));
    w.key("completed_frameworks").array(done, |w, view| w.object(|w| framework(w, view)));
}

/// The field `unreachable_drivers`, beyond Mesos: who can't be subscribed, why, and what to do.
pub fn unreached(w: &mut Writer, drivers: &[UnreachedDriver]) {
    w.key("unreachable_drivers").array(drivers, |w, one| {
        w.object(|w| {
            w.optional("id", one.info.id.as_ref().map(|id| id.as_str()));
            w.field("name", &one.info.name);
            w.field("user", &one.info.user);
            w.field("pid", one.pid.to_string());
            w.optional("connects_from", one.via.map(|ip| ip.to_string()));
            w.field("error", &one.error);
            w.field("advice", &one.advice);
            w.field("first_attempt_time", one.first.to_seconds());
            w.field("last_attempt_time", one.last.to_seconds());
            #[allow(clippy::cast_precision_loss)]
            w.field("attempts", one.attempts as f64);
        });
    });
}

/// The fields that `/state-summary` has, too.
pub fn summary(w: &mut Writer, view: &FrameworkView) {
    let record = &view.record;
    w.field("id", record.id.as_str());
    w.field("name", &record.info.name);
    w.optional("pid", record.pid.as_ref().map(ToString::to_string));
    resources(w.key("used_resources"), &view.used);
    resources(w.key("offered_resources"), &view.offered);
    w.key("capabilities").array(names(record.info.capabilities), |w, name| w.value(name));
    w.field("hostname", &record.info.hostname);
    w.field("webui_url", &record.info.webui_url);
    w.field("active", record.active);
    w.field("connected", record.connected);
    w.field("recovered", record.recovered);
}

fn framework(w: &mut Writer, view: &FrameworkView) {
    summary(w, view);
    let (record, info) = (&view.record, &view.record.info);
    w.field("user", &info.user);
    w.field("failover_timeout", info.failover_timeout.as_secs_f64());
    w.field("checkpoint", info.checkpoint);
    w.field("registered_time", record.registered.to_seconds());
    w.field("unregistered_time", record.unregistered.map_or(0.0, |at| at.to_seconds()));
    w.optional("reregistered_time", record.reregistered.map(|at| at.to_seconds()));
    w.optional("principal", info.principal.as_ref().map(ToString::to_string));
    resources(w.key("resources"), &(&view.used + &view.offered));
    if info.capabilities.multi_role() {
        w.key("roles").array(&info.roles, |w, role| w.value(role.as_str()));
    } else {
        w.optional("role", info.roles.first().map(|role| role.as_str()));
    }
    w.key("tasks").array(view.tasks.values(), |w, record| task(w, record));
    w.key("unreachable_tasks").array(view.unreachable.values(), |w, record| task(w, record));
    w.key("completed_tasks").array(&view.completed, |w, record| task(w, record));
    w.key("offers").array(view.offers.values(), |w, one| offer(w, one));
    w.key("executors").array(view.executors.values(), |w, one| executor(w, one));
    if let Some(set) = info.labels() {
        labels(w.key("labels"), &set);
    }
    if let Some(constraints) = &record.constraints {
        w.key("offer_constraints").message(&constraints.to_wire());
    }
}

fn names(capabilities: Capabilities) -> impl Iterator<Item = &'static str> {
    capabilities
        .numbers()
        .filter_map(|number| CAPABILITIES.get(usize::try_from(number).ok()?).copied())
}

fn offer(w: &mut Writer, offer: &Offer) {
    w.object(|w| {
        w.field("id", offer.id.as_str());
        w.field("framework_id", offer.framework.as_str());
        w.key("allocation_info").object(|w| w.field("role", offer.role.as_str()));
        w.field("slave_id", offer.agent_id.as_str());
        resources(w.key("resources"), &offer.resources);
    });
}

fn executor(w: &mut Writer, record: &ExecutorRecord) {
    let details = record.info.details();
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    w.object(|w| {
        w.field("executor_id", record.info.id.as_str());
        w.field("name", name(&details.name));
        w.field("framework_id", record.framework.as_str());
        if let Some(command) = &details.command {
            w.key("command").message(command);
        }
        resources(w.key("resources"), &record.info.resources);
        let role = record.info.resources.iter().find_map(|one| one.allocation.as_ref());
        w.optional("role", role.map(|role| role.as_str()));
        if let Some(set) = &details.labels {
            labels(w.key("labels"), set);
        }
        if let Some(discovery) = &details.discovery {
            w.key("discovery").message(discovery);
        }
        if let Some(container) = &details.container {
            w.key("container").message(container);
        }
        w.field("slave_id", record.agent.as_str());
    });
}
