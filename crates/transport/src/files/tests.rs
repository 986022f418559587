use bytes::Bytes;
use http::{HeaderMap, Method};

use super::*;

fn ask(uri: &str) -> Request {
    Request {
        method: Method::GET,
        uri: uri.parse().expect("a URI"),
        path: String::new(),
        tail: String::new(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        peer: "127.0.0.1:1".parse().expect("an address"),
        principal: None,
    }
}

fn sandbox() -> (tempfile::TempDir, Files) {
    let room = tempfile::tempdir().expect("a directory");
    std::fs::write(room.path().join("stdout"), "hello world\n").expect("a file");
    std::fs::create_dir(room.path().join("deep")).expect("a directory");
    let files = Files::new();
    files.attach("/run/1", room.path());
    (room, files)
}

fn text(answer: Result<Response, Response>) -> (u16, String) {
    let answer = answer.unwrap_or_else(|refusal| refusal);
    (answer.status.as_u16(), answer.body_text())
}

#[test]
fn a_file_is_read_from_an_offset() {
    let (_room, files) = sandbox();
    let (status, body) = text(files.read(&ask("/files/read?path=/run/1/stdout&offset=6")));
    assert_eq!((status, body.as_str()), (200, r#"{"data":"world\n","offset":6}"#));
    let (_, body) = text(files.read(&ask("/files/read?path=/run/1/stdout&offset=0&length=5")));
    assert_eq!(body, r#"{"data":"hello","offset":0}"#);
}

#[test]
fn offset_minus_one_tells_the_size() {
    let (_room, files) = sandbox();
    let (_, body) = text(files.read(&ask("/files/read?path=/run/1/stdout&offset=-1&length=-1")));
    assert_eq!(body, r#"{"data":"","offset":12}"#);
}

#[test]
fn a_directory_is_listed_with_virtual_paths() {
    let (_room, files) = sandbox();
    let (status, body) = text(files.browse(&ask("/files/browse?path=/run/1")));
    assert_eq!(status, 200);
    let entries: Vec<Value> = serde_json::from_str(&body).expect("JSON");
    let paths: Vec<&str> = entries.iter().filter_map(|entry| entry["path"].as_str()).collect();
    assert_eq!(paths, ["/run/1/deep", "/run/1/stdout"]);
    assert!(entries[0]["mode"].as_str().is_some_and(|mode| mode.starts_with("drwx")));
    assert_eq!(entries[1]["size"], 12);
}

#[test]
fn nothing_outside_is_reached() {
    let (room, files) = sandbox();
    std::os::unix::fs::symlink("/etc", room.path().join("out")).expect("a link");
    for path in ["/etc/passwd", "/run/1/../../etc/passwd", "/run/12", "/run/1/out/passwd"] {
        let (status, _) = text(files.read(&ask(&format!("/files/read?path={path}"))));
        assert_eq!(status, 404, "{path}");
    }
}

#[test]
fn wrong_questions_are_400() {
    let (_room, files) = sandbox();
    assert_eq!(text(files.read(&ask("/files/read"))).0, 400);
    assert_eq!(text(files.read(&ask("/files/read?path=/run/1"))).0, 400);
    assert_eq!(text(files.read(&ask("/files/read?path=/run/1/stdout&offset=-2"))).0, 400);
    assert_eq!(text(files.read(&ask("/files/read?path=/run/1/stdout&offset=x"))).0, 400);
    assert_eq!(text(files.browse(&ask("/files/browse?path=/run/1/stdout"))).0, 400);
}
