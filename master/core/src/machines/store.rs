//! What is known of machines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use reeve_model::{AgentInfo, Machine, MachineId, MachineMode, Pid, Unavailability, Window};

use crate::answer::Refusal;
use crate::event::{MaintenanceChange, RequestId};

/// How many bytes of a schedule may be written at once: ZooKeeper takes a megabyte.
const MOST_BYTES: usize = 900_000;

/// What a record of a machine takes beside its names, which it and the schedule repeat.
const BYTES_PER_MACHINE: usize = 100;

/// The schedule, and the machines in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub windows: Arc<Vec<Window>>,
    pub machines: Arc<BTreeMap<MachineId, Machine>>,
}

/// All machines in the schedule. Changes of it are made one after the other.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    pub plan: Plan,
    /// While a change is being written, those that came after it.
    pub waiting: Option<VecDeque<(RequestId, MaintenanceChange)>>,
}

/// The machine that an agent says it is on.
pub(crate) fn machine_of(info: &AgentInfo, pid: &Pid) -> MachineId {
    MachineId { hostname: info.hostname.clone(), ip: pid.address.ip().to_string() }
}

impl Machines {
    /// Takes in what an earlier leader wrote down.
    pub fn recover(&mut self, windows: Vec<Window>, machines: Vec<Machine>) {
        let machines = machines.into_iter().map(|machine| (machine.id.clone(), machine));
        self.plan = Plan { windows: Arc::new(windows), machines: Arc::new(machines.collect()) };
    }

    fn find(&self, info: &AgentInfo, pid: &Pid) -> Option<&Machine> {
        if self.plan.machines.is_empty() {
            return None;
        }
        self.plan.machines.get(&machine_of(info, pid))
    }

    /// Whether the agent's machine is down.
    pub fn is_down(&self, info: &AgentInfo, pid: &Pid) -> bool {
        self.find(info, pid).is_some_and(|machine| machine.mode == MachineMode::Down)
    }

    /// When the agent's machine is to be down.
    pub fn unavailability(&self, info: &AgentInfo, pid: &Pid) -> Option<Unavailability> {
        self.find(info, pid)?.unavailability
    }

    /// The machine in the schedule that the agent is on.
    pub fn scheduled(&self, info: &AgentInfo, pid: &Pid) -> Option<&MachineId> {
        self.find(info, pid).map(|machine| &machine.id)
    }
}

impl Plan {
    /// What a change makes of it.
    ///
    /// # Errors
    ///
    /// The rule that the change breaks.
    pub fn changed(&self, change: MaintenanceChange) -> Result<Plan, Refusal> {
        match change {
            MaintenanceChange::Schedule(windows) => self.scheduled(windows),
            MaintenanceChange::Start(machines) => self.down(&machines),
            MaintenanceChange::Stop(machines) => self.up(&machines),
        }
        .map_err(Refusal::Invalid)
    }

    fn scheduled(&self, windows: Vec<Window>) -> Result<Plan, String> {
        let mut machines = BTreeMap::new();
        let mut bytes = 0;
        for window in &windows {
            for id in &window.machines {
                let mode = self.machines.get(id).map_or(MachineMode::Draining, |one| one.mode);
                let unavailability = Some(window.unavailability);
                let machine = Machine { id: id.clone(), mode, unavailability };
                bytes += 3 * (id.hostname.len() + id.ip.len()) + BYTES_PER_MACHINE;
                if machines.insert(id.clone(), machine).is_some() {
                    return Err(format!("Machine '{id}' appears more than once in the schedule"));
                }
            }
        }
        let is_missing =
            |one: &&Machine| one.mode == MachineMode::Down && !machines.contains_key(&one.id);
        if let Some(Machine { id, .. }) = self.machines.values().find(is_missing) {
            return Err(format!(
                "Machine '{id}' is down and cannot be removed from the schedule; bring it up first"
            ));
        }
        if bytes > MOST_BYTES {
            return Err(format!(
                "A schedule of {} machines is too large to be kept; schedule those that are next",
                machines.len()
            ));
        }
        Ok(Plan { windows: Arc::new(windows), machines: Arc::new(machines) })
    }

    fn down(&self, ids: &[MachineId]) -> Result<Plan, String> {
        let named = self.each_in(ids, MachineMode::Draining, |id| {
            format!("Machine '{id}' is not in DRAINING mode and cannot be brought down")
        })?;
        let mut machines = BTreeMap::clone(&self.machines);
        for id in named {
            if let Some(machine) = machines.get_mut(id) {
                machine.mode = MachineMode::Down;
            }
        }
        Ok(Plan { windows: self.windows.clone(), machines: Arc::new(machines) })
    }

    fn up(&self, ids: &[MachineId]) -> Result<Plan, String> {
        let named = self.each_in(ids, MachineMode::Down, |id| {
            format!("Machine '{id}' is not in DOWN mode and cannot be brought up")
        })?;
        let mut machines = BTreeMap::clone(&self.machines);
        machines.retain(|id, _| !named.contains(id));
        let mut windows = Vec::clone(&self.windows);
        for window in &mut windows {
            window.machines.retain(|id| !named.contains(id));
        }
        windows.retain(|window| !window.machines.is_empty());
        Ok(Plan { windows: Arc::new(windows), machines: Arc::new(machines) })
    }

    /// The named machines, each of which must be named once and be in this mode.
    fn each_in<'a>(
        &self,
        ids: &'a [MachineId],
        mode: MachineMode,
        otherwise: impl Fn(&MachineId) -> String,
    ) -> Result<BTreeSet<&'a MachineId>, String> {
        if ids.is_empty() {
            return Err("List of machines is empty".to_owned());
        }
        let mut named = BTreeSet::new();
        for id in ids {
            match self.machines.get(id) {
                None => {
                    return Err(format!("Machine '{id}' is not part of a maintenance schedule"));
                }
                Some(machine) if machine.mode != mode => return Err(otherwise(id)),
                Some(_) => {}
            }
            if !named.insert(id) {
                return Err(format!("Machine '{id}' appears more than once in the list"));
            }
        }
        Ok(named)
    }
}
