//! One HTTP request on a connection of hyper's: route it, read its body, let the handler
//! answer. Compression and JSONP follow in [`super::finish`].

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderMap};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::Shared;
use super::finish::{Outgoing, Wanted, finish};
use crate::gate::{Knock, Principal};
use crate::libprocess;
use crate::request::Request;
use crate::response::Response;
use crate::router::Routed;

/// How much of the body of somebody who is not let in is read, to be thrown away.
const DRAINED: usize = 1 << 20;

/// Never fails: what goes wrong is an answer too.
pub(super) async fn answer(
    shared: Arc<Shared>,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Outgoing>, Infallible> {
    let (parts, body) = request.into_parts();
    let wanted = Wanted::of(&parts);
    let response = if parts.method == Method::POST && libprocess::is_marked(&parts.headers) {
        deliver(&shared, peer, &parts, body).await
    } else {
        route(&shared, peer, parts, body).await
    };
    let response = response.unwrap_or_else(|refusal| refusal);
    Ok(finish(response, &wanted, &shared.stop).await)
}

async fn route(
    shared: &Shared,
    peer: SocketAddr,
    parts: Parts,
    body: Incoming,
) -> Result<Response, Response> {
    let found = shared.router.find(&parts.method, parts.uri.path());
    let (handler, path, tail, realm) = match found {
        Routed::To { handler, path, tail, realm } => (handler, path, tail, realm),
        Routed::NotAllowed(methods) => {
            return Err(Response::method_not_allowed(&methods, &parts.method));
        }
        Routed::Unknown => return Err(Response::not_found()),
        Routed::Malformed => {
            return Err(Response::bad_request("The path is no percent-encoded UTF-8"));
        }
    };
    let knock = Knock {
        realm,
        method: parts.method.clone(),
        route: path.strip_suffix(&tail).unwrap_or(&path).trim_end_matches('/').to_owned(),
        path: path.clone(),
        peer,
        authorization: authorization(&parts.headers),
    };
    let principal = match admit(shared, knock).await {
        Ok(principal) => principal,
        Err(refusal) => {
            // A client that still writes when the connection closes may never see the answer.
            drop(Limited::new(body, DRAINED).collect().await);
            return Err(refusal);
        }
    };
    let body = read(shared, &parts, body).await?;
    let Parts { method, uri, headers, .. } = parts;
    Ok(handler(Request { method, uri, path, tail, headers, body, peer, principal }).await)
}

/// Asks the gate, if there is one.
async fn admit(shared: &Shared, knock: Knock) -> Result<Option<Principal>, Response> {
    match shared.router.gate() {
        Some(gate) => gate.admit(knock).await,
        None => Ok(None),
    }
}

fn authorization(headers: &HeaderMap) -> Option<String> {
    headers.get(AUTHORIZATION)?.to_str().ok().map(str::to_owned)
}

/// A libprocess message that came on a connection which had begun with plain HTTP.
async fn deliver(
    shared: &Shared,
    peer: SocketAddr,
    parts: &Parts,
    body: Incoming,
) -> Result<Response, Response> {
    let body = read(shared, parts, body).await?;
    let status = libprocess::deliver(&shared.actors, peer.ip(), parts, body).await;
    Ok(Response::new(status))
}

/// The whole body, with any gzip taken off.
async fn read(shared: &Shared, parts: &Parts, body: Incoming) -> Result<Bytes, Response> {
    let limit = shared.body_limit;
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large(limit)),
        Err(error) => {
            return Err(Response::bad_request(format!("Failed to read the body: {error}")));
        }
    };
    if !is_gzipped(&parts.headers) {
        return Ok(body);
    }
    tokio::task::spawn_blocking(move || unpack(&body, limit))
        .await
        .unwrap_or_else(|_| Err(Response::new(StatusCode::INTERNAL_SERVER_ERROR)))
}

fn is_gzipped(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes() == b"gzip")
}

fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, Response> {
    let mut unpacked = Vec::new();
    // One byte more than allowed tells a body that fits from one that does not.
    let reader = GzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut unpacked);
    match reader {
        Ok(_) if unpacked.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(unpacked.into()),
        Err(error) => Err(Response::bad_request(format!("Failed to decompress the body: {error}"))),
    }
}

fn too_large(limit: usize) -> Response {
    let text = format!("The body is larger than the {limit} bytes that are taken");
    Response::text(StatusCode::PAYLOAD_TOO_LARGE, text)
}
