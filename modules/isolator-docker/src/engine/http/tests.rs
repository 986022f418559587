use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::*;

/// A server that gives one answer, in two halves.
fn server(answer: &'static str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut request = [0; 1_024];
        let _ = peer.read(&mut request).unwrap();
        let (first, second) = answer.split_at(answer.len() / 2);
        for half in [first, second] {
            peer.write_all(half.as_bytes()).unwrap();
            peer.flush().unwrap();
        }
    });
    (directory, path)
}

fn answer(text: &'static str) -> io::Result<(u16, String)> {
    let (_directory, path) = server(text);
    let request = Request { method: "GET", target: "/", ..Request::default() };
    let mut response = exchange(&path, &request, Limit::of(Duration::from_secs(30)))?;
    let mut body = String::new();
    response.body.read_to_string(&mut body)?;
    Ok((response.status, body))
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[test]
fn bodies_come_whole_however_they_are_laid_out() {
    let all =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    assert_eq!(answer(all).unwrap(), is(200, "abcde"));
    let all = "HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nabc";
    assert_eq!(answer(all).unwrap(), is(404, "abc"));
    assert_eq!(answer("HTTP/1.1 200 OK\r\n\r\nto the end").unwrap(), is(200, "to the end"));
    assert_eq!(answer("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), is(204, ""));
    let all = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.";
    assert_eq!(answer(all).unwrap(), is(200, "."));
}

#[test]
fn a_body_that_is_cut_short_is_an_error() {
    assert!(answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").is_err());
    assert!(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc").is_err());
    assert!(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    assert!(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n").is_err());
    assert!(answer("HTTP/1.1 200 OK\r\nContent-Le").is_err());
    assert!(answer("gibberish\r\n\r\n").is_err());
}

/// A server that takes connections and says nothing.
fn silent() -> (tempfile::TempDir, PathBuf, UnixListener) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    (directory, path, listener)
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_beyond_the_limit() {
    let (_directory, path, _listener) = silent();
    let request = Request { method: "GET", target: "/", ..Request::default() };
    let error = exchange(&path, &request, Limit::of(Duration::from_millis(50))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    // Also once so many wait to be accepted that none can connect any more.
    let waiting = std::iter::from_fn(|| {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.connect(&SockAddr::unix(&path).unwrap()).ok().map(|()| socket)
    });
    let waiting: Vec<Socket> = waiting.collect();
    let error = exchange(&path, &request, Limit::of(Duration::from_millis(50))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(waiting);
}

#[test]
fn a_wait_that_is_given_up_ends() {
    let (_directory, path, _listener) = silent();
    let flag = Arc::new(AtomicBool::new(false));
    let limit = Limit::none().unless(Arc::clone(&flag));
    let waiting = std::thread::spawn(move || {
        exchange(&path, &Request { method: "GET", target: "/", ..Request::default() }, limit)
    });
    flag.store(true, Ordering::SeqCst);
    assert!(waiting.join().unwrap().is_err());
}
