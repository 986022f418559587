//! Messages and links between processes, over real sockets.

// Clippy knows tests by their attribute alone, not the functions beside them.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use reeve_model::Pid;
use reeve_transport::libprocess::PeersConfig;
use reeve_transport::{Actors, Inbound, Peers, Request, Response, Router};
use support::{Running, Socket, body, status, within};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver};
use tokio_util::sync::CancellationToken;

/// One process: a server with one actor, and its way out to others.
struct Process {
    server: Running,
    inbox: Receiver<Inbound>,
    peers: Peers,
    exits: UnboundedReceiver<Pid>,
    pid: Pid,
}

fn process(id: &str) -> Process {
    let (queue, inbox) = mpsc::channel(16);
    let actors = Actors::new();
    actors.register(id, queue);
    let router =
        Router::new(id).post("/echo", |request: Request| async { Response::json(request.body) });
    let server = Running::start(router, actors);
    let (peers, exits) = Peers::new(PeersConfig::new(server.address), CancellationToken::new());
    let pid = peers.pid(id);
    Process { server, inbox, peers, exits, pid }
}

fn peers(advertise: SocketAddr) -> (Peers, UnboundedReceiver<Pid>) {
    Peers::new(PeersConfig::new(advertise), CancellationToken::new())
}

impl Process {
    async fn next(&mut self) -> Inbound {
        within(self.inbox.recv()).await.unwrap()
    }
}

#[tokio::test]
async fn two_processes_talk() {
    let (mut master, mut agent) = (process("master"), process("slave(1)"));
    agent.peers.send("slave(1)", &master.pid, "mesos.internal.RegisterSlaveMessage", b"\x00\xff");
    let message = master.next().await;
    assert_eq!(message.from, agent.pid);
    assert_eq!(&*message.to, "master");
    assert_eq!(&*message.name, "mesos.internal.RegisterSlaveMessage");
    assert_eq!(message.body, &b"\x00\xff"[..]);
    master.peers.send("master", &message.from, "mesos.internal.PingSlaveMessage", b"");
    let message = agent.next().await;
    assert_eq!((message.from, message.body), (master.pid, Bytes::new()));
}

#[tokio::test]
async fn messages_arrive_in_order_over_one_connection() {
    let (mut master, agent) = (process("master"), process("slave(1)"));
    let sender = agent.peers.clone();
    let to = master.pid.clone();
    // Far more than the actor's queue holds, so that the connection has to wait for it.
    for number in 0..10_000u32 {
        sender.send("slave(1)", &to, "x.Y", &number.to_be_bytes());
    }
    for number in 0..10_000u32 {
        assert_eq!(master.next().await.body, &number.to_be_bytes()[..]);
    }
    assert_eq!(agent.peers.len(), 1);
}

#[tokio::test]
async fn large_messages_arrive_whole() {
    let (mut master, agent) = (process("master"), process("slave(1)"));
    let large: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
    agent.peers.send("slave(1)", &master.pid, "x.Large", &large);
    agent.peers.send("slave(1)", &master.pid, "x.Small", b"after");
    assert_eq!(master.next().await.body, large);
    assert_eq!(master.next().await.body, "after");
}

#[tokio::test]
async fn a_link_tells_that_the_other_process_ended() {
    let (mut master, agent) = (process("master"), process("slave(1)"));
    let server = agent.server;
    master.peers.link(&agent.pid);
    master.peers.send("master", &agent.pid, "x.Y", b"");
    let mut inbox = agent.inbox;
    within(inbox.recv()).await.unwrap();
    server.finish().await;
    assert_eq!(within(master.exits.recv()).await.unwrap(), agent.pid);
    assert!(master.peers.is_empty());
}

#[tokio::test]
async fn a_link_to_nobody_is_an_exit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = Pid::new("slave(1)", listener.local_addr().unwrap());
    drop(listener);
    let (peers, mut exits) = peers("127.0.0.1:1".parse().unwrap());
    for _ in 0..3 {
        peers.link(&nobody);
        assert_eq!(within(exits.recv()).await.unwrap(), nobody);
    }
}

#[tokio::test]
async fn every_pid_linked_at_an_address_exits_and_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (peers, mut exits) = peers("127.0.0.1:1".parse().unwrap());
    let [a, b, c] = ["a", "b", "c"].map(|id| Pid::new(id, address));
    for pid in [&b, &a, &c, &a] {
        peers.link(pid);
    }
    peers.unlink(&c);
    drop(within(listener.accept()).await.unwrap());
    assert_eq!(within(exits.recv()).await.unwrap(), a);
    assert_eq!(within(exits.recv()).await.unwrap(), b);
    assert!(exits.try_recv().is_err());
}

#[tokio::test]
async fn after_a_break_the_next_message_dials_again_and_nothing_is_sent_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = Pid::new("slave(1)", listener.local_addr().unwrap());
    let (peers, mut exits) = peers("127.0.0.1:9".parse().unwrap());
    peers.link(&to);
    peers.send("master", &to, "x.First", b"1");
    let (stream, _) = within(listener.accept()).await.unwrap();
    let mut socket = Socket(stream);
    socket.read_until("\r\n\r\n1").await;
    drop(socket);
    assert_eq!(within(exits.recv()).await.unwrap(), to);
    peers.send("master", &to, "x.Second", b"2");
    let (stream, _) = within(listener.accept()).await.unwrap();
    let head = Socket(stream).read_until("\r\n\r\n2").await;
    assert!(head.starts_with("POST /slave(1)/x.Second HTTP/1.1\r\n"), "{head}");
    for line in [
        "User-Agent: libprocess/master@127.0.0.1:9",
        "Libprocess-From: master@127.0.0.1:9",
        "Connection: Keep-Alive",
        &format!("Host: {}", to.address),
        "Reeve-Reply: none",
        "Content-Length: 1",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = Pid::new("slave(1)", listener.local_addr().unwrap());
    let mut config = PeersConfig::new("127.0.0.1:9".parse().unwrap());
    config.queue_limit = 1 << 20;
    let (peers, mut exits) = Peers::new(config, CancellationToken::new());
    peers.link(&to);
    let (_unread, _) = within(listener.accept()).await.unwrap();
    let body = vec![0; 100_000];
    let gave_up = within(async {
        loop {
            peers.send("master", &to, "x.Y", &body);
            tokio::select! {
                biased;
                exited = exits.recv() => return exited.unwrap(),
                () = tokio::task::yield_now() => (),
            }
        }
    })
    .await;
    assert_eq!(gave_up, to);
}

#[tokio::test]
async fn what_waits_still_leaves_after_a_stop() {
    let mut master = process("master");
    let stop = CancellationToken::new();
    let config = PeersConfig::new("127.0.0.1:9".parse().unwrap());
    let (peers, _exits) = Peers::new(config, stop.clone());
    peers.send("slave(1)", &master.pid, "mesos.internal.UnregisterSlaveMessage", b"bye");
    stop.cancel();
    assert_eq!(master.next().await.body, "bye");
}

#[tokio::test]
async fn a_stop_of_our_own_is_no_exit_of_others() {
    let master = process("master");
    let stop = CancellationToken::new();
    let config = PeersConfig::new("127.0.0.1:9".parse().unwrap());
    let (peers, mut exits) = Peers::new(config, stop.clone());
    peers.link(&master.pid);
    stop.cancel();
    drop(peers);
    assert_eq!(within(exits.recv()).await, None);
}

const FROM: &str = "Libprocess-From: slave(1)@127.0.0.1:9\r\n";

fn post(to: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /{to}/x.Y HTTP/1.1\r\n{FROM}Content-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn pipelined_posts_are_taken_and_answered_in_order() {
    let mut master = process("master");
    let mut socket = master.server.connect().await;
    let all = [post("master", "1"), post("nobody", "2"), post("master", "3")].concat();
    socket.write(all).await;
    let answers = [202, 404, 202];
    for expected in answers {
        let head = socket.read_until("\r\n\r\n").await;
        assert_eq!(status(&head), expected);
        if expected == 404 {
            socket.read_until("404 Not Found.").await;
        }
    }
    assert_eq!(master.next().await.body, "1");
    assert_eq!(master.next().await.body, "3");
}

#[tokio::test]
async fn whoever_wants_no_reply_hears_of_failures_alone() {
    let mut master = process("master");
    let mut socket = master.server.connect().await;
    let silent = |to, body| post(to, body).replace(FROM, &format!("{FROM}Reeve-Reply: none\r\n"));
    socket
        .write([silent("master", "1"), silent("nobody", "2"), post("master", "3")].concat())
        .await;
    assert_eq!(status(&socket.read_until("404 Not Found.").await), 404);
    assert_eq!(status(&socket.read_until("\r\n\r\n").await), 202);
    assert_eq!(master.next().await.body, "1");
    assert_eq!(master.next().await.body, "3");
}

#[tokio::test]
async fn a_connection_of_messages_may_go_on_as_http() {
    let mut master = process("master");
    let mut socket = master.server.connect().await;
    let http = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nhttp";
    socket.write([&post("master", "1"), http, &post("master", "2"), http].concat()).await;
    socket.read_until("202 Accepted\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(status(&socket.read_until("\r\n\r\nhttp").await), 200);
    let rest = socket.read_until("\r\n\r\nhttp").await;
    assert!(rest.starts_with("HTTP/1.1 202 Accepted\r\n"), "{rest}");
    assert_eq!(master.next().await.body, "1");
    let message = master.next().await;
    assert_eq!(message.body, "2");
    assert_eq!(message.from.to_string(), "slave(1)@127.0.0.1:9");
}

#[tokio::test]
async fn an_actor_that_ended_is_not_found() {
    let master = process("master");
    drop(master.inbox);
    let answer = master.server.ask(&post("master", "1")).await;
    assert_eq!((status(&answer), body(&answer)), (404, "404 Not Found."));
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_connection() {
    let actors = Actors::new();
    let (queue, mut inbox) = mpsc::channel(1);
    actors.register("master", queue);
    let server = Running::with_limit(Router::new("master"), actors, 100);
    let answer = server.ask(&post("master", &"x".repeat(101))).await;
    assert_eq!(status(&answer), 413);
    drop(server);
    assert!(inbox.try_recv().is_err());
}

#[tokio::test]
async fn a_silent_link_is_kept() {
    let mut master = process("master");
    let mut silent = master.server.connect().await;
    let (peers, _exits) = peers("127.0.0.1:9".parse().unwrap());
    peers.send("slave(1)", &master.pid, "x.Y", b"other");
    master.next().await;
    silent.write(post("master", "at last")).await;
    assert_eq!(master.next().await.body, "at last");
}

/// A rate far below what it is, so that only a blunder fails: the figure is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_a_second_go_through() {
    const COUNT: usize = 200_000;
    let actors = Actors::new();
    let (queue, mut inbox) = mpsc::channel(4096);
    actors.register("master", queue);
    let server = Running::start(Router::new("master"), actors);
    let to = Pid::new("master", server.address);
    let mut config = PeersConfig::new("127.0.0.1:9".parse().unwrap());
    // All of them may wait: this measures the way, not the limit.
    config.queue_limit = 1 << 30;
    let (peers, _exits) = Peers::new(config, CancellationToken::new());
    let start = std::time::Instant::now();
    let sending = std::thread::spawn(move || {
        let body = [7; 200];
        for _ in 0..COUNT {
            peers.send("slave(1)", &to, "mesos.internal.StatusUpdateMessage", &body);
        }
        (start.elapsed(), peers)
    });
    for _ in 0..COUNT {
        within(inbox.recv()).await.unwrap();
    }
    let elapsed = start.elapsed();
    let (queued, _peers) = sending.join().unwrap();
    println!("{COUNT} messages queued in {queued:?}, through in {elapsed:?}");
    assert!(elapsed < Duration::from_secs(20));
}

#[tokio::test]
async fn dialling_says_whether_a_peer_can_be_reached() {
    let agent = process("slave(1)");
    let (peers, mut exits) = peers("127.0.0.1:9".parse().unwrap());
    assert_eq!(within(peers.dial(agent.pid.address)).await, Ok(()));
    assert_eq!(within(peers.dial(agent.pid.address)).await, Ok(()), "it is connected already");
    assert_eq!(peers.len(), 1);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = within(peers.dial(nobody)).await.unwrap_err();
    assert_eq!(refused.kind, std::io::ErrorKind::ConnectionRefused);
    assert_eq!(refused.to_string(), "connection refused");
    assert!(exits.try_recv().is_err(), "nobody was linked");
}

#[tokio::test]
async fn a_message_tells_where_its_connection_comes_from() {
    let mut master = process("master");
    let (peers, _exits) = peers("10.9.8.7:5051".parse().unwrap());
    peers.send("slave(1)", &master.pid, "mesos.internal.PongSlaveMessage", b"");
    let message = master.next().await;
    assert_eq!(message.from.address.ip().to_string(), "10.9.8.7");
    assert_eq!(message.via.unwrap().to_string(), "127.0.0.1");
}
