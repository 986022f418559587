//! `POST /api/v1/executor` (EX-1 … EX-4).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;
use reeve_agent_core::event::{ExecutorSubscription, Kind, StreamId};
use reeve_model::{ExecutorId, FrameworkId};
use reeve_transport::{Codec, Request, Response, Router, stream};
use reeve_wire::v1::executor::Call;
use tokio::sync::oneshot;

use super::Shared;
use crate::shell::{Called, Input, Then};
use crate::wire::executor::{Asked, parse};

/// What may wait for an executor that does not read; more ends its stream.
const STREAM_LIMIT: usize = 16 << 20;

pub(super) fn routes(router: Router, shared: &Arc<Shared>) -> Router {
    let shared = Arc::clone(shared);
    router.post("/api/v1/executor", move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, &request).await.unwrap_or_else(|refusal| refusal) }
    })
}

async fn answer(shared: &Shared, request: &Request) -> Result<Response, Response> {
    let call: Call = match Codec::of_request(&request.headers)? {
        Codec::Json => reeve_wire::json::from_slice(&request.body).map_err(unparsed)?,
        Codec::Protobuf => reeve_wire::decode(&request.body).map_err(unparsed)?,
    };
    let framework = FrameworkId::from(&call.framework_id);
    let executor = ExecutorId::from(&call.executor_id);
    let invalid = |why| Response::bad_request(format!("Failed to validate executor::Call: {why}"));
    let (then, answer) = match parse(call).map_err(invalid)? {
        Asked::Subscribe(subscription) => subscribe(shared, request, subscription)?,
        Asked::Tell(kind) => (Then::Tell(kind), Response::accepted()),
        Asked::Nothing => (Then::Nothing, Response::accepted()),
    };
    ask(shared, Called { framework, executor, by: None, then, looked: false }).await?;
    Ok(answer)
}

fn unparsed(error: impl std::fmt::Display) -> Response {
    Response::bad_request(format!("Failed to parse body into Call protobuf: {error}"))
}

/// A stream for an executor, which stays empty unless the core admits it.
fn subscribe(
    shared: &Shared,
    request: &Request,
    subscription: Box<ExecutorSubscription>,
) -> Result<(Then, Response), Response> {
    let codec = Codec::of_response(&request.headers)?;
    let id = StreamId(shared.streams.fetch_add(1, Ordering::Relaxed));
    let (sender, body) = stream::channel(STREAM_LIMIT);
    let (end, inputs) = (sender.end(), shared.inputs.clone());
    tokio::spawn(async move {
        end.await;
        drop(inputs.send(Input::Happened(Kind::ExecutorStreamClosed(id))).await);
    });
    let then = Then::Subscribe(id, sender, codec, subscription);
    Ok((then, Response::stream(codec.media_type(), body)))
}

/// Asks the core to take a call.
async fn ask(shared: &Shared, call: Called) -> Result<(), Response> {
    let stopping = || Response::unavailable("The agent is stopping, or destroys the container");
    let (answer, answered) = oneshot::channel();
    shared.inputs.send(Input::Called(call, answer)).await.map_err(|_| stopping())?;
    answered.await.map_err(|_| stopping())?.map_err(|refusal| {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Response::text(status, refusal.to_string())
    })
}
