//! The allocation machine's books, kept a second time from what it hears and grants (A1, A2, A3,
//! A5, A7, A9).

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::Tick;
use reeve_master_core::allocation::{Event, Granted, Reclaimed};
use reeve_master_core::view::Snapshot;
use reeve_model::{AgentId, FrameworkInfo, Quantity, ResourceName, Resources, Role};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

/// A second set of books.
#[derive(Debug, Default)]
pub struct Ledger {
    agents: BTreeMap<AgentIx, Account>,
    frameworks: BTreeMap<FrameworkIx, Client>,
    refused: Vec<Refused>,
    limits: BTreeMap<Role, Vec<(ResourceName, Quantity)>>,
}

#[derive(Debug)]
struct Account {
    id: AgentId,
    total: Resources,
    /// Offered or used, without allocation info.
    taken: Resources,
    /// The same by framework.
    by: BTreeMap<FrameworkIx, Resources>,
    /// How many tasks live, by framework and role.
    tasks: BTreeMap<(FrameworkIx, Role), u32>,
    active: bool,
}

impl Account {
    fn take(&mut self, framework: FrameworkIx, resources: &Resources) {
        self.taken += resources;
        *self.by.entry(framework).or_default() += resources;
    }
}

#[derive(Debug)]
struct Client {
    info: Arc<FrameworkInfo>,
    active: bool,
    suppressed: Vec<Role>,
}

#[derive(Debug)]
struct Refused {
    framework: FrameworkIx,
    role: Option<Role>,
    agent: AgentIx,
    resources: Resources,
    until: Tick,
}

impl Ledger {
    /// The allocation machine is told.
    ///
    /// # Errors
    /// What cannot be, by these books.
    pub fn hears(&mut self, event: &Event, now: Tick) -> Result<(), String> {
        self.refused.retain(|refused| refused.until > now);
        match event {
            Event::Introduction(_) => *self = Ledger::default(),
            Event::AgentAdded { agent, info, total, used, active } => {
                let (taken, by) = (Resources::new(), BTreeMap::new());
                let (id, total) = (info.id.clone(), total.clone());
                let tasks = BTreeMap::new();
                let mut account = Account { id, total, taken, by, tasks, active: *active };
                for (framework, resources) in used {
                    account.take(*framework, &resources.unallocated());
                }
                if self.agents.insert(*agent, account).is_some() {
                    return Err(format!("{agent:?} is added twice"));
                }
            }
            Event::AgentChanged { agent, total } => {
                self.account(*agent)?.total = total.clone();
                self.refused.retain(|refused| refused.agent != *agent);
            }
            Event::AgentActive { agent, active } => self.account(*agent)?.active = *active,
            Event::AgentRemoved { agent } => {
                self.agents.remove(agent);
                self.refused.retain(|refused| refused.agent != *agent);
            }
            Event::Recover { framework, agent, resources, filter } => {
                self.recover(*framework, *agent, resources, filter.map(|filter| now + filter))?;
            }
            Event::Used { framework, agent, resources } => {
                self.account(*agent)?.take(*framework, &resources.unallocated());
            }
            Event::Tasks { framework, role, agent, count } => {
                let account = self.account(*agent)?;
                account.tasks.insert((*framework, role.clone()), *count);
            }
            Event::Converted { framework, agent, from, to } => {
                self.convert(*framework, *agent, &from.unallocated(), &to.unallocated())?;
            }
            other => self.hears_of_framework(other)?,
        }
        Ok(())
    }

    fn recover(
        &mut self,
        framework: FrameworkIx,
        agent: AgentIx,
        resources: &Resources,
        refused_until: Option<Tick>,
    ) -> Result<(), String> {
        let known = self.frameworks.contains_key(&framework);
        // A grant that was under way when its agent went.
        let Some(account) = self.agents.get_mut(&agent) else { return Ok(()) };
        let back = resources.unallocated();
        let Some(held) = account.by.get_mut(&framework) else {
            // It was freed with its framework.
            let law = format!("A1: {back} come back to {agent:?} from nowhere");
            return if known && !back.is_empty() { Err(law) } else { Ok(()) };
        };
        let wrong = || format!("A1: {back} come back to {agent:?}, which gave less");
        *held = held.checked_sub(&back).ok_or_else(wrong)?;
        account.taken = account.taken.checked_sub(&back).ok_or_else(wrong)?;
        if let Some(until) = refused_until {
            let role = resources.allocations().into_keys().next();
            self.refused.push(Refused { framework, role, agent, resources: back, until });
        }
        Ok(())
    }

    fn convert(
        &mut self,
        framework: Option<FrameworkIx>,
        agent: AgentIx,
        from: &Resources,
        to: &Resources,
    ) -> Result<(), String> {
        let account = self.account(agent)?;
        let wrong = || format!("{from} of {agent:?} become {to}, and are not there");
        account.total = account.total.checked_sub(from).ok_or_else(wrong)? + to;
        if let Some(framework) = framework {
            let held = account.by.entry(framework).or_default();
            *held = held.checked_sub(from).ok_or_else(wrong)? + to;
            account.taken = account.taken.checked_sub(from).ok_or_else(wrong)? + to;
        }
        Ok(())
    }

    fn hears_of_framework(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Quota { role, limits, .. } => {
                self.limits.insert(role.clone(), limits.clone());
            }
            Event::FrameworkAdded { framework, info, suppressed, active, .. } => {
                let suppressed = suppressed.iter().cloned().collect();
                let client = Client { info: info.clone(), active: *active, suppressed };
                self.frameworks.insert(*framework, client);
                self.refused.retain(|refused| refused.framework != *framework);
            }
            Event::FrameworkChanged { framework, info, suppressed, .. } => {
                let client = self.client(*framework)?;
                client.info = info.clone();
                client.suppressed = suppressed.iter().cloned().collect();
                self.refused.retain(|refused| refused.framework != *framework);
            }
            Event::FrameworkActive { framework, active } => {
                self.client(*framework)?.active = *active;
                if !*active {
                    self.refused.retain(|refused| refused.framework != *framework);
                }
            }
            Event::FrameworkRemoved { framework } => {
                self.frameworks.remove(framework);
                for account in self.agents.values_mut() {
                    let left = account.by.remove(framework).unwrap_or_default();
                    account.taken -= &left;
                }
                self.refused.retain(|refused| refused.framework != *framework);
            }
            Event::Suppress { framework, roles } => {
                let client = self.client(*framework)?;
                let all = client.info.roles.clone();
                client.suppressed.extend(if roles.is_empty() { all } else { roles.clone() });
            }
            Event::Revive { framework, roles } => {
                let client = self.client(*framework)?;
                client.suppressed.retain(|role| !roles.is_empty() && !roles.contains(role));
                self.refused.retain(|refused| refused.framework != *framework);
            }
            _ => {}
        }
        Ok(())
    }

    /// The allocation machine grants.
    ///
    /// # Errors
    /// The law that a grant breaks.
    pub fn grants(&mut self, granted: &[Granted], now: Tick) -> Result<(), String> {
        granted.iter().try_for_each(|grant| self.grant(grant, now))
    }

    fn grant(&mut self, grant: &Granted, now: Tick) -> Result<(), String> {
        let client = self.client(grant.framework)?;
        if !client.active || client.suppressed.contains(&grant.role) {
            return Err(format!("A9: {grant:?} goes to who wants none"));
        }
        if !client.info.roles.contains(&grant.role) {
            return Err(format!("{grant:?} is for a role the framework has not"));
        }
        let resources = grant.resources.unallocated();
        if resources != resources.allocatable_to(&grant.role) {
            return Err(format!("A5: {grant:?} is reserved for others"));
        }
        let repeated = self.refused.iter().find(|refused| {
            refused.framework == grant.framework
                && refused.agent == grant.agent
                && refused.until > now
                && refused.role.as_ref().is_none_or(|role| *role == grant.role)
                && refused.resources.contains(&resources)
        });
        if repeated.is_some() {
            return Err(format!("A7: {grant:?} was refused"));
        }
        self.judge_limits(&grant.role, &resources)?;
        let account = self.account(grant.agent)?;
        if !account.active {
            return Err(format!("{grant:?} is on an agent that is not offered"));
        }
        // More can be taken than there is, of an agent that came back with what was written off; what
        // is granted must be free nevertheless.
        let free = &account.total - &account.taken;
        if !free.contains(&resources) {
            let agent = grant.agent;
            return Err(format!("A1: {resources} of {agent:?} are granted, where {free} are free"));
        }
        account.take(grant.framework, &resources);
        Ok(())
    }

    /// A3: what is granted does not take its role beyond a limit. Frameworks here have one role each.
    fn judge_limits(&self, role: &Role, more: &Resources) -> Result<(), String> {
        let firm = |resources: &Resources| resources.unreserved().non_revocable().quantities();
        let more = firm(more);
        let limits = self.limits.get(role).into_iter().flatten();
        for (name, most) in limits.filter(|(name, _)| more.get(name) > Quantity::default()) {
            let mut consumed = more.clone();
            for account in self.agents.values() {
                let kept = account.total.reserved(Some(role));
                consumed += &kept.quantities();
                let of_role = account.by.iter().filter(|(framework, _)| {
                    let client = self.frameworks.get(framework);
                    client.is_some_and(|client| client.info.roles.contains(role))
                });
                of_role.for_each(|(_, held)| consumed += &firm(held));
            }
            if consumed.get(name) > *most {
                return Err(format!("A3: {role} has {consumed}, and may have {name}:{most}"));
            }
        }
        Ok(())
    }

    /// The allocation machine takes back.
    ///
    /// # Errors
    /// If somebody is to give what they do not hold.
    pub fn reclaims(&self, reclaims: &[Reclaimed]) -> Result<(), String> {
        for reclaim in reclaims {
            let account = self.agents.get(&reclaim.agent);
            let held = account.and_then(|account| account.by.get(&reclaim.framework));
            let held = held.map(|held| held.unreserved().non_revocable().quantities());
            if !held.is_some_and(|held| held.contains(&reclaim.amounts)) {
                return Err(format!("{reclaim:?} is taken from who does not hold it"));
            }
        }
        Ok(())
    }

    /// Whether the master's books say the same. Only when nothing is under way between the two.
    ///
    /// # Errors
    /// Where they differ.
    pub fn audit(&self, readers: &Snapshot) -> Result<(), String> {
        for account in self.agents.values() {
            let Some(agent) = readers.agents.get(&account.id) else {
                return Err(format!("{} is allocated and not registered", account.id));
            };
            let held = agent.used.unallocated() + &agent.offered.unallocated();
            if held != account.taken {
                let (id, taken) = (&account.id, &account.taken);
                return Err(format!("A1: {held} of {id} are held, {taken} are allocated"));
            }
            let counted: u32 = account.tasks.values().sum();
            let frameworks = readers.frameworks.values();
            let live = frameworks
                .flat_map(|framework| framework.tasks.values())
                .filter(|task| task.agent == account.id && !task.state.is_terminal());
            let live = live.count();
            if live != counted as usize {
                let id = &account.id;
                return Err(format!("{live} tasks live on {id}, {counted} are counted"));
            }
        }
        Ok(())
    }

    /// Whether nothing is offered or used anywhere.
    pub fn is_settled(&self) -> bool {
        self.agents.values().all(|account| account.taken.is_empty())
    }

    fn account(&mut self, agent: AgentIx) -> Result<&mut Account, String> {
        self.agents.get_mut(&agent).ok_or(format!("{agent:?} is unknown"))
    }

    fn client(&mut self, framework: FrameworkIx) -> Result<&mut Client, String> {
        self.frameworks.get_mut(&framework).ok_or(format!("{framework:?} is unknown"))
    }
}
