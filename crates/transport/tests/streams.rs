//! Event streams as clients of Mesos read them: chunk by chunk.

// Clippy knows tests by their attribute alone, not the functions beside them.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use reeve_transport::client::{Call, HttpClient, Opened};
use reeve_transport::{Actors, Request, Response, Router, StreamSender, stream};
use support::{Running, within};
use tokio::sync::mpsc;

const LIMIT: usize = 1 << 20;

/// A server whose `/api/v1/scheduler` opens a stream; the sending ends come out here.
fn start() -> (Running, mpsc::Receiver<StreamSender>) {
    let (router, senders) = router();
    (Running::start(router, Actors::new()), senders)
}

fn router() -> (Router, mpsc::Receiver<StreamSender>) {
    let (opened, senders) = mpsc::channel(8);
    let router = Router::new("master")
        .post("/api/v1/scheduler", move |_: Request| {
            let opened = opened.clone();
            async move {
                let (sender, body) = stream::channel(LIMIT);
                opened.send(sender).await.unwrap();
                Response::stream("application/json", body)
                    .with_header(http::HeaderName::from_static("mesos-stream-id"), "abc")
            }
        })
        .get("/health", |_| async { Response::ok() });
    (router, senders)
}

const SUBSCRIBE: &str = "POST /api/v1/scheduler HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn each_record_is_exactly_one_chunk() {
    let (server, mut senders) = start();
    let mut socket = server.connect().await;
    socket.write(SUBSCRIBE).await;
    let sender = within(senders.recv()).await.unwrap();
    sender.send(b"{\"type\":\"SUBSCRIBED\"}").unwrap();
    let head = socket.read_until("\r\n\r\n").await;
    assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{head}");
    assert!(head.contains("\r\nMesos-Stream-Id: abc\r\n"), "{head}");
    assert!(!head.contains("Content-Length"), "{head}");
    assert_eq!(socket.read_until("}\r\n").await, "18\r\n21\n{\"type\":\"SUBSCRIBED\"}\r\n");
    sender.send(b"two").unwrap();
    sender.send(b"three").unwrap();
    assert_eq!(socket.read_until("three\r\n").await, "5\r\n3\ntwo\r\n7\r\n5\nthree\r\n");
    drop(sender);
    assert_eq!(socket.read_until("\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn streams_are_chunked_and_stay_open_for_old_and_closing_clients() {
    let (server, mut senders) = start();
    let body = "Content-Length: 2\r\n\r\n{}";
    for request in [
        format!("POST /api/v1/scheduler HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{body}"),
        format!("POST /api/v1/scheduler HTTP/1.0\r\n{body}"),
        format!("POST /api/v1/scheduler HTTP/1.0\r\nConnection: keep-alive\r\n{body}"),
    ] {
        let mut socket = server.connect().await;
        socket.write(&request).await;
        let sender = within(senders.recv()).await.unwrap();
        sender.send(b"first").unwrap();
        let head = socket.read_until("\r\n\r\n").await;
        assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{request}: {head}");
        socket.read_until("5\nfirst\r\n").await;
        sender.send(b"second").unwrap();
        assert_eq!(socket.read_until("second\r\n").await, "8\r\n6\nsecond\r\n");
    }
}

#[tokio::test]
async fn the_daemon_learns_that_a_subscriber_hung_up() {
    let (server, mut senders) = start();
    let mut socket = server.connect().await;
    socket.write(SUBSCRIBE).await;
    let sender = within(senders.recv()).await.unwrap();
    sender.send(b"first").unwrap();
    socket.read_until("first\r\n").await;
    drop(socket);
    within(sender.closed()).await;
    assert!(sender.is_closed());
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_fills_its_queue_and_no_more() {
    let (server, mut senders) = start();
    let mut socket = server.connect().await;
    socket.write(SUBSCRIBE).await;
    let sender = within(senders.recv()).await.unwrap();
    let record = vec![b'x'; 64 << 10];
    let refused = within(async {
        loop {
            if let Err(error) = sender.send(&record) {
                return error;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(refused, stream::SendError::Full);
}

#[tokio::test]
async fn a_stream_outlives_the_time_that_idle_connections_have() {
    let (router, mut senders) = router();
    let server = Running::configured(router, Actors::new(), |config| {
        config.header_timeout = Duration::from_millis(100);
    });
    let mut socket = server.connect().await;
    socket.write(SUBSCRIBE).await;
    let sender = within(senders.recv()).await.unwrap();
    let mut idle = server.connect().await;
    idle.write("GET /health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    idle.read_to_end().await;
    sender.send(b"still there").unwrap();
    socket.read_until("still there\r\n").await;
}

#[tokio::test]
async fn stopping_the_server_ends_open_streams() {
    let (server, mut senders) = start();
    let mut socket = server.connect().await;
    socket.write(SUBSCRIBE).await;
    let sender = within(senders.recv()).await.unwrap();
    sender.send(b"last").unwrap();
    socket.read_until("last\r\n").await;
    server.finish().await;
    assert!(sender.is_closed());
    assert_eq!(socket.read_to_end().await, "0\r\n\r\n");
}

#[tokio::test]
async fn the_client_reads_records_and_their_end() {
    let (server, mut senders) = start();
    let url = format!("http://{}/master/api/v1/scheduler", server.address);
    let call = Call::post(url, "application/json", "{}");
    let opened = HttpClient::new().open(&call, Duration::from_secs(10)).await.unwrap();
    let Opened::Stream { headers, mut records, .. } = opened else { panic!("{opened:?}") };
    assert_eq!(headers["Mesos-Stream-Id"], "abc");
    let sender = within(senders.recv()).await.unwrap();
    sender.send(b"first").unwrap();
    assert_eq!(within(records.next()).await.unwrap().unwrap(), "first");
    sender.send(b"second").unwrap();
    drop(sender);
    assert_eq!(within(records.next()).await.unwrap().unwrap(), "second");
    assert!(within(records.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_client_hangs_up_when_the_records_are_dropped() {
    let (server, mut senders) = start();
    let url = format!("http://{}/api/v1/scheduler", server.address);
    let call = Call::post(url, "application/json", "{}");
    let opened = HttpClient::new().open(&call, Duration::from_secs(10)).await.unwrap();
    let sender = within(senders.recv()).await.unwrap();
    drop(opened);
    within(sender.closed()).await;
}

#[tokio::test]
async fn the_client_follows_redirects_to_the_leader() {
    let (leader, mut senders) = start();
    let location = format!("//{}/master/api/v1/scheduler", leader.address);
    let router = Router::new("master").post("/api/v1/scheduler", move |_: Request| {
        let location = location.clone();
        async move { Response::redirect(&location) }
    });
    let follower = Running::start(router, Actors::new());
    let url = format!("http://{}/api/v1/scheduler", follower.address);
    let call = Call::post(url, "application/json", "{}");
    let opened = HttpClient::new().open(&call, Duration::from_secs(10)).await.unwrap();
    let Opened::Stream { url, .. } = opened else { panic!("{opened:?}") };
    assert_eq!(url, format!("http://{}/master/api/v1/scheduler", leader.address));
    assert!(within(senders.recv()).await.is_some());
}

#[tokio::test]
async fn the_client_gives_refusals_as_they_are() {
    let (server, _senders) = start();
    let call = Call::get(format!("http://{}/api/v1/scheduler", server.address));
    let client = HttpClient::new();
    let opened = client.open(&call, Duration::from_secs(10)).await.unwrap();
    let Opened::Refused(reply) = opened else { panic!("{opened:?}") };
    assert_eq!(reply.status, http::StatusCode::METHOD_NOT_ALLOWED);
    assert!(reply.text().starts_with("405 Method Not Allowed"));
}
