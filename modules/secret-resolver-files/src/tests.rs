use std::fs;

use reeve_module_api::v2::{Parameter, ParameterValue};

use super::*;

/// A directory of secrets beside a file that is none.
fn files() -> (tempfile::TempDir, Files) {
    let dir = tempfile::tempdir().unwrap();
    let secrets = dir.path().join("secrets");
    fs::create_dir_all(secrets.join("db")).unwrap();
    fs::write(dir.path().join("outside"), "not yours").unwrap();
    fs::write(secrets.join("token"), "t0ken\n").unwrap();
    fs::write(secrets.join("db/password"), b"\xff\x00").unwrap();
    std::os::unix::fs::symlink("../outside", secrets.join("way-out")).unwrap();
    std::os::unix::fs::symlink("db/password", secrets.join("alias")).unwrap();
    let text = secrets.to_str().unwrap().into();
    let parameters = Parameters::new([
        Parameter { name: "directory".into(), value: ParameterValue::Text(text) },
        Parameter { name: "strip_newline".into(), value: ParameterValue::Switch(true) },
    ]);
    let files = Files::create(&parameters).unwrap();
    (dir, files)
}

fn refused(files: &Files, name: &str, key: &str) -> String {
    files.resolve(name, key).unwrap_err().to_string()
}

#[test]
fn a_secret_is_a_file_and_a_key_a_file_of_a_directory() {
    let (_dir, files) = files();
    assert_eq!(files.resolve("token", "").unwrap(), b"t0ken");
    assert_eq!(files.resolve("db", "password").unwrap(), b"\xff\x00");
    assert_eq!(files.resolve("db/password", "").unwrap(), b"\xff\x00");
    assert_eq!(files.resolve("alias", "").unwrap(), b"\xff\x00");
    assert_eq!(refused(&files, "db", ""), "it has several keys, and none is named");
    assert_eq!(refused(&files, "db", "user"), "there is no such secret");
    assert_eq!(refused(&files, "token", "user"), "there is no such secret");
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let (dir, files) = files();
    let outside = dir.path().join("outside");
    for (name, key) in [
        ("../outside", ""),
        ("db", "../../outside"),
        ("db/../../outside", ""),
        (outside.to_str().unwrap(), ""),
        ("db", outside.to_str().unwrap()),
        ("", ""),
        ("token\0", ""),
    ] {
        assert_eq!(refused(&files, name, key), "its name is no plain path", "{name} {key}");
    }
    assert_eq!(refused(&files, "way-out", ""), "it leads out of the directory of secrets");
}

#[test]
fn a_directory_must_be_one() {
    let refused = Files::create(&Parameters::default()).unwrap_err().to_string();
    assert!(refused.contains("'directory' must be set"), "{refused}");
    let text = "/no/such/place".into();
    let missing = Parameter { name: "directory".into(), value: ParameterValue::Text(text) };
    let refused = Files::create(&Parameters::new([missing])).unwrap_err().to_string();
    assert!(refused.contains("/no/such/place"), "{refused}");
}
