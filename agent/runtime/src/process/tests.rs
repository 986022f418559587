use super::*;

#[test]
fn fields_are_found_whatever_the_name() {
    let text = b"4321 (a) b ( c) S 12 34 56 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n";
    let stat = parse_stat(text).unwrap();
    assert_eq!((stat.state, stat.parent, stat.session), (b'S', 12, 56));
    assert_eq!(stat.start_time, Some(987_654));
    assert_eq!(parse_stat(b"no parenthesis"), None);
}

#[test]
fn this_process_is_found() {
    let me = std::process::id();
    assert!(!stat(me).unwrap().is_dead());
    assert!(start_time(me).unwrap() > 0);
    assert!(!boot_id().is_empty());
}
