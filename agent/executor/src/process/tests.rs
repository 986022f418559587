use super::*;

#[test]
fn a_wrapped_program_comes_after_the_words_of_the_wrapper() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let program = |file: &str, arguments: &str| Program {
        file: file.to_owned(),
        arguments: words(arguments),
        environment: Vec::new(),
    };
    let wrapper = words("/bin/elsewhere run");
    let wrapped = program("/bin/sh", "sh -c true").wrapped(&wrapper);
    assert_eq!(wrapped, program("/bin/elsewhere", "/bin/elsewhere run -- /bin/sh -c true"));
    let nothing = Program { arguments: Vec::new(), ..program("", "") };
    let wrapped = nothing.wrapped(&wrapper);
    assert_eq!(wrapped, program("/bin/elsewhere", "/bin/elsewhere run --"));
    let steered = vec![("LD_PRELOAD".to_owned(), "/evil.so".to_owned())];
    let wrapped = Program { environment: steered, ..program("/bin/sh", "sh") }.wrapped(&wrapper);
    assert_eq!(wrapped.environment, []);
}

#[test]
fn endings_are_worded_as_mesos_words_them() {
    assert_eq!(describe("Command", 0), "Command exited with status 0");
    assert_eq!(describe("Command", 3 << 8), "Command exited with status 3");
    assert_eq!(describe("Command", 9), "Command terminated with signal Killed");
    assert_eq!(describe("Command", 15), "Command terminated with signal Terminated");
    assert_eq!(
        describe("Command", 11 | 0x80),
        "Command terminated with signal Segmentation fault (core dumped)"
    );
    assert!(succeeded(0) && !succeeded(1 << 8) && !succeeded(15));
}

#[test]
fn a_status_file_is_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status");
    write_status(&path, 768).unwrap();
    write_status(&path, 9).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "9\n");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
