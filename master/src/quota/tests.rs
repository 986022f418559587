//! What may be asked for.

use reeve_wire::json;

use super::{check_top, guarantee, parse, to_wire};

fn read(text: &str) -> Result<super::Quota, String> {
    parse(&json::from_slice(text.as_bytes()).unwrap()).map(|(_, quota)| quota)
}

#[test]
fn a_quota_is_read_and_written() {
    let text = r#"{"role":"eng","guarantees":{"cpus":{"value":2}},"limits":{"cpus":{"value":4},"gpus":{"value":0}}}"#;
    let wire = json::from_slice(text.as_bytes()).unwrap();
    let (role, quota) = parse(&wire).unwrap();
    assert_eq!(to_wire(&role, &quota), wire);
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    for (text, why) in [
        (r#"{"role":"a b"}"#, "Invalid 'QuotaConfig.role'"),
        (r#"{"role":"a","limits":{"cpus":{"value":-1}}}"#, "{'cpus': -1}: Value is negative"),
        (r#"{"role":"a","limits":{"mem":{"value":2e12}}}"#, "greater than 1 exabyte"),
        (r#"{"role":"a","guarantees":{"x":{"value":2e12}}}"#, "greater than 1 trillion"),
        (
            r#"{"role":"a","guarantees":{"cpus":{"value":2}},"limits":{"cpus":{"value":1}}}"#,
            "is not contained within the 'QuotaConfig.limits', cpus:1",
        ),
    ] {
        let told = read(text).unwrap_err();
        assert!(told.contains(why), "{text}: {told}");
    }
    assert!(check_top("a/b", "Updating").is_err());
}

#[test]
fn the_older_form_takes_plain_scalars_alone() {
    let resources = |text: &str| {
        let all: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        guarantee(all.iter().map(|one| json::from_value(one).unwrap()).collect())
    };
    let plain = r#"{"name":"cpus","type":"SCALAR","scalar":{"value":2}}"#;
    assert_eq!(resources(&format!("[{plain}]")).unwrap().to_string(), "cpus:2");
    assert!(resources("[]").unwrap_err().contains("empty"));
    assert!(resources(&format!("[{plain},{plain}]")).unwrap_err().contains("duplicate"));
    let ports = r#"[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]}}]"#;
    assert!(resources(ports).unwrap_err().contains("non-scalar"));
}
