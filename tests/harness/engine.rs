//! A Docker Engine for one test, in namespaces of its own: its network and mounts are nobody
//! else's, and it ends with all its containers when the test does. It needs root and the Debian
//! packages `docker.io` and `busybox-static`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use serde_json::Value;
use tempfile::TempDir;

use crate::processes;
use crate::wait::until;

/// An engine that runs, with the image [`IMAGE`].
#[derive(Debug)]
pub struct Engine {
    room: TempDir,
    /// `unshare`; its one child is the first process of the namespaces.
    outer: Child,
    init: u32,
    cgroup: String,
}

/// An image with a busybox.
pub const IMAGE: &str = "test/busybox:1";

/// The first process in the namespaces. Orphans fall to it, and it buries them.
const INIT: &str = "busybox ip link set lo up; while :; do sleep 0.1; done";

impl Engine {
    /// Starts an engine. None, and why, if this machine has none to start.
    pub fn start() -> Option<Self> {
        if let Some(why) = lacking() {
            eprintln!("left out: {why}");
            return None;
        }
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let cgroup = format!("reeve-test-{}-{count}", std::process::id());
        let spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        let words = spaces.into_iter().chain(["sh", "-c", INIT]);
        let outer = processes::spawn(Command::new("unshare").args(words));
        let list = format!("/proc/{0}/task/{0}/children", outer.id());
        let init = until("the namespaces to be there", || {
            std::fs::read_to_string(&list).ok()?.trim().parse().ok()
        });
        let room = tempfile::tempdir().expect("a directory");
        let engine = Self { room, outer, init, cgroup };
        engine.start_daemon();
        engine.import(IMAGE, &["/bin/echo", "by default"]);
        Some(engine)
    }

    /// A directory of its own.
    pub fn room(&self) -> &Path {
        self.room.path()
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.room().join("docker.sock")
    }

    /// The control group that all of it is below, from the top; it goes with the engine.
    pub fn cgroup(&self) -> String {
        format!("/{}", self.cgroup)
    }

    /// A shell script in the engine's namespaces.
    pub fn inside(&self, script: &str) -> Output {
        let target = self.init.to_string();
        let spaces = ["--net", "--mount", "--pid", "--root"];
        let words = ["-t", &target].into_iter().chain(spaces).chain(["sh", "-c", script]);
        processes::run(Command::new("nsenter").args(words))
    }

    /// Moves this thread, and what it starts from now on, to the engine's network.
    pub fn enter_network(&self) {
        let network = File::open(format!("/proc/{}/ns/net", self.init)).expect("a namespace");
        setns(network, CloneFlags::CLONE_NEWNET).expect("root may enter any namespace");
    }

    /// Starts the daemon, and waits for it.
    pub fn start_daemon(&self) {
        let room = self.room().display();
        let cgroup = &self.cgroup;
        self.inside(&format!(
            "dockerd --data-root {room}/data --exec-root {room}/run --pidfile {room}/pid \
             -H unix://{room}/docker.sock --storage-driver vfs --iptables=false --live-restore \
             --cgroup-parent /{cgroup} >>{room}/log 2>&1 </dev/null &"
        ));
        until("the engine to answer", || (self.get("/_ping") == "OK").then_some(()));
    }

    /// Kills the daemon, and with it its containerd, which goes when it does. The containers stay.
    pub fn kill_daemon(&self) {
        let room = self.room().display();
        self.inside(&format!("kill -9 $(cat {room}/pid)"));
        until("the engine to be gone", || (self.get("/_ping") != "OK").then_some(()));
        // A daemon that starts while the old one is not buried yet takes it for its own.
        let containerd = format!("kill -0 $(cat {room}/run/containerd/containerd.pid)");
        until("its containerd to be buried", || {
            (!self.inside(&containerd).status.success()).then_some(())
        });
        let _absent = std::fs::remove_file(self.room().join("pid"));
    }

    fn curl(&self, words: &[&str]) -> String {
        let mut command = Command::new("curl");
        command.args(["-s", "--max-time", "30", "--unix-socket"]).arg(self.socket()).args(words);
        let output = processes::run(&mut command);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn get(&self, target: &str) -> String {
        self.curl(&[&format!("http://docker{target}")])
    }

    /// What the engine says of a container.
    pub fn inspect(&self, name: &str) -> Value {
        serde_json::from_str(&self.get(&format!("/containers/{name}/json"))).unwrap_or_default()
    }

    /// The names of all containers.
    pub fn containers(&self) -> Vec<String> {
        let all: Value = serde_json::from_str(&self.get("/containers/json?all=1")).expect("JSON");
        let names = all.as_array().expect("a list").iter().map(|one| one["Names"][0].as_str());
        let mut names: Vec<String> =
            names.map(|name| name.expect("a name").trim_start_matches('/').to_owned()).collect();
        names.sort();
        names
    }

    /// Makes an image of this machine's busybox, which does this by itself.
    pub fn import(&self, image: &str, command: &[&str]) {
        let path = self.room().join("image.tar");
        let mut tar = tar::Builder::new(std::fs::File::create(&path).expect("a file"));
        let busybox = busybox().expect("a busybox");
        // Tasks may be any user's.
        let mut directory = tar::Header::new_gnu();
        directory.set_entry_type(tar::EntryType::Directory);
        directory.set_size(0);
        directory.set_mode(0o755);
        tar.append_data(&mut directory, "bin/", std::io::empty()).expect("a directory fits");
        tar.append_path_with_name(busybox, "bin/busybox").expect("the program fits");
        for name in ["sh", "cat", "echo", "env", "httpd", "id", "sleep", "tail", "dd", "pwd"] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            header.set_mode(0o777);
            tar.append_link(&mut header, format!("bin/{name}"), "busybox").expect("a link fits");
        }
        tar.finish().expect("the archive is whole");
        let (repository, tag) = image.split_once(':').expect("a tag");
        let changes = format!("CMD {command:?}");
        let changes: String = changes.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let url = format!(
            "http://docker/images/create?fromSrc=-&repo={repository}&tag={tag}&changes={changes}"
        );
        let file = format!("@{}", path.display());
        let type_ = "Content-Type: application/x-tar";
        let said = self.curl(&["-X", "POST", "-H", type_, "--data-binary", &file, &url]);
        assert!(said.contains("sha256:"), "the image cannot be made: {said}");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // With the first process of their namespace all others end.
        let init = i32::try_from(self.init).expect("process ids are small");
        processes::signal(init, nix::sys::signal::Signal::SIGKILL);
        drop(self.outer.kill());
        drop(self.outer.wait());
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.room().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(20)..];
            eprintln!("--- the end of the engine's log:\n{}", last.join("\n"));
        }
        let groups = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        let own = groups.map(|group| group.path().join(&self.cgroup));
        for path in own.chain([Path::new("/sys/fs/cgroup").join(&self.cgroup)]) {
            // The kernel may take a moment to see that the last process is gone.
            for _ in 0..100 {
                prune(&path);
                if !path.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// What this machine lacks for an engine.
fn lacking() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can run a Docker Engine".to_owned());
    }
    let absent =
        |program: &&str| !processes::run(Command::new("which").arg(program)).status.success();
    if let Some(program) = ["dockerd", "curl", "unshare", "nsenter"].iter().find(|one| absent(one))
    {
        return Some(format!("'{program}' is not installed"));
    }
    // A container that the tests run in may not let them make namespaces.
    let namespaces = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "true"];
    let made = processes::run(Command::new("unshare").args(namespaces));
    if !made.status.success() {
        let why = String::from_utf8_lossy(&made.stderr);
        return Some(format!("no namespaces can be made here: {}", why.trim()));
    }
    let program = busybox().map(std::fs::read).and_then(Result::ok).unwrap_or_default();
    // A program that names a dynamic loader does not run in an image without one.
    let dynamic = program.windows(4).any(|bytes| bytes == b"/ld-");
    (program.is_empty() || dynamic).then(|| "there is no static 'busybox'".to_owned())
}

fn busybox() -> Option<&'static Path> {
    ["/bin/busybox", "/usr/bin/busybox"].into_iter().map(Path::new).find(|path| path.exists())
}

/// Removes a control group and those below it, as far as nothing is in them.
fn prune(path: &Path) {
    let below = std::fs::read_dir(path).into_iter().flatten().flatten();
    below.filter(|entry| entry.path().is_dir()).for_each(|entry| prune(&entry.path()));
    let _absent = std::fs::remove_dir(path);
}
