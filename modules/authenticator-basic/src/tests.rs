use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn basic() -> Basic {
    let text = r#"{"credentials": [
        {"principal": "alice", "secret": "wonder:land"},
        {"principal": "bob", "secret": ""}
    ]}"#;
    Basic::new(Credentials::parse(text).unwrap())
}

fn ask(authorization: Option<&str>) -> Verdict {
    let request = Request {
        realm: "mesos-master-readonly".into(),
        authorization: authorization.map(Into::into).into(),
        ..Request::default()
    };
    basic().authenticate(&request).unwrap()
}

fn sent(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn name(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Known(principal) => principal.name.into_option().map(String::from),
        _ => None,
    }
}

#[test]
fn who_knows_the_secret_is_known() {
    assert_eq!(name(ask(Some(&sent("alice:wonder:land")))).as_deref(), Some("alice"));
    assert_eq!(name(ask(Some(&sent("bob:")))).as_deref(), Some("bob"));
    let lower = sent("bob:").replace("Basic", "basic");
    assert_eq!(name(ask(Some(&lower))).as_deref(), Some("bob"));
}

#[test]
fn anybody_else_is_challenged() {
    let wrong = ["alice:wonder", "alice:", "alice:wonder:lands", "alice", ":", "carol:", "Alice:x"];
    let wrong = wrong.iter().map(|pair| sent(pair));
    let damaged = ["", "Basic", "Basic ", "Basic !!!", "Basic gICA", "Bearer YWxpY2U6eA=="];
    for text in wrong.chain(damaged.map(str::to_owned)).map(Some).chain([None]) {
        let challenge = "Basic realm=\"mesos-master-readonly\"".into();
        assert_eq!(ask(text.as_deref()), Verdict::Unknown { challenge }, "{text:?}");
    }
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_place_and_without_its_secrets() {
    let complaint = |text: &str| Credentials::parse(text).unwrap_err();
    for text in [
        "alice hunter2",
        "{\"credentials\": [\n{\"principal\": \"alice\", \"secret\": \"hunter2\"",
        "{\"credentials\": [{\"principal\": \"alice\"}], \"x\": \"hunter2\"}",
        "{\"credentials\": \"hunter2\"}",
    ] {
        let complaint = complaint(text);
        assert!(complaint.starts_with("line "), "{complaint}");
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }
    let pair = r#"{"principal": "a", "secret": "x"}"#;
    let twice = format!(r#"{{"credentials": [{pair}, {pair}]}}"#);
    assert_eq!(complaint(&twice), "the principal 'a' is there twice");
    assert!(complaint(&twice.replace("\"a\"", "\"a:b\"")).contains("colon"));
}

#[test]
fn a_file_is_read_and_one_that_is_not_there_is_named() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("credentials.json");
    let missing = Credentials::read(&path).unwrap_err().to_string();
    assert!(missing.contains("credentials.json: No such file"), "{missing}");
    std::fs::write(&path, r#"{"credentials": [{"principal": "a", "secret": "x"}]}"#).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Credentials::read(&path).unwrap().hold("a", "x"));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", basic());
    assert!(shown.contains("alice") && !shown.contains("wonder"), "{shown}");
}

proptest! {
    #[test]
    fn no_header_confuses_it(header in ".{0,60}") {
        prop_assert_eq!(name(ask(Some(&header))), None);
        prop_assert_eq!(name(ask(Some(&sent(&header)))), None);
    }
}
