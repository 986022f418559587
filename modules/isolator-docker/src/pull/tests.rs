use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// An engine that gives these answers, one a connection, and tells what it was asked.
fn engine(answers: Vec<String>) -> (tempfile::TempDir, PathBuf, Receiver<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut peer, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && peer.read(&mut byte).unwrap() > 0 {
                request.extend(byte);
            }
            sender.send(String::from_utf8(request).unwrap()).unwrap();
            peer.write_all(answer.as_bytes()).unwrap();
        }
    });
    (directory, path, asked)
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn ensure(socket: &Path, config: &str, force: bool) -> Result<(), PullError> {
    let engine = Engine::new(socket, PATIENCE);
    let given_up = Arc::default();
    let sandbox = Path::new("/nowhere");
    let config = Some(config);
    let pull = Pull { engine: &engine, config, sandbox, patience: PATIENCE, given_up };
    pull.ensure(&Image::parse("host:5000/app:2").unwrap(), force)
}

#[test]
fn an_image_that_is_there_is_pulled_only_by_force() {
    let there = vec![answer("200 OK", "OK"), answer("200 OK", "{}")];
    let (_directory, socket, asked) = engine(there);
    ensure(&socket, "{}", false).unwrap();
    assert!(asked.recv().unwrap().starts_with("GET /_ping "));
    let request = asked.recv().unwrap();
    assert!(request.starts_with("GET /v1.41/images/host%3A5000%2Fapp%3A2/json "), "{request}");

    let progress = "{\"status\": \"Pulling\"}\r\n{\"status\": \"Done\"}\r\n";
    let (_directory, socket, asked) =
        engine(vec![answer("200 OK", "OK"), answer("200 OK", progress)]);
    let config = r#"{"auths": {"host:5000": {"username": "ann", "password": "secret"}}}"#;
    ensure(&socket, config, true).unwrap();
    asked.recv().unwrap();
    let request = asked.recv().unwrap();
    let target = "POST /v1.41/images/create?fromImage=host%3A5000%2Fapp&tag=2 ";
    assert!(request.starts_with(target), "{request}");
    assert!(request.contains("X-Registry-Auth: "), "{request}");
}

#[test]
fn an_image_that_cannot_be_had_says_why() {
    let why = |status: &str, body: &str| {
        let absent = answer("404 Not Found", r#"{"message": "no such image"}"#);
        let (_directory, socket, _asked) =
            engine(vec![answer("200 OK", "OK"), absent, answer(status, body)]);
        ensure(&socket, "{}", false).unwrap_err().to_string()
    };
    // An engine tells of a failure by its status, or once it has begun, in its progress.
    let message = why("500 Internal Server Error", r#"{"message": "no route to host"}"#);
    assert_eq!(message, "image 'host:5000/app:2' cannot be pulled: no route to host");
    let message = why("200 OK", "{\"status\": \"Pulling\"}\n{\"error\": \"denied\"}\n");
    assert_eq!(message, "image 'host:5000/app:2' cannot be pulled: denied");
}

#[test]
fn a_pull_that_nobody_waits_for_ends() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let given_up = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&given_up);
    let pulling = std::thread::spawn(move || {
        let engine = Engine::new(&socket, PATIENCE);
        let (config, sandbox) = (Some("{}"), Path::new("/nowhere"));
        let pull = Pull { engine: &engine, config, sandbox, patience: PATIENCE, given_up };
        pull.ensure(&Image::parse("app").unwrap(), true)
    });
    let (mut ping, _) = listener.accept().unwrap();
    ping.write_all(answer("200 OK", "OK").as_bytes()).unwrap();
    let (mut pull, _) = listener.accept().unwrap();
    pull.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"status\": \"Pulling\"}\n").unwrap();
    flag.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(pulling.join().unwrap().unwrap_err().to_string().contains("given up"));
}
