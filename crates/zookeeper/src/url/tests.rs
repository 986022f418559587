use super::*;

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn refused(text: &str) -> String {
    text.parse::<Url>().expect_err("no URL").to_string()
}

#[test]
fn servers_get_the_usual_port_and_the_path_no_slash_at_its_end() {
    let url = url("zk://a,b:2182,[::1],[::1]:2183/mesos/east/");
    assert_eq!(url.servers(), ["a:2181", "b:2182", "[::1]:2181", "[::1]:2183"]);
    assert_eq!((url.path(), url.credentials()), ("/mesos/east", None));
    assert_eq!(url.to_string(), "zk://a:2181,b:2182,[::1]:2181,[::1]:2183/mesos/east");
}

#[test]
fn the_password_is_never_shown() {
    let url = url("zk://reeve:s3/cr@t:x@a:2181/mesos");
    assert_eq!(url.credentials(), Some("reeve:s3/cr@t:x"));
    for shown in [url.to_string(), format!("{url:?}"), url.show().expect("a text")] {
        assert_eq!(shown, "zk://reeve:********@a:2181/mesos");
    }
    for wrong in ["zk://reeve:s3cret@/mesos", "zk://:s3cret@a/mesos", "zk://reeve:s3cret@a:x/m"] {
        assert!(!refused(wrong).contains("s3cret"), "{}", refused(wrong));
        assert!(!<Url as Value>::hide(wrong).contains("s3cret"));
    }
}

#[test]
fn a_file_may_hold_it() {
    let room = tempfile::tempdir().expect("a directory");
    let file = room.path().join("zk");
    std::fs::write(&file, "zk://u:p@a:1/mesos\n").expect("a file");
    let text = format!("file://{}", file.display());
    let read = url(&text);
    assert_eq!((read.servers(), read.path()), (&["a:1".to_owned()][..], "/mesos"));
    assert_eq!(read.credentials(), Some("u:p"));
    assert_eq!(read.to_string(), text, "only where the secret is");
    std::fs::write(&file, "a:1").expect("a file");
    assert!(refused(&text).starts_with(&format!("the text in '{}' does not", file.display())));
    std::fs::remove_file(&file).expect("it was there");
    assert!(refused(&text).ends_with("can't be read: No such file or directory (os error 2)"));
}

#[test]
fn what_is_wrong_is_said_and_what_would_be_right() {
    for (text, why) in [
        ("a:2181/mesos", "does not begin with zk:// or file://; write for example zk://"),
        ("zk:///mesos", "names no server"),
        ("zk://a:2181", "has no path of its own"),
        ("zk://a:2181/", "has no path of its own"),
        ("zk://a:2181//mesos", "'//mesos' is no path"),
        ("zk://a:2181/mesos/..", "'/mesos/..' is no path"),
        ("zk://a:0/mesos", "'a:0' is no server"),
        ("zk://a:b/mesos", "'a:b' is no server"),
        ("zk://a,,b/mesos", "'' is no server"),
        ("zk://::1:2181/mesos", "'::1:2181' is no server"),
        ("zk://user@a:2181/mesos", "what stands before the @ must be user:password"),
    ] {
        assert!(refused(text).starts_with(why), "{text}: {}", refused(text));
        assert!(refused(text).contains("write for example"), "{}", refused(text));
    }
}
