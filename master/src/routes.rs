//! Which path is whose.

use std::sync::Arc;

use http::HeaderName;
use reeve_transport::{Request, Response, Router};

use crate::access;
use crate::api::{operator, scheduler};
use crate::app::App;
use crate::identity::ACTOR;
use crate::office::{Holder, Leader, authority};
use crate::v0;

/// All routes of a master.
pub fn router(app: &App) -> Router {
    let router = Router::new(ACTOR)
        .post("/api/v1/scheduler", by_leader(app, scheduler::handle))
        .post("/api/v1", by_leader(app, operator::handle));
    access::guarded(v0::routes(router, app), app)
}

/// Says that a standby answers, and who leads: what it knows is about itself alone.
const STANDBY: HeaderName = HeaderName::from_static("reeve-standby");

/// A handler that only a leader answers; a standby says where the leader is.
pub fn leading<F>(app: &App, render: F) -> impl Fn(Request) -> Answering + Send + Sync + 'static
where
    F: Fn(&Leader, &Request) -> Result<Response, Response> + Send + Sync + 'static,
{
    reading(app, move |app, request| render(&app.leader(request)?, request))
}

/// A handler that only a leader answers, and that waits for others; a standby says where the leader
/// is.
pub fn by_leader<F, A>(
    app: &App,
    handler: F,
) -> impl Fn(Request) -> Answering + Send + Sync + 'static
where
    F: Fn(Leader, Request) -> A + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let app = app.clone();
    move |request| match app.leader(&request) {
        Ok(leader) => Box::pin(handler(leader, request)),
        Err(elsewhere) => Box::pin(std::future::ready(elsewhere)),
    }
}

/// A handler that only reads, rendered off the threads that serve sockets.
pub fn reading<F>(app: &App, render: F) -> impl Fn(Request) -> Answering + Send + Sync + 'static
where
    F: Fn(&App, &Request) -> Result<Response, Response> + Send + Sync + 'static,
{
    let (app, render) = (app.clone(), Arc::new(render));
    move |request| {
        let (app, render) = (app.clone(), Arc::clone(&render));
        Box::pin(async move {
            let work = move || match render(&app, &request) {
                Ok(response) => marked(&app, response),
                Err(response) => response,
            };
            tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|_| Response::new(http::StatusCode::INTERNAL_SERVER_ERROR))
        })
    }
}

fn marked(app: &App, response: Response) -> Response {
    match &*app.office.holder() {
        Holder::Own(_) => response,
        Holder::Other(leader) => response.with_header(STANDBY, &authority(leader)),
        Holder::Nobody | Holder::Recovering => response.with_header(STANDBY, "no leader"),
    }
}

/// An answer on its way.
type Answering = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;
