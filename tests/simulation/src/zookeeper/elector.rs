//! The machine of `reeve-election`, beside every master, agent and scheduler.

use std::sync::Arc;

use reeve_election::{Effect, Election, Event, Happened, Request, Session, Stand};
use reeve_machine::sim::Node;
use reeve_machine::{Machine, Tick};
use reeve_model::{MasterInfo, Pid};

use super::client::Purpose;
use super::{Ask, Client};
use crate::cluster::{Cluster, Who};
use crate::parcel::Parcel;
use crate::sabotage::Sabotage;

impl Cluster {
    /// A process starts, and wants to know who leads; a master contends, too.
    pub(crate) fn elector_starts(&mut self, node: Node) {
        if self.ensemble.is_none() {
            return;
        }
        let seed = self.dice.next_u64();
        let machine = match self.who[node.0 as usize] {
            Who::Master(_) => Election::candidate(self.master_info(node), seed),
            _ => Election::detector(seed),
        };
        let server = self.dice.below(3) as usize;
        self.clients.insert(node, Client::new(machine, server));
        self.elector_step(node, Event::Timer);
    }

    /// A candidate wants to lead no more.
    pub(crate) fn elector_resigns(&mut self, node: Node) {
        self.elector_step(node, Event::Resigned);
    }

    fn master_info(&self, node: Node) -> Arc<MasterInfo> {
        let pid = self.pid_of(node);
        Arc::new(MasterInfo {
            id: format!("master{}", node.0),
            ip: pid.address.ip(),
            port: pid.address.port(),
            hostname: format!("m{}", node.0),
            version: "1.11.0".to_owned(),
            pid: pid.to_string(),
            domain: None,
            capabilities: Vec::new(),
        })
    }

    /// Something happened with a session.
    pub(super) fn elector_hears(&mut self, node: Node, session: Session, happened: Happened) {
        self.elector_step(node, Event::With(session, happened));
    }

    pub(crate) fn elector_woken(&mut self, node: Node, at: Tick) {
        let now = self.world.clock(node);
        let Some(client) = self.clients.get_mut(&node) else { return };
        if client.wake == Some(at) {
            client.wake = None;
        }
        if client.machine.deadline().is_some_and(|due| due <= now) {
            self.elector_step(node, Event::Timer);
        } else {
            self.elector_wakes(node);
        }
    }

    fn elector_wakes(&mut self, node: Node) {
        let now = self.world.clock(node);
        let Some(client) = self.clients.get_mut(&node) else { return };
        let Some(due) = client.machine.deadline() else { return };
        if client.wake.is_none_or(|wake| due < wake) {
            client.wake = Some(due);
            self.world.local(node, due.since(now), Parcel::ElectorWakes(due));
        }
    }

    fn elector_step(&mut self, node: Node, event: Event) {
        let now = self.world.clock(node);
        self.tell(|| format!("elector {} <- {event:?}", node.0));
        let mut effects = Vec::new();
        let Some(client) = self.clients.get_mut(&node) else { return };
        client.machine.step(now, event, &mut effects);
        self.world.mix(effects.len() as u64);
        for effect in effects {
            self.tell(|| format!("elector {} -> {effect:?}", node.0));
            self.elector_effect(node, effect);
        }
        self.elector_wakes(node);
    }

    fn elector_effect(&mut self, node: Node, effect: Effect) {
        match effect {
            Effect::Open(session) => self.client_opens(node, session),
            Effect::Close(..) => self.client_closes(node),
            Effect::Ask(_, request) => self.elector_asks(node, request),
            Effect::Stand(stand, leader) => self.elector_stands(node, stand, leader.as_deref()),
            Effect::Extend(until) => {
                if let Some(client) = self.clients.get_mut(&node) {
                    client.lease = client.lease.max(until);
                }
            }
            Effect::Say(_) => {}
        }
    }

    fn elector_asks(&mut self, node: Node, request: Request) {
        let now = self.world.clock(node);
        let number = |name: &str| name.rsplit('_').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let ask = match &request {
            Request::List => Ask::Children,
            Request::Create(data) => Ask::Create(data.clone()),
            Request::Find => Ask::Find,
            Request::Read(name) => Ask::Data(number(name)),
            // What one could take for a confirmation, and is none.
            Request::Renew(..) if self.sabotage == Some(Sabotage::RenewsByReading) => Ask::Ping,
            Request::Renew(name, _) => Ask::Set(number(name)),
        };
        self.client_asks(node, ask, Purpose::Election(request, now));
    }

    fn elector_stands(&mut self, node: Node, stand: Stand, leader: Option<&MasterInfo>) {
        let listens = leader.map(|info| Pid::new("master", (info.ip, info.port).into()));
        let leader = listens.and_then(|pid| self.node_of(&pid));
        let Some(client) = self.clients.get_mut(&node) else { return };
        client.lease = match &stand {
            Stand::Leading(until, _) => *until,
            _ => Tick::ZERO,
        };
        client.stand = stand;
        let moved = client.leader != leader;
        client.leader = leader;
        match self.who[node.0 as usize] {
            Who::Master(which) => self.master_stands(which),
            Who::Agent(which) if moved => self.agent_detects(which, leader),
            Who::Scheduler(which) if moved => self.scheduler_detects(which, leader),
            _ => {}
        }
    }
}
