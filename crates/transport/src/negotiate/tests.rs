use http::HeaderValue;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn the_content_type_names_the_codec() {
    let of = |value| Codec::of_request(&headers(&[("content-type", value)]));
    assert_eq!(of("application/json").unwrap(), Codec::Json);
    assert_eq!(of("application/json; charset=utf-8").unwrap(), Codec::Json);
    assert_eq!(of("application/x-protobuf").unwrap(), Codec::Protobuf);
    for other in ["text/plain", "", "application/x-protobuf2", "Application/JSON"] {
        assert_eq!(of(other).unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{other}");
    }
}

#[test]
fn a_missing_content_type_is_said_in_mesos_words() {
    let refusal = Codec::of_request(&HeaderMap::new()).unwrap_err();
    assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    assert_eq!(refusal.body_text(), "Expecting 'Content-Type' to be present");
}

#[test]
fn json_is_preferred_whenever_it_is_allowed() {
    let of = |values: &[&'static str]| {
        let pairs: Vec<_> = values.iter().map(|value| ("accept", *value)).collect();
        Codec::of_response(&headers(&pairs)).map_err(|refusal| refusal.status)
    };
    assert_eq!(of(&[]), Ok(Codec::Json));
    assert_eq!(of(&["*/*"]), Ok(Codec::Json));
    assert_eq!(of(&["application/*"]), Ok(Codec::Json));
    assert_eq!(of(&["application/x-protobuf, application/json;q=0.1"]), Ok(Codec::Json));
    assert_eq!(of(&["application/x-protobuf"]), Ok(Codec::Protobuf));
    assert_eq!(of(&["application/json;q=0, application/x-protobuf"]), Ok(Codec::Protobuf));
    assert_eq!(of(&["text/html", "application/x-protobuf"]), Ok(Codec::Protobuf));
    assert_eq!(of(&["text/html"]), Err(StatusCode::NOT_ACCEPTABLE));
    assert_eq!(of(&[""]), Err(StatusCode::NOT_ACCEPTABLE));
}

#[test]
fn gzip_must_be_asked_for_by_name() {
    assert!(accepts_gzip(&headers(&[("accept-encoding", "deflate, gzip")])));
    assert!(!accepts_gzip(&headers(&[("accept-encoding", "gzip;q=0, deflate")])));
    assert!(!accepts_gzip(&headers(&[("accept-encoding", "*")])));
    assert!(!accepts_gzip(&HeaderMap::new()));
}
