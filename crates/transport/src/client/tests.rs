use super::*;

#[test]
fn redirects_are_resolved_as_mesos_writes_them() {
    let from = "http://10.0.0.1:5050/api/v1/scheduler?x=1";
    let of = |location| resolve(from, location).unwrap();
    assert_eq!(of("//leader:5050/master/api/v1"), "http://leader:5050/master/api/v1");
    assert_eq!(of("//leader:5050"), "http://leader:5050/api/v1/scheduler?x=1");
    assert_eq!(of("/state?a=b"), "http://10.0.0.1:5050/state?a=b");
    assert_eq!(of("http://other:80/x"), "http://other:80/x");
    assert!(resolve(from, "//:::/").is_err());
    assert!(resolve(from, "https://secure/").is_err());
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_by_name() {
    for url in ["", "localhost", "/state", "http://", "http://a b/"] {
        let error =
            HttpClient::new().send(&Call::get(url), Duration::from_secs(5)).await.unwrap_err();
        assert!(matches!(error, ClientError::Url { .. } | ClientError::Connection { .. }), "{url}");
    }
}

#[tokio::test]
async fn a_refused_connection_names_the_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    drop(listener);
    let error = HttpClient::new().send(&Call::get(&url), Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no answer from {url}"));
}

#[tokio::test]
async fn silence_is_waited_for_no_longer_than_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    let call = Call::get(&url);
    let error = HttpClient::new().send(&call, Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
}
