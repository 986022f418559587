use super::*;

/// Feeds the text in pieces of every size, which must not change what comes out.
fn read(text: &[u8]) -> Result<(Option<u16>, Vec<u8>, bool), HttpError> {
    let mut seen = None;
    for size in 1..=text.len() {
        let mut response = Response::new();
        let mut body = Vec::new();
        let mut outcome = Ok(());
        for piece in text.chunks(size) {
            outcome = outcome.and_then(|()| response.push(piece));
            body.extend(response.take_body());
        }
        let result = outcome.map(|()| (response.status(), body, response.is_done()));
        assert!(seen.is_none() || seen.as_ref() == Some(&result), "pieces of {size}");
        seen = Some(result);
    }
    seen.unwrap()
}

#[test]
fn bodies_of_every_layout_are_read() {
    let (status, body, done) =
        read(b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nabc").unwrap();
    assert_eq!((status, body.as_slice(), done), (Some(202), b"abc".as_slice(), true));

    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: t\r\n\r\n";
    let (status, body, done) = read(chunked).unwrap();
    assert_eq!((status, body.as_slice(), done), (Some(200), b"abc0123456789".as_slice(), true));

    let (_, body, done) = read(b"HTTP/1.1 200 OK\r\n\r\nopen").unwrap();
    assert_eq!((body.as_slice(), done), (b"open".as_slice(), false));
}

#[test]
fn interim_responses_are_passed_over() {
    let (status, _, done) =
        read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
    assert_eq!((status, done), (Some(202), true));
}

#[test]
fn nonsense_is_refused() {
    assert!(matches!(read(b"SMTP ready\r\n\r\n"), Err(HttpError::Head(_))));
    assert_eq!(
        read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        Err(HttpError::Length)
    );
    assert_eq!(read(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), Err(HttpError::Length));
    let mut endless = Response::new();
    assert_eq!(endless.push(b"HTTP/1.1 200 OK\r\n"), Ok(()));
    let header = [b"X: ".as_slice(), &[b'x'; 1 << 14]].concat();
    assert_eq!(endless.push(&header), Err(HttpError::LongHead));
}

#[test]
fn a_post_carries_its_token() {
    let text = post("h:1", "/p", Some("t"), b"body");
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("POST /p HTTP/1.1\r\n"));
    assert!(text.contains("\r\nAuthorization: Bearer t\r\n"));
    assert!(text.ends_with("Content-Length: 4\r\n\r\nbody"));
}
