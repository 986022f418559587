//! A small agent over real sockets, and an executor started the way an agent starts it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use prost::Message;
use reeve_wire::v1::executor::{Call, Event, call, event};
use reeve_wire::v1::{
    AgentInfo, CommandInfo, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, KillPolicy,
    TaskId, TaskInfo, TaskState, TaskStatus,
};

/// Long enough for a crowded machine; nothing waits this long unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the agent hears: a call, and for a SUBSCRIBE the stream to answer on.
struct Heard {
    call: Call,
    stream: Option<TcpStream>,
}

/// An agent that accepts everything.
pub struct Agent {
    pub address: SocketAddr,
    heard: Receiver<Heard>,
    stream: Option<TcpStream>,
    /// Closes all connections and the listener.
    stop: Option<Sender<()>>,
}

impl Agent {
    /// Listens on the address, or on any free port.
    pub fn start(address: Option<SocketAddr>) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(address.unwrap_or(any)).unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, heard) = channel();
        let (stop, stopped) = channel::<()>();
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            let mut open: Vec<TcpStream> = Vec::new();
            while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
                if let Ok((socket, _)) = listener.accept() {
                    socket.set_nonblocking(false).unwrap();
                    open.push(socket.try_clone().unwrap());
                    let tell = tell.clone();
                    thread::spawn(move || serve(socket, &tell));
                } else {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            for socket in open {
                drop(socket.shutdown(std::net::Shutdown::Both));
            }
        });
        Self { address, heard, stream: None, stop: Some(stop) }
    }

    fn hear(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("the executor calls")
    }

    /// Waits for SUBSCRIBE, answers SUBSCRIBED, and returns the call.
    pub fn subscribed(&mut self) -> call::Subscribe {
        let heard = self.hear();
        self.stream = heard.stream;
        let framework_info = FrameworkInfo { user: "u".into(), ..FrameworkInfo::default() };
        self.tell(Event {
            r#type: Some(event::Type::Subscribed as i32),
            subscribed: Some(event::Subscribed {
                executor_info: ExecutorInfo::default(),
                framework_info,
                agent_info: AgentInfo::default(),
                container_id: None,
            }),
            ..Event::default()
        });
        assert_eq!(heard.call.framework_id, FrameworkId { value: "f".into() });
        assert_eq!(heard.call.executor_id, ExecutorId { value: "e".into() });
        heard.call.subscribe.expect("the first call is SUBSCRIBE")
    }

    /// Sends an event, one record in one chunk.
    pub fn tell(&mut self, event: Event) {
        let event = event.encode_to_vec();
        let record = [format!("{}\n", event.len()).as_bytes(), &event].concat();
        let chunk = [format!("{:x}\r\n", record.len()).as_bytes(), &record, b"\r\n"].concat();
        self.stream.as_mut().unwrap().write_all(&chunk).unwrap();
    }

    pub fn launch(&mut self, command: CommandInfo) {
        self.launch_task(task(command));
    }

    pub fn launch_task(&mut self, task: TaskInfo) {
        self.tell(Event {
            r#type: Some(event::Type::Launch as i32),
            launch: Some(event::Launch { task }),
            ..Event::default()
        });
    }

    pub fn kill(&mut self, grace: Duration) {
        let nanoseconds = i64::try_from(grace.as_nanos()).unwrap();
        let grace_period = Some(reeve_wire::v1::DurationInfo { nanoseconds });
        let kill_policy = Some(KillPolicy { grace_period });
        self.tell(Event {
            r#type: Some(event::Type::Kill as i32),
            kill: Some(event::Kill { task_id: TaskId { value: "t".into() }, kill_policy }),
            ..Event::default()
        });
    }

    pub fn acknowledge(&mut self, status: &TaskStatus) {
        let acknowledged = event::Acknowledged {
            task_id: status.task_id.clone(),
            uuid: status.uuid.clone().unwrap(),
        };
        self.tell(Event {
            r#type: Some(event::Type::Acknowledged as i32),
            acknowledged: Some(acknowledged),
            ..Event::default()
        });
    }

    /// Waits for an UPDATE.
    pub fn update(&self) -> TaskStatus {
        self.hear().call.update.expect("an UPDATE").status
    }

    /// Waits for updates of these states, acknowledges each, and returns the last one.
    pub fn expect(&mut self, states: &[TaskState]) -> TaskStatus {
        let mut last = TaskStatus::default();
        for &state in states {
            last = self.update();
            assert_eq!(last.state, state as i32, "{last:?}");
            self.acknowledge(&last);
        }
        last
    }

    /// Goes away, as an agent that is killed does.
    pub fn die(mut self) {
        self.stop.take();
        while self.heard.recv_timeout(PATIENCE).is_ok() {}
    }
}

/// Serves one connection.
fn serve(socket: TcpStream, tell: &Sender<Heard>) {
    let mut answer = socket.try_clone().unwrap();
    let mut input = BufReader::new(socket);
    while let Some(call) = read_call(&mut input) {
        let subscribe = call.subscribe.is_some();
        let head = if subscribe {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-protobuf\r\n\r\n"
        } else {
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        };
        if answer.write_all(head.as_bytes()).is_err() {
            return;
        }
        let stream = subscribe.then(|| answer.try_clone().unwrap());
        if tell.send(Heard { call, stream }).is_err() {
            return;
        }
    }
}

fn read_call(input: &mut impl BufRead) -> Option<Call> {
    let mut length = 0;
    let mut first = String::new();
    input.read_line(&mut first).ok().filter(|&count| count > 0)?;
    assert_eq!(first, "POST /slave(1)/api/v1/executor HTTP/1.1\r\n");
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|&count| count > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(Call::decode(body.as_slice()).unwrap())
}

/// An executor under test, in a sandbox of its own.
pub struct Executor {
    pub child: Child,
    dir: tempfile::TempDir,
}

impl Executor {
    /// Starts the program and tells it the plan, without the go byte.
    pub fn prepare(plan: &[&str], environment: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| Stdio::from(std::fs::File::create(dir.path().join(name)).unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_reeve-executor"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(open("stdout"))
            .stderr(open("stderr"))
            .spawn()
            .unwrap();
        let sandbox = format!("sandbox={}", dir.path().display());
        let status = format!("status={}/status", dir.path().display());
        let entries = [sandbox.as_str(), status.as_str()].into_iter().chain(plan.iter().copied());
        let text: Vec<u8> = entries.flat_map(|entry| entry.bytes().chain([0])).collect();
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let input = child.stdin.as_mut().unwrap();
        input.write_all(&[&length, text.as_slice()].concat()).unwrap();
        Self { child, dir }
    }

    pub fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"g").unwrap();
    }

    /// A command executor for `agent`, under way.
    pub fn command(agent: &Agent, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let endpoint = agent.address.to_string();
        let pid = format!("slave(1)@{endpoint}");
        let mut all = vec![
            ("MESOS_FRAMEWORK_ID", "f"),
            ("MESOS_EXECUTOR_ID", "e"),
            ("MESOS_AGENT_ENDPOINT", endpoint.as_str()),
            ("MESOS_SLAVE_PID", pid.as_str()),
        ];
        all.extend(environment);
        let plan: Vec<&str> = ["kind=command-executor"].iter().chain(more).copied().collect();
        let mut executor = Self::prepare(&plan, &all);
        executor.go();
        executor
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits for the task to write a line to the file, and returns it.
    pub fn line(&self, name: &str) -> String {
        eventually(|| self.read(name).strip_suffix('\n').map(str::to_owned))
    }

    pub fn wait(&mut self) -> ExitStatus {
        eventually(|| self.child.try_wait().unwrap())
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Looks until there is something to see.
pub fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < until, "it never happens");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until the process is gone, or only waits to be reaped by whoever adopted it.
pub fn gone(pid: &str) {
    eventually(|| {
        let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
        let state = stat.ok().and_then(|stat| Some(stat.rsplit_once(") ")?.1.chars().next()));
        matches!(state, None | Some(Some('Z' | 'X'))).then_some(())
    });
}

/// The task that the calls here are about.
pub fn task(command: CommandInfo) -> TaskInfo {
    TaskInfo {
        name: "t".into(),
        task_id: TaskId { value: "t".into() },
        command: Some(command),
        ..TaskInfo::default()
    }
}

pub fn shell(script: &str) -> CommandInfo {
    CommandInfo { value: Some(script.into()), ..CommandInfo::default() }
}
