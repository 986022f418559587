//! Elections at real servers.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use reeve_election::{Candidate, Detector, Lease, Role, Standing, payload};
use reeve_model::MasterInfo;
use reeve_tests::wait::PATIENCE;
use reeve_tests::{Room, ZooKeeper};
use reeve_zookeeper::client::CreateMode;
use reeve_zookeeper::{Options, Url, connect};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine, short enough to wait for.
const SESSION: Duration = Duration::from_secs(4);

fn options() -> Options {
    Options { session_timeout: SESSION, ..Options::default() }
}

fn info(number: u16) -> MasterInfo {
    MasterInfo {
        id: format!("master-{number}"),
        ip: [127, 0, 0, 1].into(),
        port: 5050 + number,
        hostname: "localhost".to_owned(),
        version: "1.11.0".to_owned(),
        pid: format!("master@127.0.0.1:{}", 5050 + number),
        domain: None,
        capabilities: vec![1, 2, 3],
    }
}

struct Contender {
    standing: Receiver<Standing>,
    stop: CancellationToken,
}

impl Contender {
    fn start(url: &Url, number: u16) -> Self {
        let stop = CancellationToken::new();
        let standing = Candidate::start(url.clone(), options(), info(number), stop.clone());
        Self { standing, stop }
    }

    async fn until(&mut self, what: &str, wanted: impl FnMut(&Standing) -> bool) -> Standing {
        let found = tokio::time::timeout(PATIENCE, self.standing.wait_for(wanted)).await;
        let found = found.unwrap_or_else(|_| panic!("waited in vain for {what}"));
        found.expect("the candidate goes on").clone()
    }

    async fn leads(&mut self) -> Lease {
        let leading = |one: &Standing| matches!(one.role, Role::Leading(_));
        let standing = self.until("a candidate to lead", leading).await;
        let Role::Leading(lease) = standing.role else { panic!("{standing:?}") };
        assert!(lease.holds());
        lease
    }

    async fn stands_by(&mut self, leader: u16) {
        let name = format!("master-{leader}");
        self.until("a standby to know the leader", |one| {
            matches!(one.role, Role::Standby) && id(&one.leader) == Some(name.as_str())
        })
        .await;
    }
}

fn id(leader: &Option<Arc<MasterInfo>>) -> Option<&str> {
    leader.as_ref().map(|leader| leader.id.as_str())
}

async fn knows(detector: &mut Receiver<Option<Arc<MasterInfo>>>, leader: Option<u16>) {
    let name = leader.map(|leader| format!("master-{leader}"));
    let known = detector.wait_for(|leader| id(leader) == name.as_deref());
    let known = tokio::time::timeout(PATIENCE, known).await;
    drop(known.unwrap_or_else(|_| panic!("waited in vain for {name:?} to be known")));
}

fn url(ensemble: &ZooKeeper) -> Url {
    ensemble.url("/mesos").parse().expect("a URL")
}

#[tokio::test]
async fn who_stops_hands_over_in_a_moment_and_everybody_knows() {
    let room = Room::new();
    let Some(ensemble) = ZooKeeper::start(&room, 1) else { return };
    let url = url(&ensemble);
    let stop = CancellationToken::new();
    let mut detector = Detector::start(url.clone(), options(), stop.clone());
    let mut first = Contender::start(&url, 1);
    let lease = first.leads().await;
    let mut second = Contender::start(&url, 2);
    second.stands_by(1).await;
    knows(&mut detector, Some(1)).await;

    let client = connect(&url, &options()).await.expect("a session");
    let znode = format!("/{}", lease.znode().expect("a znode"));
    assert!(znode.starts_with("/json.info_00000000"), "{znode}");
    let (data, stat) = client.get_data(&znode).await.expect("the leader's znode");
    assert_eq!(data, payload::write(&info(1)));
    assert_ne!(stat.ephemeral_owner, 0);

    let start = Instant::now();
    first.stop.cancel();
    lease.lost().await;
    assert!(!lease.holds());
    let next = second.leads().await;
    assert!(start.elapsed() < SESSION, "it took {:?}", start.elapsed());
    knows(&mut detector, Some(2)).await;
    let ended = async { while first.standing.changed().await.is_ok() {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("the channel closes when all is done");
    assert!(next.holds());
    let found = Detector::find(url.clone(), options(), PATIENCE).await.expect("a leader");
    assert_eq!(found.id, "master-2");
    stop.cancel();
}

#[tokio::test]
async fn a_leader_stays_when_a_server_dies_and_steps_down_when_all_are_silent() {
    let room = Room::new();
    let Some(mut ensemble) = ZooKeeper::start(&room, 3) else { return };
    let url = url(&ensemble);
    let mut one = Contender::start(&url, 1);
    let lease = one.leads().await;
    let leader = ensemble.leader();
    ensemble.kill(leader);
    ensemble.leader();
    tokio::time::sleep(SESSION).await;
    assert!(lease.holds(), "the two others serve");
    ensemble.restart(&room, leader);
    ensemble.wait_serving();

    (0..3).for_each(|number| ensemble.pause(number));
    let start = Instant::now();
    lease.lost().await;
    assert!(start.elapsed() < SESSION, "the lease went on for {:?}", start.elapsed());
    let mut detector = Detector::start(url.clone(), options(), one.stop.clone());
    one.until("the leader to step down", |one| {
        matches!(one.role, Role::Outside) && one.leader.is_none()
    })
    .await;
    (0..3).for_each(|number| ensemble.resume(number));
    let again = one.leads().await;
    assert!(again.holds() && !lease.holds(), "it is another term");
    assert_ne!(again.znode(), lease.znode());
    knows(&mut detector, Some(1)).await;
}

#[tokio::test]
async fn who_loses_its_znode_contends_again() {
    let room = Room::new();
    let Some(ensemble) = ZooKeeper::start(&room, 1) else { return };
    let url = url(&ensemble);
    let mut one = Contender::start(&url, 1);
    let lease = one.leads().await;
    let client = connect(&url, &options()).await.expect("a session");
    let znode = format!("/{}", lease.znode().expect("a znode"));
    client.delete(&znode, None).await.expect("anybody may");
    tokio::time::timeout(SESSION / 2, lease.lost()).await.expect("it is told at once");
    let again = one.leads().await;
    assert_ne!(again.znode(), lease.znode());
}

#[tokio::test]
async fn strangers_may_look_but_not_contend_and_are_told_why() {
    let room = Room::new();
    let Some(ensemble) = ZooKeeper::start(&room, 1) else { return };
    let owner: Url = ensemble.url_as("reeve", "s3cret", "/mesos").parse().expect("a URL");
    let mut one = Contender::start(&owner, 1);
    let lease = one.leads().await;
    let stranger = Contender::start(&url(&ensemble), 2);
    let found = Detector::find(url(&ensemble), options(), PATIENCE).await.expect("a leader");
    assert_eq!(found.id, "master-1");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(matches!(stranger.standing.borrow().role, Role::Outside));
    assert!(lease.holds());
}

#[tokio::test]
async fn others_znodes_below_the_path_are_nobody_s_and_nobody_is_found() {
    let room = Room::new();
    let Some(ensemble) = ZooKeeper::start(&room, 1) else { return };
    let url = url(&ensemble);
    let client = connect(&url, &options()).await.expect("a session");
    let open = reeve_zookeeper::acls(&url);
    for name in ["/log_replicas", "/reeve", "/0000000000"] {
        let options = CreateMode::Persistent.with_acls(open);
        client.create(name, b"", &options).await.expect("a znode");
    }
    let error = Detector::find(url.clone(), options(), Duration::from_secs(1)).await;
    let error = error.expect_err("nobody leads").to_string();
    assert!(error.starts_with("no leading master was found at zk://"), "{error}");
    assert!(error.ends_with("/mesos within 1 s: no master is there"), "{error}");
    let mut one = Contender::start(&url, 1);
    assert!(one.leads().await.holds());
}
