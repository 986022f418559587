//! What operators do by the older endpoints, and why nothing is offered.

use http::StatusCode;
use reeve_access::unanswered;
use reeve_master_core::{Answer, Refusal};
use reeve_model::{FrameworkId, Role};
use reeve_transport::{Principal, Request, Response};
use tokio::sync::oneshot;

use super::json::Writer;
use crate::access;
use crate::api::answer;
use crate::app::App;
use crate::owner::Input;

/// `POST /teardown`: ends the framework that the form names.
pub async fn teardown(app: App, request: Request) -> Response {
    let form = request.form();
    let Some(id) = form.get("frameworkId") else {
        return Response::bad_request("Missing 'frameworkId' query parameter");
    };
    end_framework(&app, request.principal.as_ref(), FrameworkId::new(id)).await
}

/// Ends a framework if the principal may do that, and says how it went.
pub async fn end_framework(app: &App, principal: Option<&Principal>, id: FrameworkId) -> Response {
    if !app.permissions.are_unlimited()
        && let Err(refusal) = may_end(app, principal, &id).await
    {
        return refusal;
    }
    let (reply, answered) = oneshot::channel();
    if app.core.send(Input::Teardown(id, reply)).await.is_err() {
        return answer::ending();
    }
    match answered.await {
        Ok(answer) => answer::response(answer, None),
        Err(_) => answer::ending(),
    }
}

/// Whether a framework is there for this reader.
async fn may_see(app: &App, principal: Option<&Principal>, id: &str) -> Result<bool, Response> {
    if app.permissions.are_unlimited() {
        return Ok(true);
    }
    let Some(view) = app.snapshot().frameworks.get(&FrameworkId::new(id)).cloned() else {
        return Ok(false);
    };
    let framework = vec![access::framework(&view.record.info)];
    let answers = app.permissions.each(principal, "view_frameworks", framework).await;
    Ok(answers.map_err(unanswered)? == [true])
}

async fn may_end(
    app: &App,
    principal: Option<&Principal>,
    id: &FrameworkId,
) -> Result<(), Response> {
    let Some(view) = app.snapshot().frameworks.get(id).cloned() else {
        return Err(answer::response(Answer::Refused(Refusal::NothingToTearDown), None));
    };
    let framework = access::framework(&view.record.info);
    app.permissions.check(principal, "teardown_frameworks", framework).await
}

/// `GET /explain?framework_id=…[&role=…]`: what holds a framework's offers back, most telling
/// first. Not of Mesos.
pub async fn explain(app: App, request: Request) -> Response {
    let query = request.query();
    let Some(id) = query.get("framework_id") else {
        return Response::bad_request("Expecting 'framework_id=value' in query.\n");
    };
    let role = query.get("role").map(Role::new);
    let reasons = match may_see(&app, request.principal.as_ref(), id).await {
        Ok(true) => app.allocation.explain(FrameworkId::new(id), role).await,
        Ok(false) => None,
        Err(refusal) => return refusal,
    };
    let Some(reasons) = reasons else {
        let text = format!("No framework {id} is known to the allocator");
        return Response::text(StatusCode::NOT_FOUND, text);
    };
    Writer::response(|w| {
        w.field("framework_id", id);
        w.key("reasons").array(&reasons, |w, reason| w.value(reason));
    })
}
