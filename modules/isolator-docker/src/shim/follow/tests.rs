use super::*;

fn copied(output: &[u8], terminal: bool) -> (String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    drop(copy(output, terminal, &mut stdout, &mut stderr));
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn two_streams_in_one_are_taken_apart() {
    let long = "x".repeat(40_000);
    let mut output = Vec::new();
    for (stream, text) in [(1, "out"), (2, "err"), (1, ""), (1, long.as_str()), (2, "!")] {
        let length = u32::try_from(text.len()).unwrap();
        output.extend(
            [&[stream, 0, 0, 0], length.to_be_bytes().as_slice(), text.as_bytes()].concat(),
        );
    }
    assert_eq!(copied(&output, false), (format!("out{long}"), "err!".to_owned()));
    // One that breaks off is written as far as it came.
    assert_eq!(copied(&output[..10], false), ("ou".to_owned(), String::new()));
}

#[test]
fn a_terminal_has_one_stream() {
    assert_eq!(copied(b"as it is", true), ("as it is".to_owned(), String::new()));
}
