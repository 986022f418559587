//! A snapshot as the operator API's messages.

use prost::Message;
use reeve_machine::Wall;
use reeve_master_core::offers::Offer;
use reeve_master_core::view::{AgentView, ExecutorRecord, FrameworkView, TaskBody, TaskRecord};
use reeve_model::{AgentInfo, Capabilities, Format};
use reeve_v0::endpoint_format;
use reeve_wire::v1;
use reeve_wire::v1::master::response::{
    GetAgents, GetExecutors, GetFrameworks, GetRoles, GetState, GetTasks, get_agents,
    get_executors, get_frameworks,
};

use crate::schedulers::{wire_inverse_offer, wire_offer};
use crate::sight::Sight;
use crate::v0::roles::known;
use crate::v0::tasks::details;

/// GET_STATE.
pub fn state(sight: &Sight) -> GetState {
    GetState {
        get_tasks: Some(tasks(sight)),
        get_executors: Some(executors(sight)),
        get_frameworks: Some(frameworks(sight)),
        get_agents: Some(agents(sight)),
    }
}

/// GET_AGENTS.
pub fn agents(sight: &Sight) -> GetAgents {
    GetAgents {
        agents: sight.agents.values().map(|view| agent(view, sight)).collect(),
        recovered_agents: sight.awaited.values().map(|info| agent_info(info)).collect(),
    }
}

fn agent(view: &AgentView, sight: &Sight) -> get_agents::Agent {
    let record = &view.record;
    let drain = record.deactivated.and_then(|deactivation| deactivation.drain);
    let capability = |number: &i32| v1::agent_info::Capability { r#type: Some(*number) };
    get_agents::Agent {
        agent_info: agent_info(&record.info),
        active: record.active,
        deactivated: Some(record.deactivated.is_some()),
        version: record.version.clone(),
        pid: Some(record.pid.to_string()),
        registered_time: Some(time(record.registered)),
        reregistered_time: record.reregistered.map(time),
        total_resources: endpoint_format(&sight.resources(&record.total)),
        allocated_resources: endpoint_format(&sight.resources(&view.used)),
        offered_resources: endpoint_format(&sight.resources(&view.offered)),
        capabilities: record.capabilities.iter().map(capability).collect(),
        drain_info: drain.map(|drain| drain.to_wire()),
        estimated_drain_start_time: record.drain_told.map(time),
        ..get_agents::Agent::default()
    }
}

fn agent_info(info: &AgentInfo) -> v1::AgentInfo {
    // The newer format can express everything.
    let mut wire = info.to_wire(Format::PostRefinement).unwrap_or_default();
    wire.resources = endpoint_format(&info.resources);
    wire
}

/// GET_FRAMEWORKS.
pub fn frameworks(snapshot: &Sight) -> GetFrameworks {
    GetFrameworks {
        frameworks: snapshot.frameworks.values().map(|view| framework(view)).collect(),
        completed_frameworks: snapshot.completed.iter().map(|view| framework(view)).collect(),
        ..GetFrameworks::default()
    }
}

fn framework(view: &FrameworkView) -> get_frameworks::Framework {
    let record = &view.record;
    get_frameworks::Framework {
        framework_info: record.info.to_wire(),
        active: record.active,
        connected: record.connected,
        recovered: record.recovered,
        registered_time: Some(time(record.registered)),
        reregistered_time: record.reregistered.map(time),
        unregistered_time: record.unregistered.map(time),
        offers: view.offers.values().map(|one| offer(one)).collect(),
        inverse_offers: view.inverse_offers.values().map(|one| wire_inverse_offer(one)).collect(),
        allocated_resources: endpoint_format(&view.used),
        offered_resources: endpoint_format(&view.offered),
        offer_constraints: record.constraints.as_ref().map(|constraints| constraints.to_wire()),
    }
}

fn offer(offer: &Offer) -> v1::Offer {
    let all = Capabilities::MULTI_ROLE.with(Capabilities::RESERVATION_REFINEMENT);
    let mut wire = wire_offer(offer, all);
    wire.resources = endpoint_format(&offer.resources);
    wire
}

/// GET_EXECUTORS.
pub fn executors(snapshot: &Sight) -> GetExecutors {
    let all = snapshot.frameworks.values().flat_map(|view| view.executors.values());
    GetExecutors { executors: all.map(|one| executor(one)).collect(), ..GetExecutors::default() }
}

fn executor(record: &ExecutorRecord) -> get_executors::Executor {
    let mut executor_info = record.info.details();
    executor_info.resources = endpoint_format(&record.info.resources);
    executor_info.framework_id = Some(record.framework.to_wire());
    get_executors::Executor { executor_info, agent_id: record.agent.to_wire() }
}

/// GET_TASKS.
pub fn tasks(snapshot: &Sight) -> GetTasks {
    let live = || snapshot.frameworks.values();
    let all = live().chain(&snapshot.completed);
    GetTasks {
        tasks: live().flat_map(|view| view.tasks.values()).map(|one| task(one)).collect(),
        unreachable_tasks: live()
            .flat_map(|view| view.unreachable.values())
            .map(|one| task(one))
            .collect(),
        completed_tasks: all.flat_map(|view| &view.completed).map(|one| task(one)).collect(),
        ..GetTasks::default()
    }
}

fn task(record: &TaskRecord) -> v1::Task {
    let base = match &record.body {
        // The bytes were decoded once before.
        TaskBody::Reported(bytes) => v1::Task::decode(bytes.clone()).unwrap_or_default(),
        TaskBody::Launched(_) => v1::Task::default(),
    };
    let details = details(&record.body);
    v1::Task {
        name: record.name.to_string(),
        task_id: record.id.to_wire(),
        framework_id: record.framework.to_wire(),
        executor_id: record.executor.as_ref().map(|id| id.to_wire()),
        agent_id: record.agent.to_wire(),
        state: record.state.into(),
        resources: endpoint_format(&record.resources),
        statuses: record.statuses.iter().map(|status| status.to_wire()).collect(),
        labels: details.labels,
        discovery: details.discovery,
        container: details.container,
        health_check: details.health_check,
        kill_policy: details.kill_policy,
        user: details.command.and_then(|command| command.user),
        limits: details.limits,
        ..base
    }
}

/// GET_ROLES.
pub fn roles(sight: &Sight) -> GetRoles {
    let role = |(name, facts): (reeve_model::Role, crate::v0::roles::RoleFacts)| v1::Role {
        name: name.to_string(),
        weight: sight.weights.get(&name).copied().unwrap_or(1.0),
        frameworks: facts.frameworks.iter().map(|id| id.to_wire()).collect(),
        resources: endpoint_format(&(&facts.used + &facts.offered)),
    };
    let shown = known(sight).into_iter().filter(|(name, _)| sight.shows_role(name));
    GetRoles { roles: shown.map(role).collect() }
}

/// A time of day as v1 has it.
pub(super) fn time(at: Wall) -> v1::TimeInfo {
    v1::TimeInfo { nanoseconds: at.0 }
}
