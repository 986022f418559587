//! The order of a launch and of its undoing, against recorders, without root or processes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reeve_module_sdk::Failed;
use reeve_module_sdk::isolator::{
    Container as Described, Fragment, Grants, Isolator, Limitation, Survivor, Usage, Value,
};

use super::kernel::{Held, Kernel, Order};
use super::*;

type Log = Arc<Mutex<Vec<String>>>;

/// A link that writes down its calls and fails where it is told to.
struct Scripted {
    name: &'static str,
    fails_at: Option<&'static str>,
    slow: Duration,
    log: Log,
}

impl Scripted {
    fn call(&self, what: &str) -> Result<(), Failed> {
        self.log.lock().unwrap().push(format!("{what} {}", self.name));
        if what == "prepare" {
            std::thread::sleep(self.slow);
        }
        if self.fails_at == Some(what) { Err(Failed("told to fail".into())) } else { Ok(()) }
    }
}

impl Isolator for Scripted {
    fn recover(&self, _: &[Survivor]) -> Result<(), Failed> {
        self.call("recover")
    }
    fn prepare(&self, _: &Described) -> Result<Fragment, Failed> {
        self.call("prepare")?;
        let mut fragment = Fragment::default();
        fragment.set(format!("FROM_{}", self.name), "1");
        Ok(fragment)
    }
    fn isolate(&self, _: &str, _: u32) -> Result<(), Failed> {
        self.call("isolate")
    }
    fn update(&self, _: &str, _: &Grants) -> Result<(), Failed> {
        self.call("update")
    }
    fn usage(&self, _: &str) -> Result<Usage, Failed> {
        self.call("usage").map(|()| Usage::default())
    }
    fn check(&self, _: &str) -> Result<Option<Limitation>, Failed> {
        self.call("check").map(|()| None)
    }
    fn cleanup(&self, _: &str) -> Result<(), Failed> {
        self.call("cleanup")
    }
}

/// A kernel that starts nothing.
struct Recorder {
    fails_at: Option<&'static str>,
    log: Log,
}

struct Nothing {
    fails: bool,
    log: Log,
}

impl Kernel for Recorder {
    fn spawn(&self, order: Order<'_>) -> io::Result<Box<dyn Held>> {
        let mut log = self.log.lock().unwrap();
        log.push("spawn".to_owned());
        assert_eq!(order.environment["REEVE_CONTAINER"], "c");
        assert_eq!(order.environment["FROM_a"], "1");
        if self.fails_at == Some("spawn") {
            return Err(io::ErrorKind::NotFound.into());
        }
        let log = Arc::clone(&self.log);
        Ok(Box::new(Nothing { fails: self.fails_at == Some("go"), log }))
    }
}

impl Held for Nothing {
    fn pid(&self) -> u32 {
        1
    }
    fn start_time(&self) -> u64 {
        1
    }
    fn go(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().push("go".to_owned());
        if self.fails { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
    fn kill(&mut self) {
        self.log.lock().unwrap().push("kill".to_owned());
    }
    fn release(self: Box<Self>) -> Option<PidFd> {
        None
    }
}

fn spec(dir: &Path) -> Spec {
    Spec {
        id: "c".to_owned(),
        sandbox: dir.join("sandbox"),
        user: None,
        command: Command::CommandExecutor,
        environment: BTreeMap::new(),
        secrets: BTreeMap::new(),
        framework: "f".to_owned(),
        executor: "e".to_owned(),
        task: None,
        grants: Grants::default(),
        uris: Vec::new(),
        container_info: Vec::new(),
        command_info: Vec::new(),
        fetch_first: false,
        pid_file: None,
    }
}

/// Launches over links `a` and `b`; tells what happened in which order.
async fn launch(
    kernel_fails: Option<&'static str>,
    b_fails: Option<&'static str>,
    b_slow: Duration,
) -> (Result<Launched, LaunchError>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::default();
    let link = |name: &'static str, fails_at, slow| {
        let works = Arc::new(Scripted { name, fails_at, slow, log: Arc::clone(&log) });
        Link { name: name.to_owned(), works }
    };
    let chain = vec![link("a", None, Duration::ZERO), link("b", b_fails, b_slow)];
    let kernel = Box::new(Recorder { fails_at: kernel_fails, log: Arc::clone(&log) });
    let mut settings = Settings::new("/none", dir.path().join("run"));
    settings.step_deadline = Duration::from_millis(200);
    let containerizer = Containerizer::with_kernel(settings, chain, kernel);
    let outcome = containerizer.launch(spec(dir.path())).await;
    let left = std::fs::read_dir(dir.path().join("run/containers")).unwrap().count();
    assert_eq!(left, usize::from(outcome.is_ok()), "facts of the container");
    let calls = log.lock().unwrap().clone();
    (outcome, calls)
}

const NO_TIME: Duration = Duration::ZERO;

#[tokio::test]
async fn every_link_prepares_before_the_spawn_and_isolates_before_the_go() {
    let (outcome, calls) = launch(None, None, NO_TIME).await;
    assert_eq!(outcome, Ok(Launched { pid: 1, start_time: 1 }));
    assert_eq!(calls, ["prepare a", "prepare b", "spawn", "isolate a", "isolate b", "go"]);
}

/// Where the kernel fails, where a link does, the step that is named, what happened before.
type Case = (Option<&'static str>, Option<&'static str>, Step, &'static [&'static str]);

#[tokio::test]
async fn what_fails_is_undone_in_reverse() {
    let undone = ["cleanup b", "cleanup a"];
    let cases: [Case; 4] = [
        (None, Some("prepare"), Step::Prepare, &["prepare a", "prepare b"]),
        (Some("spawn"), None, Step::Spawn, &["prepare a", "prepare b", "spawn"]),
        (
            None,
            Some("isolate"),
            Step::Isolate,
            &["prepare a", "prepare b", "spawn", "isolate a", "isolate b", "kill"],
        ),
        (
            Some("go"),
            None,
            Step::Go,
            &["prepare a", "prepare b", "spawn", "isolate a", "isolate b", "go", "kill"],
        ),
    ];
    for (kernel, link, step, before) in cases {
        let (outcome, calls) = launch(kernel, link, NO_TIME).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.step, step);
        assert!(error.message.contains("container 'c'"), "{error}");
        if link.is_some() {
            assert!(error.message.contains("isolator 'b': told to fail"), "{error}");
        }
        assert_eq!(calls, [before, undone.as_slice()].concat());
    }
}

#[tokio::test]
async fn a_step_that_hangs_meets_its_deadline() {
    let (outcome, _) = {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::default();
        let slow = Duration::from_millis(600);
        let works = Scripted { name: "b", fails_at: None, slow, log: Arc::clone(&log) };
        let link = Link { name: "b".to_owned(), works: Arc::new(works) };
        let kernel = Box::new(Recorder { fails_at: None, log: Arc::clone(&log) });
        let mut settings = Settings::new("/none", dir.path().join("run"));
        settings.step_deadline = Duration::from_millis(50);
        let containerizer = Containerizer::with_kernel(settings, vec![link], kernel);
        let outcome = containerizer.launch(spec(dir.path())).await;
        assert_eq!(log.lock().unwrap().as_slice(), ["prepare b", "cleanup b"]);
        assert_eq!(containerizer.wait("c").await, None);
        // The launch wakes up, sees that nobody waits, and undoes itself.
        while log.lock().unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(log.lock().unwrap().as_slice(), ["prepare b", "cleanup b", "cleanup b"]);
        (outcome, dir)
    };
    let error = outcome.unwrap_err();
    assert_eq!(error.step, Step::Prepare);
    assert!(error.message.contains("took more than"), "{error}");
}

/// A link that makes ready for longer than other steps may take, until it is told to clean up.
#[derive(Default)]
struct Patient {
    unwanted: std::sync::Condvar,
    is_unwanted: Mutex<bool>,
}

impl Isolator for Patient {
    fn patience(&self, _: &Described) -> Option<Duration> {
        Some(Duration::from_secs(3_600))
    }
    fn prepare(&self, _: &Described) -> Result<Fragment, Failed> {
        let wanted = self.is_unwanted.lock().unwrap();
        drop(self.unwanted.wait_while(wanted, |unwanted| !*unwanted).unwrap());
        Err(Failed("nobody wants it".into()))
    }
    fn cleanup(&self, _: &str) -> Result<(), Failed> {
        *self.is_unwanted.lock().unwrap() = true;
        self.unwanted.notify_all();
        Ok(())
    }
}

#[tokio::test]
async fn a_link_may_ask_for_time_and_hears_when_it_is_not_wanted_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let kernel = Box::new(Recorder { fails_at: None, log: Log::default() });
    let mut settings = Settings::new("/none", dir.path().join("run"));
    settings.step_deadline = Duration::from_millis(300);
    let link = Link { name: "patient".to_owned(), works: Arc::new(Patient::default()) };
    let containerizer = Containerizer::with_kernel(settings, vec![link], kernel);
    let spec = spec(dir.path());
    let launch = tokio::spawn({
        let containerizer = containerizer.clone();
        async move { containerizer.launch(spec).await }
    });
    // Longer than other steps may take.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!launch.is_finished());
    containerizer.destroy("c").await.unwrap();
    let error = launch.await.unwrap().unwrap_err();
    assert!(error.destroyed, "{error}");
    assert_eq!(error.message, "Container 'c' was destroyed while being launched");
}

#[tokio::test]
async fn a_container_can_be_destroyed_before_its_specification_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::default();
    let kernel = Box::new(Recorder { fails_at: None, log: Arc::clone(&log) });
    let settings = Settings::new("/none", dir.path().join("run"));
    let containerizer = Containerizer::with_kernel(settings, Vec::new(), kernel);
    let (make, made) = tokio::sync::oneshot::channel();
    let launch = tokio::spawn({
        let containerizer = containerizer.clone();
        async move { containerizer.launch_as("c".to_owned(), async { made.await.unwrap() }).await }
    });
    let destroy = tokio::spawn({
        let containerizer = containerizer.clone();
        async move {
            while !containerizer.inner.containers().contains_key("c") {
                tokio::task::yield_now().await;
            }
            containerizer.destroy("c").await
        }
    });
    let abandoned = |containerizer: &Containerizer| {
        let containers = containerizer.inner.containers();
        containers.get("c").is_some_and(|container| container.progress.is_abandoned())
    };
    while !abandoned(&containerizer) {
        tokio::task::yield_now().await;
    }
    make.send(Ok(spec(dir.path()))).unwrap();
    assert!(launch.await.unwrap().unwrap_err().destroyed);
    destroy.await.unwrap().unwrap();
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_id_is_a_name_and_is_used_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::default();
    let kernel = Box::new(Recorder { fails_at: None, log });
    let settings = Settings::new("/none", dir.path().join("run"));
    let containerizer = Containerizer::with_kernel(settings, Vec::new(), kernel);
    for id in ["", ".", "..", "a/b", "../x", "a=b"] {
        let error = containerizer.launch(Spec { id: id.into(), ..spec(dir.path()) }).await;
        assert_eq!(error.unwrap_err().step, Step::Check, "{id:?}");
    }
    assert!(containerizer.destroy("unknown").await.is_ok());
    assert!(containerizer.usage("unknown").await.is_err());
}

#[test]
fn of_each_figure_the_first_that_is_known_counts() {
    let (mut first, mut second) = (Usage::default(), Usage::default());
    first.count("processes", 1);
    second.count("processes", 2);
    second.count("threads", 3);
    let both = first_known(first, second);
    assert_eq!(both.get("processes"), Some(Value::Count(1)));
    assert_eq!(both.get("threads"), Some(Value::Count(3)));
}

#[test]
fn of_what_runs_elsewhere_only_who_sees_it_there_tells() {
    let (mut stand_in, mut sandbox, mut elsewhere) = <(Usage, Usage, Usage)>::default();
    stand_in.count("processes", 2);
    stand_in.count("mem_rss_bytes", 2);
    sandbox.count("disk_used_bytes", 7);
    elsewhere.count("mem_rss_bytes", 64);
    elsewhere.elsewhere = true;
    let told = together(vec![stand_in, sandbox, elsewhere]);
    assert_eq!(told.get("mem_rss_bytes"), Some(Value::Count(64)));
    assert_eq!(told.get("disk_used_bytes"), Some(Value::Count(7)));
    assert_eq!(told.get("processes"), None);
}
