//! The core's answers as HTTP answers.

use http::StatusCode;
use reeve_master_core::{Answer, Refusal};
use reeve_transport::Response;

/// The HTTP answer; `stream` is what the request's `Mesos-Stream-Id` said.
pub fn response(answer: Answer, stream: Option<&str>) -> Response {
    let refusal = match answer {
        Answer::Accepted => return Response::accepted(),
        Answer::Done => return Response::ok(),
        Answer::Refused(refusal) => refusal,
    };
    let text = match (&refusal, stream) {
        (Refusal::StreamStale(framework), Some(stream)) => format!(
            "The stream ID '{stream}' included in this request didn't match the stream ID \
             currently associated with framework ID '{framework}'"
        ),
        _ => refusal.to_string(),
    };
    Response::text(status(&refusal), text)
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotSubscribed | Refusal::NotHttp | Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
        Refusal::Overcommits(_) | Refusal::Conflict(_) => StatusCode::CONFLICT,
        Refusal::UnknownAgent(_) => StatusCode::NOT_FOUND,
        Refusal::AgentBusy(_) | Refusal::NotLeading => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// What a client hears while the master is on its way out.
pub fn ending() -> Response {
    Response::unavailable("The master is shutting down")
}
