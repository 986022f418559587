//! The codec of a call and of its answer, by `Content-Type` and `Accept` (W-2), with Mesos's
//! status codes and wordings. Encoding itself is `reeve-wire`'s.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use reeve_wire::{WireMessage, json};

use crate::response::Response;

/// How messages are written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// `application/json`.
    Json,
    /// `application/x-protobuf`.
    Protobuf,
}

impl Codec {
    /// The codec's media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Codec::Json => "application/json",
            Codec::Protobuf => "application/x-protobuf",
        }
    }

    /// The codec that a request's body is in; 400 without a `Content-Type`, 415 for any other.
    pub fn of_request(headers: &HeaderMap) -> Result<Codec, Response> {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Err(Response::bad_request("Expecting 'Content-Type' to be present"));
        };
        match media_type(value.to_str().unwrap_or("")) {
            "application/json" => Ok(Codec::Json),
            "application/x-protobuf" => Ok(Codec::Protobuf),
            _ => Err(Response::text(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Expecting 'Content-Type' of application/json or application/x-protobuf",
            )),
        }
    }

    /// The codec that the answer shall be in: JSON whenever it is allowed, 406 if neither is.
    pub fn of_response(headers: &HeaderMap) -> Result<Codec, Response> {
        [Codec::Json, Codec::Protobuf]
            .into_iter()
            .find(|codec| accepts(headers, codec.media_type()))
            .ok_or_else(|| {
                Response::text(
                    StatusCode::NOT_ACCEPTABLE,
                    "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
                )
            })
    }

    /// A message as text or bytes of this codec.
    pub fn encode<T: WireMessage>(self, message: &T) -> Bytes {
        match self {
            Codec::Json => json::to_vec(message).into(),
            Codec::Protobuf => message.encode_to_vec().into(),
        }
    }

    /// The message that a request's body is; a 400 in Mesos's words if it is none, or if a
    /// required field is missing.
    pub fn decode<T: WireMessage>(self, body: &Bytes) -> Result<T, Response> {
        let name = T::NAME.rsplit('.').next().unwrap_or(T::NAME);
        match self {
            Codec::Json => json::from_slice(body).map_err(|error| match error {
                json::Error::Value { ref path, .. } if path.is_empty() => {
                    Response::bad_request(format!("Failed to parse body into JSON: {error}"))
                }
                _ => Response::bad_request(format!(
                    "Failed to convert JSON into {name} protobuf: {error}"
                )),
            }),
            Codec::Protobuf => reeve_wire::decode(body).map_err(|error| {
                Response::bad_request(format!("Failed to parse body into {name} protobuf: {error}"))
            }),
        }
    }
}

/// Whether the `Accept` headers, of which there may be several, allow that media type. No
/// header allows everything.
pub fn accepts(headers: &HeaderMap, media: &str) -> bool {
    if !headers.contains_key(ACCEPT) {
        return true;
    }
    let family = media.split('/').next().unwrap_or("");
    listed(headers, ACCEPT).any(|(range, quality)| {
        let matches = range == media || range == "*/*" || range.strip_suffix("/*") == Some(family);
        matches && quality > 0.0
    })
}

/// Whether `Accept-Encoding` asks for gzip by name.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    listed(headers, http::header::ACCEPT_ENCODING)
        .any(|(coding, quality)| (coding == "gzip" || coding == "x-gzip") && quality > 0.0)
}

/// The entries of a comma-separated header with their `q`, which is 1 if left out or garbled.
fn listed(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = (&str, f32)> {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let range = parts.next().unwrap_or("");
        let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok());
        (range, quality.unwrap_or(1.0))
    })
}

/// The media type without its parameters (`; charset=utf-8`).
fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or("").trim()
}

#[cfg(test)]
mod tests;
