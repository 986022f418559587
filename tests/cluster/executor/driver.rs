//! The same executor on messages of libprocess, as the native executor driver of Mesos sends and
//! takes them. That driver itself is not in the Python packages; what this one does and does not do
//! is taken from Mesos 1.11: it registers once, sends nothing while it is disconnected, keeps what
//! is not acknowledged, and says all of it when an agent asks it to come back.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use reeve_wire::{Described, WireMessage, decode, encode, internal, v1};

const ID: &str = "executor(1)";

pub fn run() {
    let agent = super::variable("MESOS_SLAVE_PID");
    let listener = TcpListener::bind((address(&agent).ip(), 0)).expect("a free port");
    let own = listener.local_addr().expect("a bound socket has an address");
    let driver = Driver {
        own: format!("{ID}@{own}"),
        checkpoint: super::variable("MESOS_CHECKPOINT") == "1",
        framework_id: v1::FrameworkId { value: super::variable("MESOS_FRAMEWORK_ID") },
        executor_id: v1::ExecutorId { value: super::variable("MESOS_EXECUTOR_ID") },
        slave_id: v1::AgentId { value: super::variable("MESOS_SLAVE_ID") },
        agent: None,
        connected: false,
        updates: BTreeMap::new(),
        tasks: BTreeMap::new(),
    };
    let driver = Arc::new(Mutex::new(driver));
    link(&driver, agent);
    let this = driver.lock().expect("nobody panicked");
    this.send(&internal::RegisterExecutorMessage {
        framework_id: this.framework_id.clone(),
        executor_id: this.executor_id.clone(),
    });
    drop(this);
    for stream in listener.incoming() {
        let (driver, stream) = (Arc::clone(&driver), stream.expect("a connection"));
        std::thread::spawn(move || serve(&driver, stream));
    }
}

/// A driver, and what it would say if it were asked to come back.
struct Driver {
    own: String,
    checkpoint: bool,
    framework_id: v1::FrameworkId,
    executor_id: v1::ExecutorId,
    slave_id: v1::AgentId,
    agent: Option<(String, TcpStream)>,
    connected: bool,
    updates: BTreeMap<Bytes, internal::StatusUpdate>,
    tasks: BTreeMap<String, v1::TaskInfo>,
}

fn address(pid: &str) -> SocketAddr {
    let (_, address) = pid.split_once('@').expect("a pid");
    address.parse().expect("an address")
}

/// Connects to the agent, and watches the connection.
fn link(driver: &Arc<Mutex<Driver>>, agent: String) {
    let stream = TcpStream::connect(address(&agent)).expect("the agent listens");
    let mut watched = stream.try_clone().expect("a socket can be shared");
    driver.lock().expect("nobody panicked").agent = Some((agent, stream));
    let driver = Arc::clone(driver);
    std::thread::spawn(move || {
        let mut replies = [0; 4096];
        while watched.read(&mut replies).is_ok_and(|length| length > 0) {}
        let mut driver = driver.lock().expect("nobody panicked");
        if !(driver.checkpoint && driver.connected) {
            std::process::exit(0);
        }
        driver.connected = false;
    });
}

/// Takes the messages of one connection.
fn serve(driver: &Arc<Mutex<Driver>>, stream: TcpStream) {
    let mut replies = stream.try_clone().expect("a socket can be shared");
    let mut reader = BufReader::new(stream);
    loop {
        let (mut name, mut from, mut length) = (String::new(), String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end();
            if let Some(path) = line.strip_prefix("POST ") {
                let path = path.split(' ').next().unwrap_or_default();
                name = path.rsplit('/').next().unwrap_or_default().to_owned();
            } else if let Some(sender) = line.strip_prefix("Libprocess-From: ") {
                sender.clone_into(&mut from);
            } else if let Some(size) = line.strip_prefix("Content-Length: ") {
                length = size.parse().expect("a length");
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        let accepted = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
        replies.write_all(accepted).expect("the agent reads");
        take(driver, &name, from, &Bytes::from(body));
    }
}

fn read<T: WireMessage>(body: &Bytes) -> T {
    decode(body).expect("a good message")
}

fn take(driver: &Arc<Mutex<Driver>>, name: &str, from: String, body: &Bytes) {
    if name == internal::ReconnectExecutorMessage::NAME {
        link(driver, from);
        let this = driver.lock().expect("nobody panicked");
        return this.send(&internal::ReregisterExecutorMessage {
            executor_id: this.executor_id.clone(),
            framework_id: this.framework_id.clone(),
            tasks: this.tasks.values().cloned().collect(),
            updates: this.updates.values().cloned().collect(),
        });
    }
    let mut this = driver.lock().expect("nobody panicked");
    match name {
        internal::ExecutorRegisteredMessage::NAME => {
            let told: internal::ExecutorRegisteredMessage = read(body);
            assert_eq!(told.executor_info.executor_id, this.executor_id);
            assert_eq!(told.slave_info.id, Some(this.slave_id.clone()));
            this.connected = true;
        }
        internal::ExecutorReregisteredMessage::NAME => this.connected = true,
        internal::RunTaskMessage::NAME => this.launch(read::<internal::RunTaskMessage>(body).task),
        internal::KillTaskMessage::NAME => {
            this.update(
                &read::<internal::KillTaskMessage>(body).task_id,
                v1::TaskState::TaskKilled,
            );
        }
        internal::StatusUpdateAcknowledgementMessage::NAME => {
            let told: internal::StatusUpdateAcknowledgementMessage = read(body);
            this.updates.remove(&told.uuid);
            this.tasks.remove(&told.task_id.value);
        }
        internal::FrameworkToExecutorMessage::NAME => {
            let told: internal::FrameworkToExecutorMessage = read(body);
            this.send(&internal::ExecutorToFrameworkMessage {
                slave_id: this.slave_id.clone(),
                framework_id: this.framework_id.clone(),
                executor_id: this.executor_id.clone(),
                data: told.data,
            });
        }
        internal::ShutdownExecutorMessage::NAME => std::process::exit(0),
        other => panic!("{other} is no message for an executor"),
    }
}

impl Driver {
    fn launch(&mut self, task: v1::TaskInfo) {
        let (id, data) = (task.task_id.clone(), task.data.clone());
        let before = self.tasks.insert(id.value.clone(), task);
        assert_eq!(before, None, "a task comes once");
        self.update(&id, v1::TaskState::TaskRunning);
        match data.as_deref() {
            Some(b"finish") => self.update(&id, v1::TaskState::TaskFinished),
            Some(b"fail") => self.update(&id, v1::TaskState::TaskFailed),
            _ => {}
        }
    }

    fn update(&mut self, task: &v1::TaskId, state: v1::TaskState) {
        let uuid = Bytes::copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let timestamp = since.unwrap_or_default().as_secs_f64();
        let status = v1::TaskStatus {
            task_id: task.clone(),
            state: state.into(),
            agent_id: Some(self.slave_id.clone()),
            executor_id: Some(self.executor_id.clone()),
            source: Some(v1::task_status::Source::Executor.into()),
            timestamp: Some(timestamp),
            uuid: Some(uuid.clone()),
            ..v1::TaskStatus::default()
        };
        let update = internal::StatusUpdate {
            framework_id: self.framework_id.clone(),
            executor_id: Some(self.executor_id.clone()),
            slave_id: Some(self.slave_id.clone()),
            status,
            timestamp,
            uuid: Some(uuid.clone()),
            latest_state: None,
        };
        self.updates.insert(uuid, update.clone());
        if self.connected {
            self.send(&internal::StatusUpdateMessage { update, pid: Some(self.own.clone()) });
        }
    }

    /// One message as libprocess writes it: in one chunk.
    fn send<T: WireMessage>(&self, message: &T) {
        let Some((agent, stream)) = &self.agent else { return };
        let (id, host) = agent.split_once('@').expect("a pid");
        let (name, own, body) = (T::NAME, &self.own, encode(message));
        let mut bytes = format!(
            "POST /{id}/{name} HTTP/1.1\r\nUser-Agent: libprocess/{own}\r\nLibprocess-From: {own}\r\n\
             Connection: Keep-Alive\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(b"\r\n0\r\n\r\n");
        // An agent that is gone asks for it again.
        let _ = (&*stream).write_all(&bytes);
    }
}
