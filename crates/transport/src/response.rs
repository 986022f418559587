//! What a handler gives back: a status, headers, and a body that is whole or a stream.
//! Compression, JSONP and chunking are the server's.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::download::Download;
use crate::stream::StreamBody;

/// The media type of plain error texts.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// The media type of JSON.
pub const JSON: &str = "application/json";

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// Headers besides those about length and connection, which the server adds.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
}

/// A body.
#[derive(Debug)]
pub enum Body {
    /// All of it; sent with `Content-Length`.
    Full(Bytes),
    /// As much as is said beforehand, read while it is sent.
    Download(Box<Download>),
    /// Records as they happen; sent chunked, one record per chunk.
    Stream(Box<StreamBody>),
}

impl Response {
    /// An answer without a body.
    pub fn new(status: StatusCode) -> Response {
        Response { status, headers: Vec::new(), body: Body::Full(Bytes::new()) }
    }

    /// 200 without a body.
    pub fn ok() -> Response {
        Response::new(StatusCode::OK)
    }

    /// 202 without a body: how calls are acknowledged.
    pub fn accepted() -> Response {
        Response::new(StatusCode::ACCEPTED)
    }

    /// 200 with a body of that media type.
    pub fn typed(media_type: &'static str, body: impl Into<Bytes>) -> Response {
        let mut response = Response::ok().with_header(CONTENT_TYPE, media_type);
        response.body = Body::Full(body.into());
        response
    }

    /// 200 with a JSON text.
    pub fn json(body: impl Into<Bytes>) -> Response {
        Response::typed(JSON, body)
    }

    /// 200 with a body that is read while it is sent.
    pub fn download(media_type: &'static str, body: Download) -> Response {
        let mut response = Response::ok().with_header(CONTENT_TYPE, media_type);
        response.body = Body::Download(Box::new(body));
        response
    }

    /// 200 with records of that media type as they happen.
    pub fn stream(media_type: &'static str, body: StreamBody) -> Response {
        let mut response = Response::ok().with_header(CONTENT_TYPE, media_type);
        response.body = Body::Stream(Box::new(body));
        response
    }

    /// Any status with a plain text that says why.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Response {
        let mut response = Response::typed(TEXT, text.into());
        response.status = status;
        response
    }

    /// 400 with a text.
    pub fn bad_request(text: impl Into<String>) -> Response {
        Response::text(StatusCode::BAD_REQUEST, text)
    }

    /// 401 with what each of those who were asked wants to see (W-9).
    pub fn unauthorized(challenges: &[String]) -> Response {
        let text = "401 Unauthorized.";
        Response::text(StatusCode::UNAUTHORIZED, text)
            .with_header(WWW_AUTHENTICATE, &challenges.join(", "))
    }

    /// 403 with a text.
    pub fn forbidden(text: impl Into<String>) -> Response {
        Response::text(StatusCode::FORBIDDEN, text)
    }

    /// 404 with the text of libprocess.
    pub fn not_found() -> Response {
        Response::text(StatusCode::NOT_FOUND, "404 Not Found.")
    }

    /// 501 with a text.
    pub fn not_implemented(text: impl Into<String>) -> Response {
        Response::text(StatusCode::NOT_IMPLEMENTED, text)
    }

    /// 503 with a text.
    pub fn unavailable(text: impl Into<String>) -> Response {
        Response::text(StatusCode::SERVICE_UNAVAILABLE, text)
    }

    /// 405 that names the methods that would do, in the wording of libprocess.
    pub fn method_not_allowed(allowed: &[Method], received: &Method) -> Response {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let expecting = names.join("', '");
        let text = format!(
            "405 Method Not Allowed. Expecting one of {{ '{expecting}' }}, but received '{received}'."
        );
        Response::text(StatusCode::METHOD_NOT_ALLOWED, text).with_header(ALLOW, &names.join(", "))
    }

    /// 307 to that address, which may lack the scheme as Mesos's redirects do (W-8).
    pub fn redirect(location: &str) -> Response {
        Response::new(StatusCode::TEMPORARY_REDIRECT).with_header(LOCATION, location)
    }

    /// Adds a header; a value that can't stand in a header is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Response {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The value of a header set so far.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).and_then(|(_, value)| value.to_str().ok())
    }

    /// The body as text, for a log line or a test; empty if it is not [`Body::Full`].
    pub fn body_text(&self) -> String {
        match &self.body {
            Body::Full(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Download(_) | Body::Stream(_) => String::new(),
        }
    }
}
