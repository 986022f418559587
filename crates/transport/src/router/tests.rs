use super::*;

fn router() -> Router {
    let ok = |_| async { Response::ok() };
    Router::new("slave(1)")
        .get("/state", ok)
        .get("/redirect", ok)
        .exact("/redirect")
        .post("/api/v1", ok)
        .post("/api/v1/executor", ok)
        .get("/quota", ok)
        .route(Method::DELETE, "/quota", ok)
        .any("/teardown", ok)
        .own("/metrics/snapshot", ok)
        .get("/", ok)
}

/// `found PATH TAIL`, `405 METHODS`, `404` or `400`.
fn ask(method: Method, path: &str) -> String {
    match router().find(&method, path) {
        Routed::To { path, tail, .. } => format!("found {path} {tail}").trim_end().to_owned(),
        Routed::NotAllowed(methods) => format!("405 {methods:?}"),
        Routed::Unknown => "404".to_owned(),
        Routed::Malformed => "400".to_owned(),
    }
}

fn get(path: &str) -> String {
    ask(Method::GET, path)
}

#[test]
fn an_endpoint_answers_with_and_without_its_actor() {
    for path in ["/state", "/slave(1)/state", "/slave%281%29/state", "/state/", "/slave(1)/state//"]
    {
        assert_eq!(get(path), "found /state", "{path}");
    }
}

#[test]
fn the_longest_prefix_wins() {
    assert_eq!(get("/state/foo"), "found /state/foo foo");
    assert_eq!(ask(Method::POST, "/api/v1/operator"), "found /api/v1/operator operator");
    assert_eq!(ask(Method::POST, "/api/v1/executor/"), "found /api/v1/executor");
    assert_eq!(ask(Method::DELETE, "/quota/eng%2Fdev"), "found /quota/eng/dev eng/dev");
}

#[test]
fn what_looks_like_a_prefix_but_ends_inside_a_name_is_none() {
    for path in ["/stat", "/statefoo", "/slave(1)x/state", "/other/state", "/api", "/master/state"]
    {
        assert_eq!(get(path), "404", "{path}");
    }
}

#[test]
fn exact_paths_have_nothing_below() {
    assert_eq!(get("/slave(1)/redirect/"), "found /redirect");
    assert_eq!(get("/redirect/x"), "404");
}

#[test]
fn endpoints_of_other_actors_have_one_name() {
    assert_eq!(get("/metrics/snapshot"), "found /metrics/snapshot");
    assert_eq!(get("/slave(1)/metrics/snapshot"), "404");
}

#[test]
fn the_root_is_only_itself() {
    assert_eq!(get("/"), "found");
    assert_eq!(get("/slave(1)"), "found");
    assert_eq!(get("/nothing"), "404");
}

#[test]
fn a_wrong_method_learns_the_right_ones() {
    assert_eq!(ask(Method::PUT, "/quota"), "405 [GET, DELETE]");
    assert_eq!(get("/api/v1/executor"), "405 [POST]");
    assert_eq!(ask(Method::PATCH, "/teardown"), "found /teardown");
    assert_eq!(ask(Method::HEAD, "/state"), "found /state");
}

#[test]
fn a_path_that_is_no_text_is_refused() {
    assert_eq!(get("/%ff%fe/state"), "400");
    assert_eq!(get("*"), "404");
}

#[test]
fn routes_are_in_the_usual_realm_unless_they_say_otherwise() {
    #[derive(Debug)]
    struct Closed;
    impl Gate for Closed {
        fn admit(
            &self,
            _: crate::Knock,
        ) -> futures_util::future::BoxFuture<'_, Result<Option<crate::Principal>, Response>>
        {
            Box::pin(async { Err(Response::not_found()) })
        }
    }
    let router = router()
        .guarded(Arc::new(Closed), "usual")
        .realm("/quota", Some("other"))
        .realm("/metrics/snapshot", None);
    let realm = |path| match router.find(&Method::GET, path) {
        Routed::To { realm, .. } => realm,
        _ => panic!("{path} has no route"),
    };
    assert_eq!(realm("/state"), Some("usual"));
    assert_eq!(realm("/slave(1)/state/below"), Some("usual"));
    assert_eq!(realm("/quota/dev"), Some("other"));
    assert_eq!(realm("/metrics/snapshot"), None);
}
