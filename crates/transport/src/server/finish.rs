//! The last touches to an answer: JSONP (W-7), gzip (W-6), and the body as hyper takes it.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::CancellationToken;

use crate::download::Download;
use crate::negotiate::accepts_gzip;
use crate::request::Params;
use crate::response::{Body, JSON, Response};
use crate::stream::StreamBody;

/// Shorter bodies are not worth compressing (Mesos: 1024, W-6).
const GZIP_FROM: usize = 1024;

/// Compressing more than this takes long enough to keep other connections waiting.
const GZIP_ASIDE: usize = 64 << 10;

/// The body of an answer on its way out.
#[derive(Debug)]
pub(super) enum Outgoing {
    Full(Bytes),
    Download(Box<Download>),
    Stream(Box<StreamBody>),
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Outgoing::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Outgoing::Full(bytes) => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::replace(bytes, Bytes::new())))))
            }
            Outgoing::Download(body) => body.poll_frame(context),
            Outgoing::Stream(body) => body.poll_frame(context).map(|frame| frame.map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Outgoing::Full(bytes) => bytes.is_empty(),
            Outgoing::Download(body) => body.remaining() == 0,
            Outgoing::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Outgoing::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Outgoing::Download(body) => SizeHint::with_exact(body.remaining()),
            Outgoing::Stream(_) => SizeHint::default(),
        }
    }
}

/// What a request wants done to its answer.
#[derive(Debug)]
pub(super) struct Wanted {
    callback: Option<String>,
    gzip: bool,
}

impl Wanted {
    pub(super) fn of(asked: &Parts) -> Wanted {
        let query = asked.uri.query().filter(|query| query.contains("jsonp="));
        let query = query.filter(|_| asked.method == Method::GET);
        let callback =
            query.and_then(|query| Params::parse(query.as_bytes()).get("jsonp").map(str::to_owned));
        Wanted { callback, gzip: accepts_gzip(&asked.headers) }
    }
}

pub(super) async fn finish(
    mut response: Response,
    wanted: &Wanted,
    stop: &CancellationToken,
) -> hyper::Response<Outgoing> {
    if let Some(callback) = &wanted.callback {
        wrap(&mut response, callback);
    }
    let body = match std::mem::replace(&mut response.body, Body::Full(Bytes::new())) {
        Body::Full(bytes) if wanted.gzip => Outgoing::Full(compress(bytes, &mut response).await),
        Body::Full(bytes) => Outgoing::Full(bytes),
        Body::Download(body) => Outgoing::Download(body),
        Body::Stream(mut stream) => {
            stream.end_with(stop.clone());
            Outgoing::Stream(stream)
        }
    };
    let mut finished = hyper::Response::new(body);
    *finished.status_mut() = response.status;
    for (name, value) in response.headers {
        finished.headers_mut().append(name, value);
    }
    finished
}

/// JSON becomes `CALLBACK(…);`.
fn wrap(response: &mut Response, callback: &str) {
    let is_json = response.header(&CONTENT_TYPE) == Some(JSON);
    let Body::Full(json) = &response.body else { return };
    if response.status != StatusCode::OK || !is_json {
        return;
    }
    let mut script = BytesMut::with_capacity(callback.len() + json.len() + 3);
    script.put_slice(callback.as_bytes());
    script.put_u8(b'(');
    script.put_slice(json);
    script.put_slice(b");");
    response.body = Body::Full(script.freeze());
    response.headers.retain(|(name, _)| name != CONTENT_TYPE);
    response.headers.push((CONTENT_TYPE, HeaderValue::from_static("text/javascript")));
}

async fn compress(body: Bytes, response: &mut Response) -> Bytes {
    if body.len() < GZIP_FROM || response.header(&CONTENT_ENCODING).is_some() {
        return body;
    }
    let packed = if body.len() < GZIP_ASIDE {
        pack(&body)
    } else {
        let body = body.clone();
        tokio::task::spawn_blocking(move || pack(&body)).await.ok().flatten()
    };
    let Some(packed) = packed else { return body };
    response.headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    packed
}

/// Level 1: JSON shrinks tenfold already, at a fifth of the time of the default.
fn pack(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
