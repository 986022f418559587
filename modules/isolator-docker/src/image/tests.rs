use super::*;

fn parts(name: &str) -> (String, String, String) {
    let Image { registry, repository, tag } = Image::parse(name).unwrap();
    (registry, repository, tag)
}

fn is(registry: &str, repository: &str, tag: &str) -> (String, String, String) {
    (registry.to_owned(), repository.to_owned(), tag.to_owned())
}

#[test]
fn a_name_has_a_registry_and_a_tag_even_if_it_does_not_say_so() {
    assert_eq!(parts("nginx"), is("docker.io", "nginx", "latest"));
    assert_eq!(parts("acme/app:1.2"), is("docker.io", "acme/app", "1.2"));
    assert_eq!(parts("host:5000/app"), is("host:5000", "host:5000/app", "latest"));
    assert_eq!(parts("localhost/a/b:x"), is("localhost", "localhost/a/b", "x"));
    let digest = format!("sha256:{}", "0".repeat(64));
    let name = format!("ghcr.io/a/b:1@{digest}");
    assert_eq!(parts(&name), is("ghcr.io", "ghcr.io/a/b", &digest));
    assert_eq!(Image::parse(&name).unwrap().full(), format!("ghcr.io/a/b@{digest}"));
    assert_eq!(Image::parse("nginx").unwrap().full(), "nginx:latest");
}

#[test]
fn what_is_no_name_is_refused() {
    for name in ["", ":x", "a:", "a//b", "/a", "a b", "a@", "a/", "a?x=1"] {
        assert!(Image::parse(name).is_err(), "{name}");
    }
}
