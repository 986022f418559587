//! Real containers: `reeve-executor` and real programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reeve_agent_runtime::fetch::Uri;
use reeve_agent_runtime::{
    Command, Containerizer, Known, Link, Logger, Program, Settings, Spec, Step,
};
use reeve_isolator_posix::Posix;
use reeve_module_sdk::Failed;
use reeve_module_sdk::container_logger::{Container, ContainerLogger, Sink, Streams};
use reeve_module_sdk::isolator::{Grants, Usage, Value};
use tempfile::TempDir;

fn count(usage: &Usage, name: &str) -> u64 {
    match usage.get(name) {
        Some(Value::Count(count)) => count,
        other => panic!("{name} is {other:?}"),
    }
}

/// Builds the executor beside this test's own program, once.
fn executor() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let me = std::env::current_exe().unwrap();
        let profile = me.parent().and_then(Path::parent).unwrap();
        let mut build = std::process::Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "reeve-executor", "--target-dir"]);
        build.arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        profile.join("reeve-executor")
    })
}

/// A container's processes are found by its id, so no two tests may use the same.
fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("c-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

struct Rig {
    dir: TempDir,
    /// The id of the container.
    id: String,
    containerizer: Containerizer,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let containerizer = containerizer(dir.path());
        Self { dir, id: unique(), containerizer }
    }

    fn spec(&self, script: &str) -> Spec {
        let value = script.to_owned();
        let program = Program { shell: true, value, arguments: Vec::new(), ..Program::default() };
        Spec {
            id: self.id.clone(),
            sandbox: self.dir.path().join("work/runs/c"),
            user: None,
            command: Command::Exec(program),
            environment: BTreeMap::from([("GIVEN".to_owned(), "yes".to_owned())]),
            secrets: BTreeMap::new(),
            framework: "f".to_owned(),
            executor: "e".to_owned(),
            task: None,
            grants: Grants::default(),
            uris: Vec::new(),
            container_info: Vec::new(),
            command_info: Vec::new(),
            fetch_first: false,
            pid_file: Some(self.dir.path().join("meta/pids/forked.pid")),
        }
    }

    fn read(&self, name: &str) -> String {
        let path = self.dir.path().join("work/runs/c").join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    }

    async fn line(&self, name: &str) -> String {
        eventually(|| self.read(name).strip_suffix('\n').map(str::to_owned)).await
    }

    fn nothing_is_left(&self) {
        let left = std::fs::read_dir(self.dir.path().join("run/containers")).unwrap();
        assert_eq!(left.count(), 0);
        assert!(self.containerizer.running().is_empty());
    }
}

fn containerizer(dir: &Path) -> Containerizer {
    let settings = Settings::new(executor(), dir.join("run"));
    let posix = Link { name: "posix".to_owned(), works: Arc::new(Posix::new(false)) };
    Containerizer::new(settings, vec![posix])
}

async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < until, "it never happens");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Whether a process runs; one that only waits to be reaped does not.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    let state = stat.ok().and_then(|stat| stat.rsplit_once(") ")?.1.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

#[tokio::test]
async fn a_container_runs_in_its_sandbox_and_ends_with_its_status() {
    let rig = Rig::new();
    let launched = rig.containerizer.launch(rig.spec("pwd; echo $GIVEN; exit 3")).await.unwrap();
    let exit = rig.containerizer.wait(&rig.id).await.unwrap();
    assert_eq!((exit.status, exit.destroyed), (Some(3 << 8), false));
    let sandbox = rig.dir.path().join("work/runs/c");
    assert_eq!(rig.read("stdout"), format!("{}\nyes\n", sandbox.display()));
    let forked = std::fs::read_to_string(rig.dir.path().join("meta/pids/forked.pid")).unwrap();
    assert_eq!(forked, launched.pid.to_string());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(sandbox.metadata().unwrap().permissions().mode() & 0o7777, 0o750);
    rig.nothing_is_left();
    assert_eq!(rig.containerizer.wait(&rig.id).await, None);
}

#[tokio::test]
async fn a_destroyed_container_leaves_nothing() {
    let rig = Rig::new();
    let script = "trap '' TERM HUP INT; setsid sh -c 'echo $$ > stray; exec sleep 1000' & \
                  echo $$ > pid; while true; do sleep 1; done";
    rig.containerizer.launch(rig.spec(script)).await.unwrap();
    let pids = [rig.line("pid").await, rig.line("stray").await];
    let usage = rig.containerizer.usage(&rig.id).await.unwrap();
    assert!(count(&usage, "processes") >= 3 && count(&usage, "mem_rss_bytes") > 0);
    rig.containerizer.destroy(&rig.id).await.unwrap();
    assert!(!pids.iter().any(|pid| lives(pid)));
    let exit = rig.containerizer.wait(&rig.id).await.unwrap();
    assert!(exit.destroyed);
    rig.nothing_is_left();
    rig.containerizer.destroy(&rig.id).await.unwrap();
}

#[tokio::test]
async fn a_killed_first_process_leaves_nothing_either() {
    let rig = Rig::new();
    let script = "setsid sh -c 'echo $$ > stray; exec sleep 1000' & echo $$ > pid; wait";
    let launched = rig.containerizer.launch(rig.spec(script)).await.unwrap();
    let pids = [rig.line("pid").await, rig.line("stray").await];
    // The shell's own `kill`: a small machine has no other.
    let kill = format!("kill -KILL {}", launched.pid);
    let killed = std::process::Command::new("sh").args(["-c", &kill]).status();
    assert!(killed.unwrap().success());
    let exit = rig.containerizer.wait(&rig.id).await.unwrap();
    assert_eq!((exit.status, exit.destroyed), (Some(9), false));
    assert!(!pids.iter().any(|pid| lives(pid)));
    rig.nothing_is_left();
}

#[tokio::test]
async fn a_restarted_agent_finds_what_lives_and_what_ended() {
    let rig = Rig::new();
    let script = "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; exit 5";
    let launched = rig.containerizer.launch(rig.spec(script)).await.unwrap();
    let mut other = rig.spec("exit 6");
    other.id = "ended".to_owned();
    other.sandbox = rig.dir.path().join("work/runs/ended");
    let mut orphan = rig.spec("echo $$ > pid; exec sleep 1000");
    orphan.id = "orphan".to_owned();
    orphan.sandbox = rig.dir.path().join("work/runs/orphan");

    // An agent that dies at once: its runtime goes, with all that waits in it.
    let first = containerizer(rig.dir.path());
    let dir = rig.dir.path().to_owned();
    let orphan_pid = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(first.launch(orphan)).unwrap();
        let ended = runtime.block_on(first.launch(other)).unwrap();
        runtime.shutdown_background();
        while lives(&ended.pid.to_string()) || !dir.join("work/runs/orphan/pid").exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::fs::read_to_string(dir.join("work/runs/orphan/pid")).unwrap().trim().to_owned()
    });
    let orphan_pid = tokio::task::spawn_blocking(move || orphan_pid.join().unwrap()).await.unwrap();

    let second = containerizer(rig.dir.path());
    let known = |id: &str| known(rig.dir.path(), id);
    let recovered =
        second.recover(vec![known(&rig.id), known("ended"), known("never")]).await.unwrap();
    assert_eq!(recovered.living, [(rig.id.clone(), launched)]);
    assert_eq!(recovered.orphans, ["orphan"]);
    let exited: Vec<_> =
        recovered.exited.iter().map(|(id, exit)| (id.as_str(), exit.status)).collect();
    assert!(exited.contains(&("never", None)), "{exited:?}");
    assert!(exited.iter().any(|(id, _)| *id == "ended"), "{exited:?}");
    assert!(!lives(&orphan_pid));

    assert!(count(&second.usage(&rig.id).await.unwrap(), "processes") >= 2);
    std::fs::write(rig.dir.path().join("work/runs/c/go"), "").unwrap();
    let exit = second.wait(&rig.id).await.unwrap();
    assert_eq!(exit.status, Some(5 << 8));
}

#[tokio::test]
async fn a_recovered_container_can_be_destroyed() {
    let rig = Rig::new();
    rig.containerizer.launch(rig.spec("echo $$ > pid; exec sleep 1000")).await.unwrap();
    let pid = rig.line("pid").await;
    let second = containerizer(rig.dir.path());
    second.recover(vec![known(rig.dir.path(), &rig.id)]).await.unwrap();
    second.destroy(&rig.id).await.unwrap();
    assert!(!lives(&pid));
    assert!(second.wait(&rig.id).await.unwrap().destroyed);
}

fn known(room: &std::path::Path, id: &str) -> Known {
    let sandbox = room.join("work/runs").join(id);
    Known { id: id.into(), pid_file: sandbox.join("forked.pid"), sandbox }
}

/// A container of Apache Mesos has nothing in our runtime directory: its first process is known by
/// its number alone, and by what its environment speaks of.
#[tokio::test]
async fn what_another_program_launched_is_watched_and_can_be_ended() {
    let rig = Rig::new();
    let sandbox = rig.dir.path().join("work/runs/theirs");
    std::fs::create_dir_all(&sandbox).unwrap();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "sleep 1000 & wait"]).env("MESOS_SANDBOX", &sandbox);
    let mut child = command.spawn().unwrap();
    let pid_file = sandbox.join("forked.pid");
    std::fs::write(&pid_file, child.id().to_string()).unwrap();
    // A number that somebody else has by now.
    let other = known(rig.dir.path(), "other");
    std::fs::create_dir_all(&other.sandbox).unwrap();
    std::fs::write(&other.pid_file, std::process::id().to_string()).unwrap();

    let found = rig.containerizer.recover(vec![known(rig.dir.path(), "theirs"), other]).await;
    let found = found.unwrap();
    let living: Vec<_> = found.living.iter().map(|(id, launched)| (&**id, launched.pid)).collect();
    assert_eq!(living, [("theirs", child.id())]);
    assert_eq!(found.exited.len(), 1);
    rig.containerizer.destroy("theirs").await.unwrap();
    assert!(rig.containerizer.wait("theirs").await.unwrap().destroyed);
    drop(child.wait());
    assert!(!lives(&child.id().to_string()));
}

#[tokio::test]
async fn what_cannot_be_launched_says_why_and_leaves_nothing() {
    let rig = Rig::new();
    let mut spec = rig.spec("true");
    spec.user = Some("no-such-user".into());
    let error = rig.containerizer.launch(spec).await.unwrap_err();
    assert_eq!(error.step, Step::Check);
    assert!(error.message.contains("no-such-user"), "{error}");

    let mut spec = rig.spec("true");
    spec.uris = vec![Uri::new("file:///no/such/file")];
    let error = rig.containerizer.launch(spec).await.unwrap_err();
    assert_eq!(error.step, Step::Fetch);
    let begins = format!("Failed to fetch all URIs for container '{}': ", rig.id);
    assert!(error.message.starts_with(&begins), "{error}");
    assert!(error.message.contains("file:///no/such/file"), "{error}");
    assert!(rig.read("stderr").contains("file:///no/such/file"), "the sandbox says so too");

    let settings = Settings::new("/no/such/executor", rig.dir.path().join("run"));
    let without = Containerizer::new(settings, Vec::new());
    let error = without.launch(rig.spec("true")).await.unwrap_err();
    assert_eq!(error.step, Step::Spawn);
    assert!(error.message.contains("/no/such/executor"), "{error}");
    rig.nothing_is_left();
}

#[tokio::test]
async fn a_launch_that_hangs_in_fetching_can_be_destroyed() {
    let rig = Rig::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut spec = rig.spec("true");
    spec.uris = vec![Uri::new(format!("http://{}/never", silent.local_addr().unwrap()))];
    let launching = rig.containerizer.clone();
    let launch = tokio::spawn(async move { launching.launch(spec).await });
    let accepted = tokio::task::spawn_blocking(move || silent.accept().unwrap());
    let connection = accepted.await.unwrap();
    rig.containerizer.destroy(&rig.id).await.unwrap();
    assert!(launch.await.unwrap().unwrap_err().destroyed);
    drop(connection);
    rig.nothing_is_left();
}

#[tokio::test]
async fn many_containers_at_once() {
    let rig = Rig::new();
    let mut all = Vec::new();
    for number in 0..50 {
        let mut spec = rig.spec(&format!("exit {number}"));
        spec.id = format!("c{number}");
        spec.sandbox = rig.dir.path().join("work/runs").join(&spec.id);
        let containerizer = rig.containerizer.clone();
        all.push(tokio::spawn(async move {
            let id = spec.id.clone();
            containerizer.launch(spec).await.unwrap();
            containerizer.wait(&id).await.unwrap().status
        }));
    }
    for (number, task) in all.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), Some(i32::try_from(number).unwrap() << 8));
    }
    rig.nothing_is_left();
}

#[tokio::test]
async fn a_plan_longer_than_a_pipe_arrives() {
    let rig = Rig::new();
    let long = "x".repeat(100_000);
    rig.containerizer.launch(rig.spec(&format!("echo {long} | wc -c"))).await.unwrap();
    assert_eq!(rig.containerizer.wait(&rig.id).await.unwrap().status, Some(0));
    assert_eq!(rig.read("stdout").trim(), "100001");
}

/// Has the output taken by a program that is slow to begin, and errors by a file.
struct Slow;

impl ContainerLogger for Slow {
    fn streams(&self, container: &Container) -> Result<Streams, Failed> {
        let words = ["/bin/sh", "-c", "sleep 0.5; exec cat > taken"];
        Ok(Streams {
            stdout: Sink::Program(words.into_iter().map(Into::into).collect()),
            stderr: Sink::File(format!("{}/errors", container.sandbox).into()),
        })
    }
}

#[tokio::test]
async fn what_takes_the_output_outlives_a_container_that_is_destroyed() {
    let mut rig = Rig::new();
    let mut settings = Settings::new(executor(), rig.dir.path().join("run"));
    settings.logger = Some(Logger { name: "slow".to_owned(), works: Arc::new(Slow) });
    rig.containerizer = Containerizer::new(settings, Vec::new());
    let spec = rig.spec("seq 5000; echo oops >&2; echo > done; sleep 1000");
    rig.containerizer.launch(spec).await.unwrap();
    eventually(|| (!rig.read("done").is_empty()).then_some(())).await;
    rig.containerizer.destroy(&rig.id).await.unwrap();
    let all: String = (1..=5000).map(|number| format!("{number}\n")).collect();
    eventually(|| (rig.read("taken") == all).then_some(())).await;
    assert_eq!(rig.read("errors"), "oops\n");
    assert_eq!(rig.read("stdout"), "");
    rig.nothing_is_left();
}
