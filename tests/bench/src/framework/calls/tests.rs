//! What hides in a stream of answers must be found wherever it is cut.

use super::*;

fn counted(parts: &[&str]) -> (usize, Option<String>) {
    let (tells, answers) = watch::channel(Answers::default());
    let mut buffer = BytesMut::new();
    let mut refusal = None;
    for part in parts {
        buffer.extend_from_slice(part.as_bytes());
        refusal = refusal.or(count(&mut buffer, &tells));
    }
    (answers.borrow().accepted, refusal)
}

#[test]
fn answers_are_counted_wherever_they_are_cut() {
    let both = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".repeat(2);
    for cut in 0..both.len() {
        let (before, after) = both.split_at(cut);
        assert_eq!(counted(&[before, after]), (2, None), "cut at {cut}");
    }
}

#[test]
fn a_refusal_is_told_with_its_text() {
    let text = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n\
                HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(counted(&[text]), (1, None), "its text is still missing");
    assert_eq!(counted(&[text, "no"]), (1, Some("403 no".to_owned())));
    let (_, why) = counted(&["nonsense\r\n\r\n"]);
    assert!(why.is_some_and(|why| why.contains("nonsense")));
}
