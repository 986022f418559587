//! What operators do by the older endpoints, and why nothing is offered.

use http::StatusCode;
use reeve_model::{FrameworkId, Role};
use reeve_transport::{Request, Response};
use tokio::sync::oneshot;

use super::json::Writer;
use crate::api::answer;
use crate::app::App;
use crate::owner::Input;

/// `POST /teardown`: ends the framework that the form names.
pub async fn teardown(app: App, request: Request) -> Response {
    let form = request.form();
    let Some(id) = form.get("frameworkId") else {
        return Response::bad_request("Missing 'frameworkId' query parameter");
    };
    end_framework(&app, FrameworkId::new(id)).await
}

/// Ends a framework, and says how that went.
pub async fn end_framework(app: &App, id: FrameworkId) -> Response {
    let (reply, answered) = oneshot::channel();
    if app.core.send(Input::Teardown(id, reply)).await.is_err() {
        return answer::ending();
    }
    match answered.await {
        Ok(answer) => answer::response(answer, None),
        Err(_) => answer::ending(),
    }
}

/// `GET /explain?framework_id=…[&role=…]`: what holds a framework's offers back, most telling
/// first. Not of Mesos.
pub async fn explain(app: App, request: Request) -> Response {
    let query = request.query();
    let Some(id) = query.get("framework_id") else {
        return Response::bad_request("Expecting 'framework_id=value' in query.\n");
    };
    let role = query.get("role").map(Role::new);
    let Some(reasons) = app.allocation.explain(FrameworkId::new(id), role).await else {
        let text = format!("No framework {id} is known to the allocator");
        return Response::text(StatusCode::NOT_FOUND, text);
    };
    Writer::response(|w| {
        w.field("framework_id", id);
        w.key("reasons").array(&reasons, |w, reason| w.value(reason));
    })
}
