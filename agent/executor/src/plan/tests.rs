use super::*;

fn framed(entries: &[&str]) -> Vec<u8> {
    let text: Vec<u8> = entries.iter().flat_map(|e| e.bytes().chain([0])).collect();
    let mut framed = u32::try_from(text.len()).unwrap().to_le_bytes().to_vec();
    framed.extend(text);
    framed
}

#[test]
fn a_whole_plan_is_read_and_the_go_byte_is_left() {
    let mut input = framed(&[
        "kind=exec",
        "sandbox=/s",
        "status=/r/status",
        "user=1000:100:4,24",
        "rlimit=7:64:128",
        "wrap=/bin/elsewhere",
        "wrap=run",
        "exec-wrap=/bin/beside",
        "env=A=b=c",
        "stderr=/bin/cat",
        "stderr=-u",
        "secret=TOKEN=a=b",
        "program=/bin/echo",
        "arg=echo",
        "arg=a=b",
    ]);
    input.push(b'g');
    let mut rest = input.as_slice();
    let plan = Plan::read(&mut rest).unwrap();
    assert_eq!(rest, b"g");
    assert_eq!(plan.user, Some(User { uid: 1000, gid: 100, groups: vec![4, 24] }));
    assert_eq!(plan.rlimits, [(7, 64, 128)]);
    assert_eq!(plan.wrapper, ["/bin/elsewhere", "run"]);
    assert_eq!(plan.exec_wrapper, ["/bin/beside"]);
    assert_eq!(plan.stdout, [""; 0]);
    assert_eq!(plan.stderr, ["/bin/cat", "-u"]);
    assert_eq!(plan.secrets, [("TOKEN".to_owned(), "a=b".to_owned())]);
    assert_eq!(
        plan.kind,
        Kind::Exec {
            program: "/bin/echo".into(),
            arguments: vec!["echo".into(), "a=b".into()],
            environment: vec![("A".into(), "b=c".into())],
        }
    );
}

#[test]
fn a_plan_that_cannot_be_followed_says_why() {
    let refused = |entries: &[&str]| Plan::read(&mut framed(entries).as_slice()).unwrap_err();
    assert!(refused(&["sandbox=/s"]).to_string().contains("'kind'"));
    assert!(refused(&["kind=exec", "sandbox=/s"]).to_string().contains("'program'"));
    assert!(refused(&["kind=magic", "sandbox=/s"]).to_string().contains("kind=magic"));
    assert!(refused(&["colour=red"]).to_string().contains("colour=red"));
    assert!(refused(&["secret=hush"]).to_string().contains("secret=(not shown)"));
    assert!(refused(&["user=root"]).to_string().contains("user=root"));
    assert!(refused(&["env=A"]).to_string().contains("env=A"));
    assert!(refused(&["rlimit=7:1"]).to_string().contains("rlimit=7:1"));
    assert!(matches!(Plan::read(&mut [255_u8; 4].as_slice()), Err(PlanError::TooLong(_))));
}

#[test]
fn an_agent_that_dies_while_writing_is_noticed_at_every_byte() {
    let whole = framed(&["kind=command-executor", "sandbox=/s"]);
    for end in 0..whole.len() {
        assert!(matches!(Plan::read(&mut &whole[..end]), Err(PlanError::Closed(_))), "at {end}");
    }
}
