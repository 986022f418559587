//! `POST /api/v1/scheduler`: subscriptions and calls (§1.2 of the reference).
//!
//! The order of the checks is Mesos's, since clients see the first that fails: the body's
//! codec, the body, the call by itself, the answer's codec, the stream id, then what the core
//! says.

use bytes::Bytes;
use http::HeaderName;
use prost::Message;
use reeve_master_core::effect::ToScheduler;
use reeve_master_core::event::{Channel, Kind, StreamClaim};
use reeve_model::{Capabilities, FrameworkId, Principal};
use reeve_transport::{Codec, Request, Response};
use reeve_wire::v1::scheduler::Call;
use reeve_wire::v1::scheduler::call::{Subscribe, Type};
use tokio::sync::oneshot;

use super::call::{self, Refused};
use super::{answer, unknown};
use crate::access;
use crate::hooks;
use crate::office::Leader;
use crate::owner::Input;
use crate::schedulers::{Opened, Recipient};

/// The header that ties a call to a subscription.
const STREAM_ID: HeaderName = HeaderName::from_static("mesos-stream-id");

/// Answers a request.
pub async fn handle(leader: Leader, request: Request) -> Response {
    match take(&leader, &request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn take(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let principal = named(request)?;
    let codec = Codec::of_request(&request.headers)?;
    let mut wire: Call = codec.decode(&request.body)?;
    call::check(&wire).map_err(invalid)?;
    if let Some(principal) = &principal {
        call::belongs(&mut wire, principal).map_err(invalid)?;
    }
    let stream = request.header(STREAM_ID.as_str());
    if wire.r#type == Some(Type::Subscribe.into())
        && let Some(subscribe) = wire.subscribe
    {
        let codec = Codec::of_response(&request.headers)?;
        if stream.is_some() {
            return Err(Response::bad_request(
                "Subscribe calls should not include the 'Mesos-Stream-Id' header",
            ));
        }
        return subscribe_on(leader, codec, subscribe).await;
    }
    // Something was lost in reading if writing it again is shorter.
    let lossy = codec == Codec::Protobuf && wire.encoded_len() != request.body.len();
    pass_on(leader, wire, principal, lossy.then_some(&request.body), stream).await
}

fn invalid(why: String) -> Response {
    Response::bad_request(format!("Failed to validate scheduler::Call: {why}"))
}

/// By what name a framework's owner goes, if it was asked for.
fn named(request: &Request) -> Result<Option<Principal>, Response> {
    let Some(principal) = &request.principal else { return Ok(None) };
    let name = principal.name.as_deref().ok_or_else(|| {
        Response::forbidden(
            "The request's authenticated principal contains claims, but no value string. The \
             master currently requires that principals have a value",
        )
    })?;
    Ok(Some(Principal::new(name)))
}

/// Opens a stream and lets the core say what comes on it.
async fn subscribe_on(
    leader: &Leader,
    codec: Codec,
    wire: Subscribe,
) -> Result<Response, Response> {
    let recipient = Recipient {
        capabilities: Capabilities::none(),
        heartbeat: leader.options.heartbeat,
        master: leader.identity.info.to_wire(),
    };
    let core = leader.term.core.clone();
    let Opened { id, name, outlet, body } =
        leader.term.streams.open(codec, recipient, move |id| async move {
            // The core may have ended before its streams.
            let _ = core.send(Input::Fact(Kind::StreamClosed(id))).await;
        });
    // What breaks a rule, or may not be, is answered on the stream, as Mesos does.
    let permitted = match call::subscription(wire, Channel::Http, false) {
        Ok(subscription) => {
            let roles = access::may_have_roles(&leader.permissions, &subscription.info).await;
            roles.map(|()| subscription)
        }
        Err(why) => Err(why),
    };
    match permitted {
        Ok(subscription) => {
            let input = Input::Subscribes(id, outlet, Box::new(subscription));
            leader.term.core.send(input).await.map_err(|_| answer::ending())?;
        }
        Err(why) => {
            outlet.send(Capabilities::none(), ToScheduler::Error(why));
        }
    }
    Ok(Response::stream(codec.media_type(), body).with_header(STREAM_ID, &name))
}

/// Hands a call to the core, with what only its `encoded` form has.
async fn pass_on(
    leader: &Leader,
    wire: Call,
    principal: Option<Principal>,
    encoded: Option<&Bytes>,
    stream: Option<&str>,
) -> Result<Response, Response> {
    let framework = wire.framework_id.as_ref().map(FrameworkId::from);
    let mut call = call::from_wire(wire).map_err(|refused| match refused {
        Refused::Invalid(why) => invalid(why),
        Refused::Unknown => Response::not_implemented("This call is not known"),
    })?;
    if let Some(encoded) = encoded {
        unknown::restore(&mut call, encoded);
    }
    let Some(framework) = framework else {
        return Err(Response::bad_request("Expecting 'framework_id' to be present"));
    };
    let snapshot = leader.snapshot();
    let info = snapshot.frameworks.get(&framework).map(|known| &*known.record.info);
    hooks::decorate(&leader.hooks, info, &mut call).await;
    let claim: StreamClaim = leader.term.streams.claim(stream);
    let (reply, answered) = oneshot::channel();
    let input = Input::Calls { framework, claim, principal, call, reply };
    leader.term.core.send(input).await.map_err(|_| answer::ending())?;
    let answer = answered.await.map_err(|_| answer::ending())?;
    Ok(answer::response(answer, stream))
}
