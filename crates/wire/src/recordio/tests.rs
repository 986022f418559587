//! What both ends of a stream rely on.

use bytes::Bytes;

use super::{Decoder, Error, encode};

#[test]
fn a_record_is_its_length_a_newline_and_its_bytes() {
    assert_eq!(encode(b"{\"type\":\"HEARTBEAT\"}"), &b"20\n{\"type\":\"HEARTBEAT\"}"[..]);
    assert_eq!(encode(b""), &b"0\n"[..]);
}

#[test]
fn records_come_out_whole_wherever_the_stream_is_cut() {
    let records: [&[u8]; 4] = [b"one", b"", b"12\n", &[0; 300]];
    let stream: Vec<u8> = records.iter().flat_map(|record| encode(record)).collect();
    for size in 1..stream.len() {
        let mut decoder = Decoder::new(1000);
        let mut found = Vec::new();
        for part in stream.chunks(size) {
            decoder.push(part);
            while let Some(record) = decoder.pop().unwrap() {
                found.push(record);
            }
        }
        assert_eq!(found, records);
        assert!(decoder.is_empty());
    }
}

#[test]
fn a_stream_that_ends_inside_a_record_is_not_empty() {
    let mut decoder = Decoder::new(10);
    for part in ["1", "\n"] {
        decoder.push(part.as_bytes());
        assert_eq!(decoder.pop(), Ok(None));
        assert!(!decoder.is_empty());
    }
    decoder.push(b"x");
    assert_eq!(decoder.pop(), Ok(Some(Bytes::from_static(b"x"))));
    assert!(decoder.is_empty());
}

#[test]
fn what_is_no_record_is_refused_for_good() {
    for (stream, error) in [
        (&b"-1\nx"[..], Error::NoDigit(b'-')),
        (b"{}", Error::NoDigit(b'{')),
        (b"5\r\nhello", Error::NoDigit(b'\r')),
        (b"\nx", Error::NoLength),
        (b"000000000000000000001\nx", Error::LongLength),
        (b"11\n", Error::TooLarge { length: 11, most: 10 }),
        (b"99999999999999999999\n", Error::TooLarge { length: u64::MAX, most: 10 }),
    ] {
        let mut decoder = Decoder::new(10);
        decoder.push(stream);
        assert_eq!(decoder.pop(), Err(error.clone()));
        decoder.push(b"1\nx");
        assert_eq!(decoder.pop(), Err(error));
    }
}
