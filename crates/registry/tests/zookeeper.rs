//! What masters of an ensemble rely on: what was committed is there for the next leader, exactly
//! once, and a deposed one writes nothing.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use reeve_registry::{Ensemble, Error, Registry, Store, Term, Write};
use reeve_tests::{Room, ZooKeeper, until};
use reeve_zookeeper::client::{Acls, CreateMode};
use reeve_zookeeper::{Options, Url, connect};
use tokio::runtime::Runtime;

type Records = BTreeMap<String, Vec<u8>>;

/// Servers, and a runtime for sessions.
struct Stage {
    runtime: Runtime,
    servers: ZooKeeper,
    room: Room,
}

impl Stage {
    fn new(servers: usize) -> Option<Stage> {
        let room = Room::new();
        let servers = ZooKeeper::start(&room, servers)?;
        Some(Stage { runtime: Runtime::new().unwrap(), servers, room })
    }

    fn url(&self, path: &str) -> Url {
        self.servers.url(path).parse().unwrap()
    }

    fn open_as(&self, url: &Url, term: Term) -> Result<Store, Error> {
        let runtime = self.runtime.handle().clone();
        let ensemble = Ensemble::open(runtime, url, &Options::default(), term)?;
        Ok(Store::ZooKeeper(Box::new(ensemble)))
    }

    fn open(&self, path: &str) -> Store {
        self.open_as(&self.url(path), Term::forever()).unwrap()
    }

    fn read(&self, url: &Url) -> Result<Records, Error> {
        Ensemble::read(self.runtime.handle(), url, &Options::default())
    }

    /// Makes a znode by hand.
    fn make(&self, path: &str, znode: &str) {
        self.runtime.block_on(async {
            let client = connect(&self.url(path), &Options::default()).await.unwrap();
            let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
            client.create(znode, b"", &options).await.unwrap();
        });
    }

    /// Sets a znode by hand.
    fn set(&self, path: &str, znode: &str, data: &[u8]) {
        self.runtime.block_on(async {
            let client = connect(&self.url(path), &Options::default()).await.unwrap();
            client.set_data(znode, data, None).await.unwrap();
        });
    }
}

fn put(key: &str, value: &[u8]) -> Write {
    Write::Put(key.to_owned(), value.to_vec())
}

fn delete(key: &str) -> Write {
    Write::Delete(key.to_owned())
}

fn commits(store: &Store) -> i32 {
    let Store::ZooKeeper(ensemble) = store else { panic!("{store:?} is not in ZooKeeper") };
    ensemble.commits()
}

#[test]
fn one_leader_after_the_other_writes_and_finds_all() {
    let Some(stage) = Stage::new(1) else { return };
    let mut store = stage.open("/a");
    assert_eq!(store.load().unwrap(), Records::new());
    let mut memory = Store::memory();
    let batches = [
        vec![put("agents/1", b"one"), put("agents/2", b"two"), put("quota/a/b", b"%")],
        vec![delete("agents/1"), put("agents/2", b"2"), delete("agents/none")],
        vec![put("agents/3", b"x"), delete("agents/3"), put("agents/1", b"")],
    ];
    for batch in batches {
        store.apply(batch.clone()).unwrap();
        memory.apply(batch).unwrap();
    }
    let expected = memory.load().unwrap();
    assert_eq!(store.load().unwrap(), expected);
    assert_eq!(commits(&store), 3);
    assert_eq!(stage.read(&stage.url("/a")).unwrap(), expected, "beside the leader");

    let mut next = stage.open("/a");
    assert_eq!(next.load().unwrap(), expected);
    let error = store.apply([put("agents/4", b"late"), delete("agents/2")]).unwrap_err();
    assert!(matches!(error, Error::Deposed { .. }), "{error}");
    assert!(error.to_string().contains("another master has taken over the registry at zk://"));
    next.apply([put("agents/2", b"new")]).unwrap();
    assert_eq!(stage.open("/a").load().unwrap()["agents/2"], b"new");
    assert!(!stage.read(&stage.url("/a")).unwrap().contains_key("agents/4"));
}

#[test]
fn who_is_out_of_the_election_cannot_take_the_registry_over() {
    let Some(stage) = Stage::new(1) else { return };
    let mut store = stage.open("/a");
    let term = Term { znode: Some("json.info_0000000007".to_owned()), ..Term::forever() };
    let error = stage.open_as(&stage.url("/a"), term.clone()).unwrap_err();
    assert!(matches!(error, Error::LeaseLost), "{error}");
    store.apply([put("agents/1", b"one")]).unwrap();

    stage.make("/a", "/json.info_0000000007");
    stage.set("/a", "/json.info_0000000007", b"renewed");
    assert_eq!(stage.open_as(&stage.url("/a"), term).unwrap().load().unwrap().len(), 1);
}

#[test]
fn a_thousand_agents_at_once_cost_a_few_transactions() {
    let Some(stage) = Stage::new(1) else { return };
    let (done, groups) = channel();
    let registry = Registry::start(stage.open("/a"), move |group| done.send(group).unwrap());
    let registry = registry.unwrap();
    for id in 0..1000 {
        registry.submit(id, vec![put(&format!("agents/{id:04}"), &[7; 300])]);
    }
    drop(registry);
    let groups: Vec<_> = groups.into_iter().collect();
    assert!(groups.iter().all(|group| group.result.is_ok()));
    let commit = stage.runtime.block_on(async {
        let client = connect(&stage.url("/a"), &Options::default()).await.unwrap();
        client.check_stat("/reeve/registry/commit").await.unwrap().unwrap().version
    });
    assert!(commit < 50, "{commit} transactions");
    assert_eq!(stage.read(&stage.url("/a")).unwrap().len(), 1000);
}

#[test]
fn who_may_not_write_is_told_so() {
    let Some(stage) = Stage::new(1) else { return };
    let owner: Url = stage.servers.url_as("reeve", "s3cret", "/a").parse().unwrap();
    let mut store = stage.open_as(&owner, Term::forever()).unwrap();
    store.apply([put("agents/1", b"one")]).unwrap();
    let error = stage.open_as(&stage.url("/a"), Term::forever()).unwrap_err();
    assert!(matches!(error, Error::Forbidden { doing: "write", .. }), "{error}");
    assert!(error.to_string().contains("zk://user:password@host:2181/path"), "{error}");
    assert_eq!(stage.read(&stage.url("/a")).unwrap().len(), 1, "everybody may read");
    store.apply([put("agents/2", b"two")]).unwrap();
}

#[test]
fn what_is_not_as_a_leader_left_it_is_told() {
    let Some(stage) = Stage::new(1) else { return };
    let error = stage.read(&stage.url("/empty")).unwrap_err();
    assert!(matches!(error, Error::Absent { .. }), "{error}");

    let mut store = stage.open("/a");
    // The shard of the record below.
    stage.make("/a", "/reeve/registry/c4");
    let error = store.apply([put("agents/1-S0", b"one")]).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    assert!(stage.open("/a").apply([put("agents/1-S0", b"one")]).is_ok(), "the next one goes on");

    stage.set("/a", "/reeve/registry", b"99");
    let error = stage.open_as(&stage.url("/a"), Term::forever()).unwrap_err();
    assert!(matches!(error, Error::Format { found: 99, known: 1, .. }), "{error}");
}

#[test]
fn writes_survive_the_death_of_servers_and_are_done_once() {
    let Some(mut stage) = Stage::new(3) else { return };
    let mut store = stage.open("/a");
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let mut count: u32 = 0;
        while !seen.load(Ordering::Relaxed) {
            // Each one makes a record: a second attempt that were carried out would be refused.
            store.apply([put(&format!("agents/{count}"), &count.to_be_bytes())]).unwrap();
            count += 1;
        }
        (store, count)
    });
    for _ in 0..2 {
        let leader = stage.servers.leader();
        stage.servers.kill(leader);
        std::thread::sleep(Duration::from_millis(300));
        stage.servers.restart(&stage.room, leader);
        stage.servers.wait_serving();
    }
    stop.store(true, Ordering::Relaxed);
    let (store, count) = writer.join().unwrap();
    assert_eq!(commits(&store), i32::try_from(count).unwrap());
    let records = stage.open("/a").load().unwrap();
    assert_eq!(records.len(), usize::try_from(count).unwrap());
}

#[test]
fn who_leads_no_longer_does_not_wait_for_servers() {
    let Some(stage) = Stage::new(1) else { return };
    let leads = Arc::new(AtomicBool::new(true));
    let holds = Arc::clone(&leads);
    let term = Term { holds: Arc::new(move || holds.load(Ordering::Relaxed)), znode: None };
    let mut store = stage.open_as(&stage.url("/a"), term).unwrap();
    store.apply([put("agents/1", b"one")]).unwrap();
    stage.servers.pause(0);
    until("the server to stop", || stage.servers.mode(0).is_none().then_some(()));
    let started = Instant::now();
    let lapse = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        leads.store(false, Ordering::Relaxed);
    });
    let error = store.apply([put("agents/2", b"two")]).unwrap_err();
    assert!(matches!(error, Error::LeaseLost), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    stage.servers.resume(0);
    lapse.join().unwrap();
    let error = store.apply([put("agents/3", b"three")]).unwrap_err();
    assert!(matches!(error, Error::LeaseLost), "{error}");
}
