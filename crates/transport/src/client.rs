//! HTTP from the caller's side: one-shot calls over pooled connections, and answers that are
//! read as RecordIO records. What the calls say, and when to try again, is the caller's.

mod records;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, LOCATION};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use records::Records;

/// How many redirects are followed. Two are natural: a master that lost the lead may name one
/// that has lost it since.
const MAX_REDIRECTS: usize = 5;

/// The largest record and the largest whole answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 30;

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address can't be called.
    #[error("'{url}' is no address such as http://10.0.0.1:5050/api/v1")]
    Url {
        /// The address as given, or as a redirect gave it.
        url: String,
    },
    /// The connection was refused or broke.
    #[error("no answer from {url}")]
    Connection {
        /// The address called.
        url: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer took too long.
    #[error("no answer from {url} within {} s", .timeout.as_secs_f32())]
    Timeout {
        /// The address called.
        url: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// Each master named another as the leader.
    #[error("{url} was the last of {MAX_REDIRECTS} redirects in a row")]
    Redirects {
        /// The last address.
        url: String,
    },
    /// The answer is larger than is read.
    #[error("the answer from {url} is larger than {MAX_ANSWER} bytes")]
    TooLarge {
        /// The address called.
        url: String,
    },
    /// The stream is no stream of records.
    #[error("the stream of {url} is no RecordIO")]
    Records {
        /// The address called.
        url: String,
        /// What is wrong.
        source: reeve_wire::recordio::Error,
    },
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// A call of that method; `url` starts with `http://`.
    pub fn new(method: Method, url: impl Into<String>) -> Call {
        Call { method, url: url.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Call {
        Call::new(Method::GET, url)
    }

    /// A POST of a body of that media type.
    pub fn post(url: impl Into<String>, media_type: &'static str, body: impl Into<Bytes>) -> Call {
        let mut call = Call::new(Method::POST, url);
        call.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        call.body = body.into();
        call
    }

    /// Adds a header; a value that can't stand in a header is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Call {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// A whole answer, of whatever status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who answered: not the address called if there was a redirect.
    pub url: String,
}

impl Reply {
    /// The body as text, for an error message.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a streaming call opens.
#[derive(Debug)]
pub enum Opened {
    /// 200: records follow.
    Stream {
        /// The headers, with `Mesos-Stream-Id` among them.
        headers: HeaderMap,
        /// The records.
        records: Records,
        /// Who answers: not the address called if there was a redirect.
        url: String,
    },
    /// Any other status, with its text.
    Refused(Reply),
}

/// Calls HTTP servers. Clones share the pool of connections. A streaming answer keeps its
/// connection to itself, so calls never wait behind an event stream.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: Client<HttpConnector, Full<Bytes>>,
}

impl Default for HttpClient {
    fn default() -> Self {
        HttpClient::new()
    }
}

impl HttpClient {
    /// A client with an empty pool. A connection that takes more than 10 s to be made fails.
    pub fn new() -> HttpClient {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        let inner = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .http1_title_case_headers(true)
            .build(connector);
        HttpClient { inner }
    }

    /// One call and its whole answer within `timeout`, following redirects.
    pub async fn send(&self, call: &Call, timeout: Duration) -> Result<Reply, ClientError> {
        let whole = async {
            let (answer, url) = self.follow(call).await?;
            collect(answer, url).await
        };
        within(timeout, call, whole).await
    }

    /// One call whose answer's head comes within `timeout` and whose body is records for as
    /// long as the server likes, following redirects.
    pub async fn open(&self, call: &Call, timeout: Duration) -> Result<Opened, ClientError> {
        let opened = async {
            let (answer, url) = self.follow(call).await?;
            if answer.status() != StatusCode::OK {
                return Ok(Opened::Refused(collect(answer, url).await?));
            }
            let (head, body) = answer.into_parts();
            let records = Records::new(body, url.clone(), MAX_ANSWER);
            Ok(Opened::Stream { headers: head.headers, records, url })
        };
        within(timeout, call, opened).await
    }

    async fn follow(
        &self,
        call: &Call,
    ) -> Result<(hyper::Response<Incoming>, String), ClientError> {
        let mut url = call.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.once(call, &url).await?;
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match location {
                Some(location) if answer.status() == StatusCode::TEMPORARY_REDIRECT => {
                    url = resolve(&url, location)?;
                }
                _ => return Ok((answer, url)),
            }
        }
        Err(ClientError::Redirects { url })
    }

    async fn once(&self, call: &Call, url: &str) -> Result<hyper::Response<Incoming>, ClientError> {
        let uri: Uri = url.parse().map_err(|_| ClientError::Url { url: url.to_owned() })?;
        if uri.authority().is_none() {
            return Err(ClientError::Url { url: url.to_owned() });
        }
        let mut request = hyper::Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers.clone();
        // These follow from the request; left over from elsewhere they could only be wrong.
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(CONTENT_LENGTH);
        self.inner
            .request(request)
            .await
            .map_err(|error| ClientError::Connection { url: url.to_owned(), source: error.into() })
    }
}

async fn within<T>(
    timeout: Duration,
    call: &Call,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    tokio::time::timeout(timeout, work)
        .await
        .unwrap_or_else(|_| Err(ClientError::Timeout { url: call.url.clone(), timeout }))
}

async fn collect(answer: hyper::Response<Incoming>, url: String) -> Result<Reply, ClientError> {
    let (head, body) = answer.into_parts();
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(body) => {
            Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes(), url })
        }
        Err(error) if error.is::<LengthLimitError>() => Err(ClientError::TooLarge { url }),
        Err(source) => Err(ClientError::Connection { url, source }),
    }
}

/// Where a redirect leads: `//host:port/path` as Mesos writes it (W-8), a whole address, or a
/// path on the same server. `//host:port` alone keeps the path called.
fn resolve(from: &str, location: &str) -> Result<String, ClientError> {
    let refuse = || ClientError::Url { url: location.to_owned() };
    if location.starts_with("http://") {
        return Ok(location.to_owned());
    }
    let mut parts = from.parse::<Uri>().map_err(|_| refuse())?.into_parts();
    parts.scheme = Some(Scheme::HTTP);
    let path = match location.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            parts.authority = Some(authority.parse::<Authority>().map_err(|_| refuse())?);
            path
        }
        None => location,
    };
    if !path.is_empty() {
        parts.path_and_query = Some(path.parse::<PathAndQuery>().map_err(|_| refuse())?);
    }
    Uri::from_parts(parts).map(|uri| uri.to_string()).map_err(|_| refuse())
}

#[cfg(test)]
mod tests;
