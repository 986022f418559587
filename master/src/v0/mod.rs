//! The endpoints that tools look at first, with Mesos's names and keys (§1.9 of the reference).
//!
//! All of them read snapshots off the core's thread. Mesos's dead keys are kept. The objects that
//! agents show too (resources, attributes, statuses) are `reeve-v0`'s.

pub mod about;
mod agents;
mod frameworks;
mod json;
mod maintenance;
pub mod metrics;
pub mod operate;
mod page;
pub mod resources;
pub mod roles;
mod state;
pub mod tasks;

use http::Method;
use reeve_module_host::Facts;
use reeve_transport::{Response, Router};

use crate::app::App;
use crate::routes::{by_leader, leading, reading};

/// Adds the routes.
pub fn routes(router: Router, app: &App) -> Router {
    let router = router
        .get("/state", leading(app, state::state))
        .get("/state-summary", leading(app, state::summary))
        .get("/slaves", leading(app, agents::slaves))
        .get("/frameworks", leading(app, frameworks::frameworks))
        .get("/tasks", leading(app, tasks::tasks))
        .get("/roles", leading(app, roles::roles))
        .get("/health", reading(app, about::health))
        .get("/flags", reading(app, about::flags))
        .get("/redirect", reading(app, about::redirect))
        .exact("/redirect")
        .get("/", reading(app, page::page))
        .own("/version", reading(app, about::version))
        .get("/quota", leading(app, roles::quotas))
        .get("/weights", leading(app, roles::weights))
        .get("/maintenance/schedule", leading(app, maintenance::schedule))
        .get("/maintenance/status", leading(app, maintenance::status));
    app.files.routes(asking(router, app))
}

/// The routes that ask the core or the allocation machine.
fn asking(router: Router, app: &App) -> Router {
    let (modules, snapshot, metrics) = (app.clone(), app.clone(), app.clone());
    router
        .post("/quota", by_leader(app, operate::set_quota))
        .route(Method::DELETE, "/quota", by_leader(app, operate::remove_quota))
        .route(Method::PUT, "/weights", by_leader(app, operate::update_weights))
        .post("/maintenance/schedule", by_leader(app, maintenance::set_schedule))
        .post("/machine/down", by_leader(app, maintenance::down))
        .post("/machine/up", by_leader(app, maintenance::up))
        .post("/teardown", by_leader(app, operate::teardown))
        .get("/explain", by_leader(app, operate::explain))
        .get("/modules", move |_| {
            let term = modules.office.term();
            let mut all = term.map(|term| term.allocation.modules()).unwrap_or_default();
            all.extend(modules.hooks.facts().iter().map(Facts::json));
            all.extend(modules.modules.iter().map(Facts::json));
            let all = serde_json::json!({ "modules": all });
            async move { Response::json(all.to_string()) }
        })
        .own("/metrics/snapshot", move |request| metrics::snapshot(snapshot.clone(), request))
        .own("/metrics", move |request| metrics::openmetrics(metrics.clone(), request))
}
