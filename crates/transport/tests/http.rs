//! What HTTP clients of Mesos rely on, seen on the socket.

// Clippy knows tests by their attribute alone, not the functions beside them.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Method;
use reeve_transport::{
    Actors, Codec, Download, Gate, Knock, Principal, Request, Response, Router, Server,
    ServerConfig,
};
use support::{Running, body, status};

async fn echo(request: Request) -> Response {
    Response::typed("application/octet-stream", request.body)
}

async fn call(request: Request) -> Response {
    match Codec::of_request(&request.headers) {
        Err(refusal) => refusal,
        Ok(_) => match Codec::of_response(&request.headers) {
            Ok(codec) => Response::typed(codec.media_type(), "answered"),
            Err(refusal) => refusal,
        },
    }
}

fn router() -> Router {
    Router::new("master")
        .get("/state", |request: Request| async move {
            let length = request.query().read("length").unwrap().unwrap_or(2);
            Response::json("7".repeat(length))
        })
        .get("/text", |_| async { Response::text(http::StatusCode::OK, "words") })
        .get("/path", |request: Request| async move {
            Response::json(format!("{} {}", request.path, request.tail))
        })
        .post("/echo", echo)
        .post("/api/v1", call)
        .get("/quota", echo)
        .route(Method::DELETE, "/quota", echo)
        .get("/redirect", |_| async { Response::redirect("//leader:5050") })
        .exact("/redirect")
}

fn start() -> Running {
    Running::start(router(), Actors::new())
}

#[tokio::test]
async fn endpoints_answer_with_and_without_the_actor() {
    let server = start();
    for path in ["/state", "/master/state", "/state/", "/state/foo", "/%6daster/state"] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(answer.contains("\r\nContent-Type: application/json\r\n"), "{answer}");
        assert!(answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
        assert_eq!(body(&answer), "77");
    }
    assert_eq!(body(&server.get("/master/path/a%20b/").await), "/path/a b a b");
}

#[tokio::test]
async fn what_has_no_route_is_404_and_a_wrong_method_405() {
    let server = start();
    let answer = server.get("/nothing").await;
    assert_eq!((status(&answer), body(&answer)), (404, "404 Not Found."));
    assert_eq!(status(&server.get("/redirect/x").await), 404);
    let answer = server.ask("PUT /quota HTTP/1.1\r\n\r\n").await;
    assert_eq!(status(&answer), 405);
    assert!(answer.contains("\r\nAllow: GET, DELETE\r\n"), "{answer}");
    let answer = server.get("/api/v1").await;
    assert_eq!(
        body(&answer),
        "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'."
    );
}

#[tokio::test]
async fn redirects_have_no_scheme_and_no_body() {
    let answer = start().get("/redirect").await;
    assert_eq!(status(&answer), 307);
    assert!(answer.contains("\r\nLocation: //leader:5050\r\n"), "{answer}");
    assert_eq!(body(&answer), "");
}

#[tokio::test]
async fn calls_are_answered_in_the_codec_asked_for() {
    let server = start();
    let cases = [
        ("", 400, "Expecting 'Content-Type' to be present"),
        ("Content-Type: text/plain\r\n", 415, "Expecting 'Content-Type' of"),
        ("Content-Type: application/json\r\n", 200, "application/json"),
        ("Content-Type: application/x-protobuf\r\n", 200, "application/json"),
        (
            "Content-Type: application/json\r\nAccept: application/x-protobuf\r\n",
            200,
            "application/x-protobuf",
        ),
        (
            "Content-Type: application/json\r\nAccept: text/html\r\nAccept: */*\r\n",
            200,
            "application/json",
        ),
        ("Content-Type: application/json\r\nAccept: text/html\r\n", 406, "Expecting 'Accept'"),
    ];
    for (headers, code, part) in cases {
        let request = format!("POST /api/v1 HTTP/1.1\r\n{headers}Content-Length: 2\r\n\r\n{{}}");
        let answer = server.ask(&request).await;
        assert_eq!(status(&answer), code, "{headers}: {answer}");
        assert!(answer.contains(part), "{headers}: {answer}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_asks() {
    let server = start();
    let ask = async |length: usize, headers: &str| {
        server.ask(&format!("GET /state?length={length} HTTP/1.1\r\n{headers}\r\n")).await
    };
    let gzip = "Accept-Encoding: deflate, gzip\r\n";
    let marked = "\r\nContent-Encoding: gzip\r\n";
    assert!(!ask(1023, gzip).await.contains(marked));
    assert!(!ask(1024, "").await.contains(marked));
    for length in [1024, 500_000] {
        let mut socket = server.connect().await;
        let request = format!(
            "GET /state?length={length} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{gzip}\r\n"
        );
        socket.write(request).await;
        let head = socket.read_until("\r\n\r\n").await;
        assert!(head.contains(marked), "{head}");
        let mut packed = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut socket.0, &mut packed).await.unwrap();
        assert!(packed.len() < length / 2);
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, "7".repeat(length));
    }
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn post_packed(server: &Running, body: &[u8]) -> String {
    let mut socket = server.connect().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: gzip\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write([head.as_bytes(), body].concat()).await;
    socket.read_to_end().await
}

#[tokio::test]
async fn compressed_requests_are_unpacked() {
    let server = start();
    assert_eq!(body(&post_packed(&server, &packed(b"hello")).await), "hello");
    assert_eq!(status(&post_packed(&server, b"no gzip at all").await), 400);
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_packed_or_not() {
    let server = Running::with_limit(router(), Actors::new(), 1000);
    let post = async |length: usize| {
        let body = "x".repeat(length);
        server.ask(&format!("POST /echo HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}")).await
    };
    assert_eq!(status(&post(1000).await), 200);
    assert_eq!(status(&post(1001).await), 413);
    assert_eq!(status(&post_packed(&server, &packed(&[b'x'; 1000])).await), 200);
    assert_eq!(status(&post_packed(&server, &packed(&[b'x'; 1_000_000])).await), 413);
}

#[tokio::test]
async fn downloads_have_a_length_and_break_if_they_fall_short() {
    let router = Router::new("master").get("/download", |request: Request| async move {
        let length = request.query().read("length").unwrap().unwrap();
        let reader = std::io::Cursor::new(vec![b'x'; 200_000]);
        Response::download("application/octet-stream", Download::new(reader, length))
    });
    let server = Running::start(router, Actors::new());
    let answer = server.get("/download?length=150000").await;
    assert!(answer.contains("\r\nContent-Length: 150000\r\n"));
    assert_eq!(body(&answer), "x".repeat(150_000));
    assert_eq!(body(&server.get("/download?length=0").await), "");
    let answer = server.get("/download?length=250000").await;
    assert!(answer.contains("\r\nContent-Length: 250000\r\n"));
    assert!(body(&answer).len() <= 200_000);
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let answer = start().ask("HEAD /state HTTP/1.1\r\n\r\n").await;
    assert!(answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
    assert_eq!(body(&answer), "");
}

#[tokio::test]
async fn json_becomes_a_script_for_a_callback() {
    let server = start();
    let answer = server.get("/master/state?jsonp=cb").await;
    assert!(answer.contains("\r\nContent-Type: text/javascript\r\n"), "{answer}");
    assert_eq!(body(&answer), "cb(77);");
    assert_eq!(body(&server.get("/text?jsonp=cb").await), "words");
    assert_eq!(body(&server.get("/state?jsonpath=x").await), "77");
}

#[tokio::test]
async fn nonsense_is_refused_and_harms_nobody() {
    let server = start();
    let mut idle = server.connect().await;
    for nonsense in ["GET\r\n\r\n", "POST  \r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let mut socket = server.connect().await;
        socket.write(nonsense).await;
        let answer = socket.read_to_end().await;
        assert!(answer.is_empty() || status(&answer) == 400, "{nonsense:?}: {answer}");
    }
    assert_eq!(status(&server.get("/%ff").await), 400);
    let mut half = server.connect().await;
    half.write("POST /api/v1 HT").await;
    drop(half);
    idle.write("GET /state HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(idle.read_until("77").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn one_connection_carries_many_requests_also_pipelined() {
    let server = start();
    let mut socket = server.connect().await;
    let request = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
    socket.write(format!("{request}one{request}two")).await;
    assert!(socket.read_until("one").await.starts_with("HTTP/1.1 200"));
    assert!(socket.read_until("two").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way_and_closes_the_rest() {
    let (entered, mut was_entered) = tokio::sync::mpsc::channel::<()>(1);
    let gate = tokio_util::sync::CancellationToken::new();
    let open = gate.clone();
    let router = Router::new("master").get("/slow", move |_| {
        let (entered, gate) = (entered.clone(), gate.clone());
        async move {
            entered.send(()).await.unwrap();
            gate.cancelled().await;
            Response::json(Bytes::from_static(b"late"))
        }
    });
    let server = Running::start(router, Actors::new());
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await;
    was_entered.recv().await.unwrap();
    server.stop.cancel();
    assert_eq!(idle.read_to_end().await, "");
    open.cancel();
    let answer = busy.read_to_end().await;
    assert!(answer.ends_with("late"), "{answer}");
    server.finish().await;
}

#[tokio::test]
async fn addresses_that_leave_the_port_open_share_one() {
    let free = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 0);
    let config = ServerConfig::new(vec![free("127.0.0.1"), free("127.0.0.2")]);
    let server = Server::bind(config).unwrap();
    let [first, second] = server.addresses() else { panic!("{:?}", server.addresses()) };
    assert_eq!(
        (first.ip().to_string(), second.ip().to_string()),
        ("127.0.0.1".into(), "127.0.0.2".into())
    );
    assert_ne!(first.port(), 0);
    assert_eq!(first.port(), second.port());
}

/// Lets in whoever says so.
#[derive(Debug)]
struct Doorman;

impl Gate for Doorman {
    fn admit(&self, knock: Knock) -> BoxFuture<'_, Result<Option<Principal>, Response>> {
        let answer = match (knock.realm, knock.authorization.as_deref()) {
            (None, _) => Ok(None),
            (Some(_), Some(name)) => Ok(Some(Principal::named(name))),
            (Some(realm), None) => {
                let text = format!("{realm} {} {}", knock.route, knock.path);
                Err(Response::text(http::StatusCode::UNAUTHORIZED, text))
            }
        };
        Box::pin(async { answer })
    }
}

#[tokio::test]
async fn a_gate_is_asked_before_a_handler_and_names_the_sender() {
    let who = |request: Request| async move {
        let principal = request.principal.and_then(|principal| principal.name);
        Response::json(principal.as_deref().unwrap_or("nobody").to_owned())
    };
    let router = Router::new("master")
        .get("/state", who)
        .post("/call", who)
        .get("/health", who)
        .guarded(Arc::new(Doorman), "readonly")
        .realm("/health", None);
    let server = Running::start(router, Actors::new());
    let answer = server.get("/master/state/deep").await;
    assert_eq!((status(&answer), body(&answer)), (401, "readonly /state /state/deep"));
    assert_eq!(body(&server.get("/health").await), "nobody");
    let known = server.ask("GET /state HTTP/1.1\r\nAuthorization: alice\r\n\r\n").await;
    assert_eq!(body(&known), "alice");
    // The body of somebody who is not let in is read, so that the answer arrives.
    let large = "x".repeat(300_000);
    let call = format!("POST /call HTTP/1.1\r\nContent-Length: 300000\r\n\r\n{large}");
    assert_eq!(status(&server.ask(&call).await), 401);
}
