//! `/metrics/snapshot` with Mesos's names, and `/metrics` for Prometheus.

mod frameworks;

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::Wall;
use reeve_master_core::view::{Snapshot, Tallies};
use reeve_model::{Resources, TaskState};
use reeve_module_host::Companions;
use reeve_telemetry::Metrics;
use reeve_transport::{Request, Response};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::json::Writer;
use crate::app::App;
use crate::counters::Counters;
use crate::identity::now;
use crate::office::Office;

/// Resources that have metrics of their own.
const RESOURCES: [&str; 4] = ["cpus", "gpus", "mem", "disk"];

/// `GET /metrics/snapshot`.
pub async fn snapshot(app: App, _: Request) -> Response {
    let figures = figures(&app).await;
    Writer::response(|w| {
        for (name, value) in figures {
            w.field(&name, value);
        }
    })
}

/// `GET /metrics`: the same in the text format of OpenMetrics.
pub async fn openmetrics(app: App, _: Request) -> Response {
    ask_allocation(&app).await;
    let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Response::typed(media, app.metrics.openmetrics())
}

/// All metrics by name.
pub async fn figures(app: &App) -> BTreeMap<String, f64> {
    ask_allocation(app).await;
    app.metrics.snapshot()
}

/// Shows all metrics to anonymous modules, now and then, until `stop`.
pub async fn show(app: App, companions: Companions, stop: CancellationToken) {
    let mut turns = tokio::time::interval(Companions::PERIOD);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turns.tick() => companions.show(&figures(&app).await),
        }
    }
}

/// Brings what only the allocation machine knows up to date.
async fn ask_allocation(app: &App) {
    let figures = match app.office.term() {
        Some(term) => term.allocation.figures().await,
        None => BTreeMap::new(),
    };
    app.metrics.remove("allocator/mesos/roles");
    for (name, value) in figures {
        app.metrics.gauge(&name).set(value);
    }
}

/// Registers what is worked out when somebody asks; with `counters`, also what each framework does.
pub fn register(metrics: &Metrics, office: Office, started: Wall, counters: Option<Arc<Counters>>) {
    reeve_telemetry::system::register(metrics);
    metrics.source(move |readings| {
        let term = office.term();
        let snapshot = term.as_ref().map(|term| term.snapshot()).unwrap_or_default();
        let waiting = term.map_or(0, |term| term.core.max_capacity() - term.core.capacity());
        let mut set = |name: &str, value: f64| readings.gauge(name, value);
        set("master/elected", f64::from(u8::from(snapshot.master.is_some())));
        set("master/uptime_secs", now().since(started).as_secs_f64());
        set("master/outstanding_offers", snapshot.offers.len() as f64);
        set("master/event_queue_messages", waiting as f64);
        set("master/event_queue_dispatches", 0.0);
        set("master/event_queue_http_requests", 0.0);
        set("master/operator_event_stream_subscribers", 0.0);
        agents(&mut set, &snapshot);
        count_frameworks(&mut set, &snapshot);
        if let Some(counters) = &counters {
            frameworks::write(&mut set, &snapshot, &counters.frameworks);
        }
        tasks(&mut set, &snapshot.tallies);
        resources(&mut set, &snapshot);
    });
}

fn agents(set: &mut impl FnMut(&str, f64), snapshot: &Snapshot) {
    let count = |is: fn(&reeve_master_core::view::AgentRecord) -> bool| {
        snapshot.agents.values().filter(|view| is(&view.record)).count() as f64
    };
    set("master/slaves_active", count(|agent| agent.active));
    set("master/slaves_inactive", count(|agent| !agent.active));
    set("master/slaves_connected", count(|agent| agent.connected));
    set("master/slaves_disconnected", count(|agent| !agent.connected));
    set("master/slaves_unreachable", snapshot.unreachable.len() as f64);
    let tallies = &snapshot.tallies;
    set("master/slave_registrations", tallies.registrations as f64);
    set("master/slave_reregistrations", tallies.reregistrations as f64);
    let left = tallies.departures;
    let all = left.unreachable + left.unregistered + left.replaced + left.taken_down;
    set("master/slave_removals", all as f64);
    set("master/slave_removals/reason_unhealthy", left.unreachable as f64);
    set("master/slave_removals/reason_unregistered", left.unregistered as f64);
    set("master/slave_removals/reason_registered", left.replaced as f64);
    set("master/recovery_slave_removals", left.after_failover as f64);
    set("master/slave_unreachable_scheduled", left.scheduled as f64);
    set("master/slave_unreachable_completed", left.unreachable as f64);
    set("master/slave_unreachable_canceled", left.canceled as f64);
    set("master/slave_shutdowns_scheduled", 0.0);
    set("master/slave_shutdowns_completed", 0.0);
    set("master/slave_shutdowns_canceled", 0.0);
}

fn count_frameworks(set: &mut impl FnMut(&str, f64), snapshot: &Snapshot) {
    let count = |is: fn(&reeve_master_core::view::FrameworkRecord) -> bool| {
        snapshot.frameworks.values().filter(|view| is(&view.record)).count() as f64
    };
    set("master/frameworks_active", count(|framework| framework.active));
    set("master/frameworks_inactive", count(|framework| !framework.active));
    set("master/frameworks_connected", count(|framework| framework.connected));
    set("master/frameworks_disconnected", count(|framework| !framework.connected));
}

fn tasks(set: &mut impl FnMut(&str, f64), tallies: &Tallies) {
    let short = |state: TaskState| state.name().trim_start_matches("TASK_").to_lowercase();
    for (state, count) in tallies.tasks.iter() {
        if state != TaskState::Unknown {
            set(&format!("master/tasks_{}", short(state)), count as f64);
        }
    }
    for (ended, count) in &tallies.ended {
        let source = ended.source.map_or("unknown", |source| source.name()).to_lowercase();
        let reason = ended.reason.map(|reason| format!("/{}", reason.name().to_lowercase()));
        let (state, reason) = (short(ended.state), reason.unwrap_or_default());
        // Metrics keep v0's words (§10 of the reference).
        let name = format!("master/task_{state}/{source}{reason}").replace("agent", "slave");
        set(&name, *count as f64);
    }
    set("master/offers_sent", tallies.offers.sent as f64);
    set("master/offers_accepted", tallies.offers.accepted as f64);
    set("master/offers_declined", tallies.offers.declined as f64);
    set("master/offers_rescinded", tallies.offers.rescinded as f64);
}

fn resources(set: &mut impl FnMut(&str, f64), snapshot: &Snapshot) {
    let (total, used) = (snapshot.total(), snapshot.used());
    let mut shares = |suffix: &str, total: &Resources, used: &Resources| {
        for name in RESOURCES {
            let (total, used) = (total.scalar(name).to_f64(), used.scalar(name).to_f64());
            let share = if total > 0.0 { used / total } else { 0.0 };
            set(&format!("master/{name}{suffix}_total"), total);
            set(&format!("master/{name}{suffix}_used"), used);
            set(&format!("master/{name}{suffix}_percent"), share);
        }
    };
    shares("", &total.non_revocable(), &used.non_revocable());
    shares("_revocable", &total.revocable(), &used.revocable());
}
