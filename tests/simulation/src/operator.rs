//! An operator: takes agents and machines out of use and brings them back, gives agents up for good,
//! and sets quota and weights.

use reeve_master_core::event::{Ask, MaintenanceChange, QuotaChange};
use reeve_master_core::roles::Quota;
use reeve_model::{
    DrainConfig, MachineId, Quantity, ResourceName, Resources, Role, Unavailability, Window,
};

use crate::cluster::Cluster;
use crate::faults::Fault;
use crate::parcel::{Parcel, secs};

impl Cluster {
    /// Does what is asked for in the fault's name, if somebody leads who can do it.
    pub(crate) fn operator_acts(&mut self, fault: Fault) -> bool {
        let Some(leader) = self.leading() else { return false };
        match fault {
            Fault::AgentGone => self.agent_gone(leader),
            Fault::AgentUpkeep => self.agent_upkeep(leader),
            Fault::MachineDown => self.machine_down(leader),
            _ => self.roles_change(leader),
        }
    }

    /// An operator asks for something later. If nobody leads then, it is asked for again.
    fn later(&mut self, most: u64, ask: Ask) {
        let wait = self.dice.duration(secs(1)..secs(most));
        self.world.outside(wait, Parcel::Operator(Box::new(ask)));
    }

    /// An operator's time has come.
    pub(crate) fn operator_asks(&mut self, ask: Box<Ask>) {
        match self.leading() {
            Some(leader) => self.master_is_asked(leader, *ask),
            None => self.world.outside(secs(5), Parcel::Operator(ask)),
        }
    }

    /// An operator gives an agent up for good, and sees to its machine later.
    fn agent_gone(&mut self, leader: usize) -> bool {
        let (which, wait) = (self.some_agent(), self.dice.duration(secs(1)..secs(100)));
        let Some(id) = self.agents[which].core.info().id.clone() else { return false };
        self.master_is_asked(leader, Ask::MarkGone(id));
        self.world.outside(wait, Parcel::Wiped(self.agents[which].node));
        true
    }

    /// An operator takes an agent out of use or empties it, and brings it back. The machine of one
    /// that is to be gone is seen to.
    fn agent_upkeep(&mut self, leader: usize) -> bool {
        let (which, choice) = (self.some_agent(), self.dice.below(4));
        let Some(id) = self.agents[which].core.info().id.clone() else { return false };
        if choice == 0 {
            self.master_is_asked(leader, Ask::Deactivate(id.clone()));
        } else {
            let config = DrainConfig { max_grace: Some(secs(5)), mark_gone: choice == 1 };
            self.master_is_asked(leader, Ask::Drain(id.clone(), config));
        }
        if choice == 1 {
            let wait = self.dice.duration(secs(20)..secs(200));
            self.world.outside(wait, Parcel::Wiped(self.agents[which].node));
        }
        // It is refused while the agent still drains.
        self.later(100, Ask::Reactivate(id.clone()));
        self.later(300, Ask::Reactivate(id));
        true
    }

    /// An operator plans a machine's maintenance, takes it down and brings it back. Now and then the
    /// plan is dropped, or comes to nothing because it was made twice.
    fn machine_down(&mut self, leader: usize) -> bool {
        let which = self.some_agent();
        let (hostname, ip) = {
            let agent = &self.agents[which];
            (agent.info.hostname.clone(), agent.pid.address.ip().to_string())
        };
        let id = MachineId { hostname, ip };
        let mut windows = self.registry(leader).windows().to_vec();
        let start = self.wall(self.masters[leader].node).0;
        let unavailability = Unavailability { start, duration: None };
        windows.push(Window { machines: vec![id.clone()], unavailability });
        let ask = |change| Ask::Maintenance(change);
        self.master_is_asked(leader, ask(MaintenanceChange::Schedule(windows)));
        if self.dice.one_in(4) {
            self.later(60, ask(MaintenanceChange::Schedule(Vec::new())));
        }
        self.later(60, ask(MaintenanceChange::Start(vec![id.clone()])));
        self.later(200, ask(MaintenanceChange::Stop(vec![id])));
        true
    }

    /// In peace an operator brings back what is down, as often as it takes.
    pub(crate) fn operator_tidies(&mut self) {
        let down = match self.leading() {
            Some(leader) => self.registry(leader).machines_down(),
            None => return self.world.outside(secs(5), Parcel::OperatorTidies),
        };
        for machine in &down {
            let change = MaintenanceChange::Stop(vec![machine.clone()]);
            self.operator_asks(Box::new(Ask::Maintenance(change)));
        }
        // What was asked for in war may come late, and a leader that was asked may be gone.
        if !self.closing {
            self.world.outside(secs(15), Parcel::OperatorTidies);
        }
    }

    /// Somebody is to get more of the cluster, or no more than so much.
    fn roles_change(&mut self, leader: usize) -> bool {
        let role = Role::new("batch");
        if self.dice.one_in(3) {
            let role = if self.dice.one_in(2) { role } else { Role::any() };
            let weight = if self.dice.one_in(2) { 0.5 } else { 4.0 };
            self.master_is_asked(leader, Ask::Weights(vec![(role, weight)]));
            return true;
        }
        let guaranteed = self.dice.below(4);
        let guarantees = Resources::parse(&format!("cpus:{guaranteed}"), &Role::any());
        let guarantees = guarantees.unwrap_or_default().quantities();
        let most = 1000 * (guaranteed + self.dice.below(4));
        let most = Quantity::from_thousandths(i64::try_from(most).unwrap_or(i64::MAX));
        let limits = vec![(ResourceName::Cpus, most)];
        let change = QuotaChange::Update(vec![(role.clone(), Quota { guarantees, limits })]);
        let force = self.dice.one_in(2);
        self.master_is_asked(leader, Ask::Quota { change, force });
        self.later(200, Ask::Quota { change: QuotaChange::Remove(role), force });
        true
    }
}
