//! An agent that registers and does what a test says.

use std::net::SocketAddr;

use prost::Message;
use reeve_model::Pid;
use reeve_transport::libprocess::PeersConfig;
use reeve_transport::{Actors, Inbound, Peers, Router, Server, ServerConfig};
use reeve_wire::{Described, SlaveInfo, WireMessage, decode, internal, v1};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;

/// The capabilities of an agent of Mesos 1.11.
const CAPABILITIES: [i32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

pub struct Agent {
    peers: Peers,
    inbox: mpsc::Receiver<Inbound>,
    master: Pid,
    pub pid: Pid,
    /// Its id, once registered.
    pub id: String,
    stop: CancellationToken,
}

impl Agent {
    /// An agent that has not said anything yet.
    pub async fn start(master: SocketAddr) -> Agent {
        let stop = CancellationToken::new();
        let server = Server::bind(ServerConfig::new(vec!["127.0.0.1:0".parse().unwrap()])).unwrap();
        let (peers, _) = Peers::new(PeersConfig::new(server.addresses()[0]), stop.clone());
        let (actors, (sender, inbox)) = (Actors::new(), mpsc::channel(1000));
        actors.register("slave(1)", sender);
        tokio::spawn(server.serve(Router::new("slave(1)"), actors, stop.clone()));
        let pid = peers.pid("slave(1)");
        Agent { peers, inbox, master: Pid::new("master", master), pid, id: String::new(), stop }
    }

    /// A registered agent with 4 cpus, 1024 MB and ports.
    pub async fn registered(master: SocketAddr) -> Agent {
        let mut agent = Agent::start(master).await;
        agent.ask_to_join();
        let registered: internal::SlaveRegisteredMessage = agent.expect().await;
        agent.id = registered.slave_id.value;
        let timeout = registered.connection.and_then(|c| c.total_ping_timeout_seconds);
        assert_eq!(timeout, Some(75.0));
        agent
    }

    pub fn info(&self, id: Option<&str>) -> SlaveInfo {
        let resources = reeve_model::Resources::parse(
            "cpus:4;mem:1024;disk:2048;ports:[31000-31009]",
            &reeve_model::Role::any(),
        );
        SlaveInfo {
            hostname: "agent.example".to_owned(),
            port: Some(5051),
            resources: resources.unwrap().to_wire(reeve_model::Format::PostRefinement).unwrap(),
            attributes: reeve_model::Attributes::parse("rack:r7;level:3").unwrap().to_wire(),
            id: id.map(|id| v1::AgentId { value: id.to_owned() }),
            ..Default::default()
        }
    }

    /// Asks to join, or whether it has.
    pub fn ask_to_join(&self) {
        self.send(&internal::RegisterSlaveMessage {
            slave: self.info(None),
            version: Some("1.11.0".to_owned()),
            agent_capabilities: capabilities(),
            resource_version_uuid: Some(v1::Uuid { value: vec![7; 16].into() }),
            ..Default::default()
        });
    }

    /// Comes back with its id and nothing running.
    pub async fn reregister(&mut self) {
        self.ask_to_return();
        let _: internal::SlaveReregisteredMessage = self.expect().await;
    }

    /// Says that it is back with its id and nothing running.
    pub fn ask_to_return(&self) {
        let id = self.id.clone();
        self.send(&internal::ReregisterSlaveMessage {
            slave: self.info(Some(&id)),
            version: Some("1.11.0".to_owned()),
            agent_capabilities: capabilities(),
            ..Default::default()
        });
    }

    pub fn send<T: WireMessage>(&self, message: &T) {
        self.peers.send("slave(1)", &self.master, T::NAME, &message.encode_to_vec());
    }

    /// The next message, which must be of this type; pings are answered and passed over.
    pub async fn expect<T: WireMessage>(&mut self) -> T {
        loop {
            let message = timeout(PATIENCE, self.inbox.recv()).await;
            let message = message.unwrap_or_else(|_| panic!("no {} came", T::NAME)).unwrap();
            if &*message.name == internal::PingSlaveMessage::NAME {
                let pong = internal::PongSlaveMessage {};
                let name = internal::PongSlaveMessage::NAME;
                self.peers.send("slave(1)", &message.from, name, &pong.encode_to_vec());
                continue;
            }
            assert_eq!(&*message.name, T::NAME);
            return decode(&message.body).unwrap();
        }
    }

    /// Reports a state of a task.
    pub fn update(&self, framework: &str, task: &str, state: v1::TaskState, uuid: u8) {
        let uuid = bytes::Bytes::from(vec![uuid; 16]);
        let status = v1::TaskStatus {
            task_id: v1::TaskId { value: task.to_owned() },
            state: state.into(),
            source: Some(v1::task_status::Source::Executor.into()),
            agent_id: Some(v1::AgentId { value: self.id.clone() }),
            executor_id: Some(v1::ExecutorId { value: task.to_owned() }),
            timestamp: Some(1_700_000_000.25),
            uuid: Some(uuid.clone()),
            ..Default::default()
        };
        let update = internal::StatusUpdate {
            framework_id: v1::FrameworkId { value: framework.to_owned() },
            executor_id: status.executor_id.clone(),
            slave_id: status.agent_id.clone(),
            status,
            timestamp: 1_700_000_000.25,
            uuid: Some(uuid),
            latest_state: Some(state.into()),
        };
        let pid = Some(self.pid.to_string());
        self.send(&internal::StatusUpdateMessage { update, pid });
    }

    /// Breaks all its connections.
    pub fn vanish(self) {
        self.stop.cancel();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn capabilities() -> Vec<v1::agent_info::Capability> {
    CAPABILITIES.iter().map(|n| v1::agent_info::Capability { r#type: Some(*n) }).collect()
}
