use super::*;

#[test]
fn parameters_are_decoded_and_keep_their_order() {
    let params = Params::parse(b"path=%2Fvar%2Flog&embed=a&embed=b+c&flag");
    assert_eq!(params.get("path"), Some("/var/log"));
    assert_eq!(params.all("embed").collect::<Vec<_>>(), ["a", "b c"]);
    assert_eq!(params.get("embed"), Some("b c"));
    assert_eq!(params.get("flag"), Some(""));
    assert_eq!(params.get("other"), None);
}

#[test]
fn a_number_that_is_none_is_refused_by_name() {
    let params = Params::parse(b"limit=ten&offset=-1");
    assert_eq!(params.read::<i64>("offset").unwrap(), Some(-1));
    assert_eq!(params.read::<i64>("order").unwrap(), None);
    let refusal = params.read::<u64>("limit").unwrap_err();
    assert_eq!(refusal.status, http::StatusCode::BAD_REQUEST);
    assert!(refusal.body_text().contains("'limit'"));
}
