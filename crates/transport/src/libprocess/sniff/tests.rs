use proptest::prelude::*;

use super::*;

#[test]
fn a_post_that_names_its_sender_is_a_message() {
    let by_agent = b"POST /master/x.Y HTTP/1.1\r\nUser-Agent: libprocess/a@1.2.3.4:5\r\n\r\n";
    let by_header = b"POST /master/x.Y HTTP/1.1\r\nLIBPROCESS-FROM: a@1.2.3.4:5\r\n\r\n";
    assert_eq!(sniff(by_agent), Sniffed::Libprocess);
    assert_eq!(sniff(by_header), Sniffed::Libprocess);
}

#[test]
fn everything_else_is_http() {
    for head in [
        "GET /master/x HTTP/1.1\r\nLibprocess-From: a@1.2.3.4:5\r\n\r\n",
        "POST /api/v1 HTTP/1.1\r\nUser-Agent: curl/8\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST / nonsense\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        assert_eq!(sniff(head.as_bytes()), Sniffed::Http, "{head}");
    }
}

#[test]
fn half_a_head_waits_for_the_rest() {
    let head = b"POST /master/x.Y HTTP/1.1\r\nUser-Agent: libprocess/a@1.2.3.4:5\r\n\r\n";
    for length in 0..head.len() {
        assert_eq!(sniff(&head[..length]), Sniffed::Incomplete, "{length}");
    }
    let endless = [b"POST /".to_vec(), vec![b'a'; MAX_HEAD]].concat();
    assert_eq!(sniff(&endless), Sniffed::Http);
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(bytes: Vec<u8>) {
        sniff(&bytes);
        sniff(&[b"POST ".to_vec(), bytes].concat());
    }
}
