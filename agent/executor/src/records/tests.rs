use super::*;

#[test]
fn records_are_cut_wherever_the_stream_breaks() {
    let stream = b"3\nabc0\n11\nhello world";
    for size in 1..=stream.len() {
        let mut records = Records::default();
        let mut seen = Vec::new();
        for piece in stream.chunks(size) {
            records.push(piece);
            while let Some(record) = records.next().unwrap() {
                seen.push(record);
            }
        }
        assert_eq!(seen, [b"abc".to_vec(), b"".to_vec(), b"hello world".to_vec()]);
    }
}

#[test]
fn a_stream_out_of_step_is_noticed() {
    for text in ["x\n", "-1\n", "\n", "99999999999999999999999\n", "999999999999\n"] {
        let mut records = Records::default();
        records.push(text.as_bytes());
        assert_eq!(records.next(), Err(BadLength), "{text:?}");
    }
}
