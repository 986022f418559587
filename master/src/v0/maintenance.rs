//! The older endpoints of machines' maintenance (V0-11, V0-12).

use reeve_transport::{Request, Response};
use reeve_wire::{json, v1};

use crate::api::maintenance;
use crate::office::Leader;

/// `GET /maintenance/schedule`.
pub fn schedule(leader: &Leader, request: &Request) -> Result<Response, Response> {
    Ok(Response::json(json::to_vec(&maintenance::schedule(leader, request)?)))
}

/// `GET /maintenance/status`.
pub fn status(leader: &Leader, request: &Request) -> Result<Response, Response> {
    Ok(Response::json(json::to_vec(&maintenance::status(leader, request)?)))
}

/// `POST /maintenance/schedule` with a `Schedule`.
pub async fn set_schedule(leader: Leader, request: Request) -> Response {
    let done = async {
        let wanted = json::from_slice(&request.body);
        let wanted = wanted.map_err(|why| unreadable("a schedule", &why.to_string()))?;
        maintenance::set_schedule(&leader, request.principal.as_ref(), &wanted).await
    };
    done.await.unwrap_or_else(|refusal| refusal)
}

/// `POST /machine/down` with an array of `MachineID`.
pub async fn down(leader: Leader, request: Request) -> Response {
    let done = async {
        maintenance::take_down(&leader, request.principal.as_ref(), &machines(&request)?).await
    };
    done.await.unwrap_or_else(|refusal| refusal)
}

/// `POST /machine/up` with an array of `MachineID`.
pub async fn up(leader: Leader, request: Request) -> Response {
    let done = async {
        maintenance::bring_up(&leader, request.principal.as_ref(), &machines(&request)?).await
    };
    done.await.unwrap_or_else(|refusal| refusal)
}

fn machines(request: &Request) -> Result<Vec<v1::MachineId>, Response> {
    let wrong = |why: String| unreadable("an array of machines", &why);
    let all: Vec<serde_json::Value> =
        serde_json::from_slice(&request.body).map_err(|why| wrong(why.to_string()))?;
    all.iter().map(|one| json::from_value(one).map_err(|why| wrong(why.to_string()))).collect()
}

fn unreadable(what: &str, why: &str) -> Response {
    Response::bad_request(format!("The body is not {what}: {why}"))
}
