use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;

fn message(to: &str, name: &str, body: &[u8]) -> Decoded {
    let message = Inbound {
        from: "slave(1)@10.0.0.2:5051".parse().unwrap(),
        via: None,
        to: to.into(),
        name: name.into(),
        body: Bytes::copy_from_slice(body),
    };
    Decoded::Message(message, true)
}

fn post(path: &str, framing: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nUser-Agent: libprocess/slave(1)@10.0.0.2:5051\r\n\
         Libprocess-From: slave(1)@10.0.0.2:5051\r\nConnection: Keep-Alive\r\nHost: \r\n{framing}\r\n"
    )
    .into_bytes()
}

fn sized(path: &str, body: &[u8]) -> Vec<u8> {
    let head = post(path, &format!("Content-Length: {}\r\n", body.len()));
    [head, body.to_vec()].concat()
}

fn chunked(path: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = post(path, "Transfer-Encoding: chunked\r\n");
    for chunk in chunks {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// Everything that comes out of bytes that arrive in pieces of that size.
fn decode(bytes: &[u8], piece: usize) -> (Vec<Decoded>, Option<Stop>) {
    let (mut decoder, mut buffer, mut out) = (Decoder::new(LIMIT), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some(decoded)) => out.push(decoded),
                Ok(None) => break,
                Err(stop) => return (out, Some(stop)),
            }
        }
    }
    (out, None)
}

#[test]
fn all_framings_are_read_however_they_arrive() {
    let bytes = [
        sized("/master/a.B", b"one"),
        chunked("/slave(1)/a.C", &[b"two"]),
        post("/slave%281%29/a.D", ""),
        chunked("/master/a.E", &[b"th", b"r", b"ee"]),
        chunked("/master/a.F", &[]),
    ]
    .concat();
    let expected = [
        message("master", "a.B", b"one"),
        message("slave(1)", "a.C", b"two"),
        message("slave(1)", "a.D", b""),
        message("master", "a.E", b"three"),
        message("master", "a.F", b""),
    ];
    for piece in [1, 2, 3, 7, 100, bytes.len()] {
        assert_eq!(decode(&bytes, piece), (expected.to_vec(), None), "in pieces of {piece}");
    }
}

#[test]
fn plain_http_is_left_untouched() {
    let request = b"GET /state HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut buffer = BytesMut::from(&[sized("/master/a.B", b"x"), request.to_vec()].concat()[..]);
    let mut decoder = Decoder::new(LIMIT);
    assert_eq!(decoder.next(&mut buffer), Ok(Some(message("master", "a.B", b"x"))));
    assert_eq!(decoder.next(&mut buffer), Err(Stop::NotLibprocess));
    assert_eq!(buffer, &request[..]);
}

#[test]
fn paths_and_senders_without_sense_reach_nobody_and_end_nothing() {
    let strange = b"POST /master/a.B HTTP/1.1\r\nLibprocess-From: nobody\r\n\r\n".to_vec();
    for request in
        [post("/", ""), post("/master", ""), post("//x", ""), post("/%ff/x", ""), strange]
    {
        let bytes = [request, sized("/master/a.B", b"next")].concat();
        let (decoded, stop) = decode(&bytes, usize::MAX);
        assert!(matches!(decoded[0], Decoded::Unreadable(_)));
        assert_eq!(decoded[1], message("master", "a.B", b"next"));
        assert_eq!(stop, None);
    }
}

#[test]
fn what_is_larger_than_the_limit_is_refused_before_it_is_read() {
    let large = LIMIT + 1;
    let head = post("/master/a.B", &format!("Content-Length: {large}\r\n"));
    assert_eq!(decode(&head, usize::MAX).1, Some(Stop::TooLarge));
    let chunk = [post("/m/x", "Transfer-Encoding: chunked\r\n"), b"fffffffffffffff\r\n".to_vec()];
    assert_eq!(decode(&chunk.concat(), usize::MAX).1, Some(Stop::TooLarge));
    let half = vec![b'x'; LIMIT / 2 + 1];
    assert_eq!(decode(&chunked("/m/x", &[&half, &half]), usize::MAX).1, Some(Stop::TooLarge));
}

#[test]
fn broken_framing_ends_the_connection() {
    for framing in [
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: +1\r\n\r\na",
        "Content-Length: \r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        "Transfer-Encoding: chunked\r\n\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\nab\r\n",
    ] {
        let mut bytes = post("/master/a.B", framing);
        bytes.truncate(bytes.len() - 2);
        let (decoded, stop) = decode(&bytes, usize::MAX);
        assert!(decoded.is_empty() && matches!(stop, Some(Stop::Malformed(_))), "{framing}");
    }
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(bytes: Vec<u8>, piece in 1..64usize) {
        decode(&bytes, piece);
        decode(&[post("/master/a.B", "Transfer-Encoding: chunked\r\n"), bytes].concat(), piece);
    }

    /// One byte changed anywhere in a good stream.
    #[test]
    fn no_mutation_brings_it_down(at: prop::sample::Index, byte: u8, piece in 1..64usize) {
        let mut bytes = [chunked("/m/x", &[b"abc", b"d"]), sized("/m/y", b"efg")].concat();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        decode(&bytes, piece);
    }

    #[test]
    fn bodies_come_out_as_they_went_in(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8),
        piece in 1..200usize,
    ) {
        let body = chunks.concat();
        let slices: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let bytes = [chunked("/m/x", &slices), sized("/m/y", &body)].concat();
        let expected = vec![message("m", "x", &body), message("m", "y", &body)];
        prop_assert_eq!(decode(&bytes, piece), (expected, None));
    }
}
