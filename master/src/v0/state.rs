//! `/state` and `/state-summary`.

use reeve_master_core::view::{Snapshot, StateCounts};
use reeve_model::TaskState;
use reeve_transport::{Request, Response};

use super::about::build;
use super::agents::{agent, recovered};
use super::frameworks;
use super::json::Writer;
use crate::app::App;
use crate::identity::CAPABILITIES;
use crate::office::Leader;
use crate::sight::{Depth, Sight, may_see_flags, unreached};

/// The order in which Mesos lists counts of tasks.
const COUNTED: [TaskState; 14] = [
    TaskState::Staging,
    TaskState::Starting,
    TaskState::Running,
    TaskState::Killing,
    TaskState::Finished,
    TaskState::Killed,
    TaskState::Failed,
    TaskState::Lost,
    TaskState::Error,
    TaskState::Dropped,
    TaskState::Unreachable,
    TaskState::Gone,
    TaskState::GoneByOperator,
    TaskState::Unknown,
];

/// `GET /state`.
pub fn state(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let shows_flags = may_see_flags(leader, request)?;
    let drivers = unreached(leader, request)?;
    let snapshot = Sight::of(leader, request, Depth::Tasks)?;
    Ok(Writer::response(|w| {
        master(w, leader, &snapshot);
        if shows_flags {
            flags(w, leader);
        }
        let agents = snapshot.agents.values();
        w.key("slaves").array(agents, |w, view| w.object(|w| agent(w, view, &snapshot)));
        recovered(w, &snapshot, |_| true);
        frameworks::all(w, &snapshot, |_| true);
        frameworks::unreached(w, &drivers);
        // Dead since Mesos 1.2, and looked for by old tools.
        w.key("orphan_tasks").array([(); 0], |_, ()| {});
        w.key("unregistered_frameworks").array([(); 0], |_, ()| {});
    }))
}

fn master(w: &mut Writer, leader: &Leader, snapshot: &Snapshot) {
    let identity = &leader.identity;
    build(w);
    w.field("start_time", identity.started.to_seconds());
    w.optional("elected_time", snapshot.elected.map(|at| at.to_seconds()));
    w.field("id", &*leader.term.id);
    w.field("pid", identity.pid.to_string());
    w.field("hostname", &identity.hostname);
    w.key("capabilities").array(CAPABILITIES, |w, (_, name)| w.value(name));
    let active = snapshot.agents.values().filter(|view| view.record.active).count();
    w.field("activated_slaves", active as f64);
    w.field("deactivated_slaves", (snapshot.agents.len() - active) as f64);
    w.field("unreachable_slaves", snapshot.unreachable.len() as f64);
    w.field("leader", identity.pid.to_string());
    w.key("leader_info").object(|w| {
        w.field("id", &*identity.id);
        w.field("pid", identity.pid.to_string());
        w.field("port", identity.pid.address.port());
        w.field("hostname", &identity.hostname);
    });
    w.optional("cluster", leader.cluster.as_deref());
    w.optional("external_log_file", leader.log.as_ref().map(|path| path.display().to_string()));
}

/// The field `flags`.
pub fn flags(w: &mut Writer, app: &App) {
    w.key("flags").object(|w| {
        for (name, text) in &app.flags {
            w.field(name, text);
        }
    });
}

/// `GET /state-summary`.
pub fn summary(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let snapshot = Sight::of(leader, request, Depth::Frameworks)?;
    Ok(Writer::response(|w| {
        w.field("hostname", &leader.identity.hostname);
        w.optional("cluster", leader.cluster.as_deref());
        w.key("slaves").array(snapshot.agents.values(), |w, view| {
            w.object(|w| {
                agent(w, view, &snapshot);
                counts(w, &view.counts);
                let frameworks = view.frameworks.keys().filter(|id| snapshot.shows(id));
                w.key("framework_ids").array(frameworks, |w, id| w.value(id.as_str()));
            });
        });
        w.key("frameworks").array(snapshot.frameworks.values(), |w, view| {
            w.object(|w| {
                frameworks::summary(w, view);
                counts(w, &view.counts);
                w.key("slave_ids").array(view.agents.keys(), |w, id| w.value(id.as_str()));
            });
        });
    }))
}

fn counts(w: &mut Writer, counts: &StateCounts) {
    for state in COUNTED {
        w.field(state.name(), counts.get(state));
    }
}
