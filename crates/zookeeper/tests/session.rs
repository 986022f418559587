//! Sessions at real servers.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic)]

use std::time::Duration;

use reeve_tests::{Keys, Room, ZooKeeper};
use reeve_zookeeper::client::{CreateMode, Error as ZooKeeperError};
use reeve_zookeeper::{Error, Options, Tls, Url, acls, connect};

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn quick() -> Options {
    Options { session_timeout: ZooKeeper::SHORTEST_SESSION, ..Options::default() }
}

#[tokio::test]
async fn a_session_begins_at_its_path_and_survives_the_death_of_a_server() {
    let room = Room::new();
    let Some(mut ensemble) = ZooKeeper::start(&room, 3) else { return };
    let url = url(&ensemble.url("/deep/down/mesos"));
    let client = connect(&url, &Options::default()).await.expect("a session");
    let options = CreateMode::Persistent.with_acls(acls(&url));
    client.create("/one", b"1", &options).await.expect("a znode");
    ensemble.kill(ensemble.leader());
    let other = connect(&url, &Options::default()).await.expect("a session with the two others");
    let (data, _) = other.get_data("/one").await.expect("the znode");
    assert_eq!(data, b"1");
    assert_eq!(client.session_timeout(), Duration::from_secs(10));
}

#[tokio::test]
async fn who_knows_the_password_writes_and_everybody_reads() {
    let room = Room::new();
    let Some(ensemble) = ZooKeeper::start(&room, 1) else { return };
    let owner = url(&ensemble.url_as("reeve", "s3cret", "/mesos"));
    let client = connect(&owner, &quick()).await.expect("a session");
    let options = CreateMode::Persistent.with_acls(acls(&owner));
    client.create("/one", b"1", &options).await.expect("a znode");

    let stranger = connect(&url(&ensemble.url("/mesos")), &quick()).await.expect("a session");
    assert_eq!(stranger.get_data("/one").await.expect("the znode").0, b"1");
    let refused = stranger.set_data("/one", b"2", None).await;
    assert_eq!(refused.expect_err("not allowed"), ZooKeeperError::NoAuth);
    let error = connect(&url(&ensemble.url("/mesos/below")), &quick()).await;
    let error = error.expect_err("not allowed").to_string();
    assert!(error.contains("could not be made: name a user that may write there"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_without_the_password() {
    let nobody = url("zk://reeve:s3cret@127.0.0.1:1/mesos");
    let error = connect(&nobody, &quick()).await.expect_err("nobody is there");
    assert_eq!(
        error.to_string(),
        "no session could be opened at zk://reeve:********@127.0.0.1:1/mesos"
    );
}

#[tokio::test]
async fn tls_needs_a_certificate_that_the_given_ones_vouch_for() {
    let room = Room::new();
    let (keys, stranger) = (Keys::make(&room, "zk"), Keys::make(&room, "stranger"));
    let Some(ensemble) = ZooKeeper::start_tls(&room, 1, &keys) else { return };

    let url = url(&ensemble.url("/mesos"));
    let identity = |keys: &Keys| Some((keys.cert.clone(), keys.key.clone()));
    let tls = Tls { ca: keys.cert.clone(), identity: identity(&keys) };
    // Java takes its time for the first handshake.
    let secure = Options { tls: Some(tls), ..Options::default() };
    let client = connect(&url, &secure).await.expect("a session");
    assert!(client.list_children("/").await.expect("a list").is_empty());

    let plain = connect(&url, &quick()).await.expect_err("the port wants TLS");
    assert!(matches!(plain, Error::Connect { .. }), "{plain}");
    for (ca, identity, words) in [
        (&stranger, identity(&keys), "-cert.pem' (zk_tls_ca_file) vouches for the certificate of"),
        (&keys, None, "may want a certificate of ours: name zk_tls_cert_file and zk_tls_key_file"),
        (&keys, identity(&stranger), "stranger-cert.pem' (zk_tls_cert_file)"),
    ] {
        let tls = Some(Tls { ca: ca.cert.clone(), identity });
        let error = connect(&url, &Options { tls, ..quick() }).await;
        let error = error.expect_err("it does not fit").to_string();
        assert!(error.contains(words), "{error}");
    }
    let other = Tls { ca: room.join("none.pem"), identity: None };
    let error = connect(&url, &Options { tls: Some(other), ..quick() }).await;
    let error = error.expect_err("no such file").to_string();
    assert!(
        error.ends_with(
            "none.pem' can't be used for TLS to ZooKeeper: No such file or directory (os error 2)"
        ),
        "{error}"
    );
}
