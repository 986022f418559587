//! What a task asks to be fetched is in its sandbox before it starts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use reeve_tests::scheduler::task;
use reeve_tests::{Cluster, Scheduler};
use serde_json::{Value, json};

/// A packed directory with one file, `inside`.
fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(7);
    header.set_mode(0o644);
    archive.append_data(&mut header, "packed/inside", &b"packed\n"[..]).expect("in memory");
    archive.into_inner().and_then(GzEncoder::finish).expect("in memory")
}

/// Serves one file to whoever asks, for as long as the test lives.
fn serve(content: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { return };
            drop(socket.read(&mut [0; 4096]));
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            drop(socket.write_all(&[head.as_bytes(), &content].concat()));
        }
    });
    address
}

fn fetching(command: &str, uris: Value) -> Value {
    let mut fetching = task("it", command);
    fetching["command"]["uris"] = uris;
    fetching
}

fn write(path: &Path, content: &[u8]) -> String {
    std::fs::write(path, content).expect("a file in the room");
    format!("file://{}", path.display())
}

#[test]
fn files_and_archives_are_fetched() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let plain = write(&cluster.room.join("plain.txt"), b"plain\n");
    let program = write(&cluster.room.join("program"), b"#!/bin/sh\necho program\n");
    let web = format!("http://{}/some/web.tar.gz", serve(archive()));
    let whole = write(&cluster.room.join("whole.tar.gz"), &archive());
    let uris = json!([
        {"value": plain}, {"value": program, "executable": true}, {"value": web},
        {"value": whole, "extract": false}, {"value": plain, "output_file": "other/name"},
    ]);
    let command = "cat plain.txt && ./program && cat packed/inside other/name && ls whole.tar.gz";
    scheduler.launch(fetching(command, uris));
    scheduler.state("it", "TASK_FINISHED");
    let expected = "plain\nprogram\npacked\nplain\nwhole.tar.gz\n";
    assert_eq!(cluster.agent.read_of("it", "stdout"), expected);
}

#[test]
fn what_can_not_be_fetched_fails_the_task() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.launch(fetching("true", json!([{"value": "file:///no/such/file"}])));
    let failed = scheduler.state("it", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_CONTAINER_LAUNCH_FAILED");
    assert!(failed["message"].to_string().contains("/no/such/file"), "{failed}");
}
