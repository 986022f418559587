use super::*;

fn told(config: &str, registry: &str) -> Option<Value> {
    let header = Config::load(Some(config)).unwrap().header(registry).unwrap()?;
    Some(serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap())
}

#[test]
fn a_registry_is_found_however_it_is_written() {
    let auth = STANDARD.encode("ann:pa:ss");
    let of = |name: &str| format!(r#"{{"auths": {{"{name}": {{"auth": "{auth}"}}}}}}"#);
    for name in ["host:5000", "https://host:5000", "http://host:5000/v2/"] {
        let told = told(&of(name), "host:5000").unwrap();
        assert_eq!((&told["username"], &told["password"]), (&json!("ann"), &json!("pa:ss")));
        assert_eq!(told["serveraddress"], "host:5000");
    }
    for name in ["https://index.docker.io/v1/", "docker.io", "index.docker.io"] {
        assert_eq!(told(&of(name), "docker.io").unwrap()["serveraddress"], DOCKER_HUB);
    }
    assert_eq!(told(&of("other"), "host:5000"), None);
    // The older file has the registries at its top.
    let older = format!(r#"{{"host:5000": {{"auth": "{auth}", "email": ""}}}}"#);
    assert_eq!(told(&older, "host:5000").unwrap()["username"], "ann");
}

#[test]
fn a_token_and_plain_fields_are_taken_too() {
    let token = r#"{"auths": {"h.example": {"auth": "", "identitytoken": "t"}}}"#;
    assert_eq!(told(token, "h.example").unwrap()["identitytoken"], "t");
    let plain = r#"{"auths": {"h.example": {"username": "u", "password": "p"}}}"#;
    assert_eq!(told(plain, "h.example").unwrap()["password"], "p");
}

#[test]
fn what_is_wrong_with_a_configuration_is_said() {
    let error = |parameter| Config::load(Some(parameter)).unwrap_err().to_string();
    assert!(error("/absent/config.json").contains("'/absent/config.json'"));
    assert!(error("{").contains("the parameter 'config'"));
    let config = Config::load(Some(r#"{"auths": {"h": {"auth": "?"}}}"#)).unwrap();
    assert!(config.header("h").unwrap_err().to_string().contains("'h'"));
    let config = Config::load(Some(r#"{"credsStore": "reeve-absent"}"#)).unwrap();
    assert!(config.header("h").unwrap_err().to_string().contains("'reeve-absent'"));
}

#[test]
fn a_sandbox_may_hold_credentials_but_no_programs() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = directory.path().join("sandbox");
    std::fs::create_dir_all(sandbox.join(".docker")).unwrap();
    assert!(Config::of_sandbox(&sandbox).unwrap().is_none());
    let text = r#"{"h": {"username": "u", "password": "p"}}"#;
    std::fs::write(sandbox.join(".dockercfg"), text).unwrap();
    let config = Config::of_sandbox(&sandbox).unwrap().unwrap();
    assert!(config.header("h").unwrap().is_some());
    let text = r#"{"credsStore": "reeve-absent"}"#;
    std::fs::write(sandbox.join(".docker/config.json"), text).unwrap();
    let config = Config::of_sandbox(&sandbox).unwrap().unwrap();
    assert_eq!(config.header("h").unwrap(), None);
    // What is not of the sandbox is not read for it.
    std::fs::write(directory.path().join("secret"), text).unwrap();
    std::fs::remove_dir_all(sandbox.join(".docker")).unwrap();
    std::fs::remove_file(sandbox.join(".dockercfg")).unwrap();
    std::os::unix::fs::symlink("../secret", sandbox.join(".dockercfg")).unwrap();
    let why = Config::of_sandbox(&sandbox).unwrap_err().to_string();
    assert!(why.contains("no plain file of the sandbox"), "{why}");
}
