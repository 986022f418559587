//! What operators do by the older endpoints, and why nothing is offered.

use http::StatusCode;
use reeve_access::unanswered;
use reeve_master_core::{Answer, Refusal};
use reeve_model::{FrameworkId, Role};
use reeve_transport::{Principal, Request, Response};
use reeve_wire::json;

use super::json::Writer;
use crate::access;
use crate::api::{answer, changes};
use crate::office::Leader;
use crate::owner::Input;

/// `POST /teardown`: ends the framework that the form names.
pub async fn teardown(leader: Leader, request: Request) -> Response {
    let form = request.form();
    let Some(id) = form.get("frameworkId") else {
        return Response::bad_request("Missing 'frameworkId' query parameter");
    };
    end_framework(&leader, request.principal.as_ref(), FrameworkId::new(id)).await
}

/// Ends a framework if the principal may do that, and says how it went.
pub async fn end_framework(
    leader: &Leader,
    principal: Option<&Principal>,
    id: FrameworkId,
) -> Response {
    if !leader.permissions.are_unlimited()
        && let Err(refusal) = may_end(leader, principal, &id).await
    {
        return refusal;
    }
    leader.ask(|reply| Input::Teardown(id, reply)).await
}

/// `POST /quota` with a `QuotaRequest`.
pub async fn set_quota(leader: Leader, request: Request) -> Response {
    let wanted = match json::from_slice(&request.body) {
        Ok(wanted) => wanted,
        Err(why) => return unreadable("set quota", &why.to_string()),
    };
    let done = changes::set_quota(&leader, request.principal.as_ref(), wanted).await;
    done.unwrap_or_else(|refusal| refusal)
}

/// `DELETE /quota/<role>`.
pub async fn remove_quota(leader: Leader, request: Request) -> Response {
    let role = request.tail.trim_start_matches('/');
    let done = changes::remove_quota(&leader, request.principal.as_ref(), role).await;
    done.unwrap_or_else(|refusal| refusal)
}

/// `PUT /weights` with an array of `WeightInfo`.
pub async fn update_weights(leader: Leader, request: Request) -> Response {
    let read = || -> Result<Vec<_>, String> {
        let all: Vec<serde_json::Value> =
            serde_json::from_slice(&request.body).map_err(|why| why.to_string())?;
        all.iter().map(|one| json::from_value(one).map_err(|why| why.to_string())).collect()
    };
    let wanted = match read() {
        Ok(wanted) => wanted,
        Err(why) => return unreadable("update weights", &why),
    };
    let done = changes::update_weights(&leader, request.principal.as_ref(), &wanted).await;
    done.unwrap_or_else(|refusal| refusal)
}

fn unreadable(what: &str, why: &str) -> Response {
    Response::bad_request(format!("Failed to parse {what} request JSON: {why}"))
}

/// Whether a framework is there for this reader.
async fn may_see(
    leader: &Leader,
    principal: Option<&Principal>,
    id: &str,
) -> Result<bool, Response> {
    if leader.permissions.are_unlimited() {
        return Ok(true);
    }
    let Some(view) = leader.snapshot().frameworks.get(&FrameworkId::new(id)).cloned() else {
        return Ok(false);
    };
    let framework = vec![access::framework(&view.record.info)];
    let answers = leader.permissions.each(principal, "view_frameworks", framework).await;
    Ok(answers.map_err(unanswered)? == [true])
}

async fn may_end(
    leader: &Leader,
    principal: Option<&Principal>,
    id: &FrameworkId,
) -> Result<(), Response> {
    let Some(view) = leader.snapshot().frameworks.get(id).cloned() else {
        return Err(answer::response(Answer::Refused(Refusal::NothingToTearDown), None));
    };
    let framework = access::framework(&view.record.info);
    leader.permissions.check(principal, "teardown_frameworks", framework).await
}

/// `GET /explain?framework_id=…[&role=…]`: what holds a framework's offers back, most telling
/// first. Not of Mesos.
pub async fn explain(leader: Leader, request: Request) -> Response {
    let query = request.query();
    let Some(id) = query.get("framework_id") else {
        return Response::bad_request("Expecting 'framework_id=value' in query.\n");
    };
    let role = query.get("role").map(Role::new);
    let reasons = match may_see(&leader, request.principal.as_ref(), id).await {
        Ok(true) => leader.term.allocation.explain(FrameworkId::new(id), role).await,
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
