//! The books as a whole: every event goes into them, and what the module must hear comes out.

use reeve_machine::{Tick, Timers};
use reeve_model::Resources;
use reeve_module_sdk::allocator::{AgentIx, Amounts, Change, FrameworkIx, Reserved, RoleIx};

use super::agents::Agent;
use super::event::AgentFacts;
use super::frameworks::Framework;
use super::holdings::by_role;
use super::kinds::Kinds;
use super::options::Options;
use super::reclaims::Reclaims;
use super::roles::Roles;

/// All that is known, and what of it the module was not told yet.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) options: Options,
    pub(super) now: Tick,
    pub(super) kinds: Kinds,
    pub(super) roles: Roles,
    agents: Vec<Option<Box<Agent>>>,
    pub(super) frameworks: Vec<Option<Box<Framework>>>,
    /// All scalars of all agents, without the revocable.
    pub(super) total: Amounts,
    /// The next end of a client's refusals on an agent.
    pub(super) ends: Timers<(AgentIx, FrameworkIx, RoleIx)>,
    pub(super) reclaims: Reclaims,
    pub(super) changes: Vec<Change>,
    pub(super) touched: Vec<AgentIx>,
}

impl Books {
    pub(super) fn new(options: Options) -> Self {
        Self {
            now: Tick::ZERO,
            kinds: Kinds::new(options.excluded.clone()),
            options,
            roles: Roles::default(),
            agents: Vec::new(),
            frameworks: Vec::new(),
            total: Amounts::default(),
            ends: Timers::new(),
            reclaims: Reclaims::default(),
            changes: Vec::new(),
            touched: Vec::new(),
        }
    }

    pub(super) fn agent(&self, agent: AgentIx) -> Option<&Agent> {
        self.agents.get(agent.0 as usize)?.as_deref()
    }

    pub(super) fn agent_mut(&mut self, agent: AgentIx) -> Option<&mut Agent> {
        self.agents.get_mut(agent.0 as usize)?.as_deref_mut()
    }

    pub(super) fn agents(&self) -> impl Iterator<Item = (AgentIx, &Agent)> {
        numbered(&self.agents).map(|(number, agent)| (AgentIx(number), agent))
    }

    pub(super) fn framework(&self, framework: FrameworkIx) -> Option<&Framework> {
        self.frameworks.get(framework.0 as usize)?.as_deref()
    }

    pub(super) fn framework_mut(&mut self, framework: FrameworkIx) -> Option<&mut Framework> {
        self.frameworks.get_mut(framework.0 as usize)?.as_deref_mut()
    }

    pub(super) fn frameworks(&self) -> impl Iterator<Item = (FrameworkIx, &Framework)> {
        numbered(&self.frameworks).map(|(number, framework)| (FrameworkIx(number), framework))
    }

    /// Whatever is named has a book, if only with a number.
    pub(super) fn ensure_framework(&mut self, framework: FrameworkIx) -> &mut Framework {
        let at = framework.0 as usize;
        if self.frameworks.len() <= at {
            self.frameworks.resize_with(at + 1, || None);
        }
        if self.frameworks[at].is_none() {
            let id = format!("unknown framework {}", framework.0).into();
            let labels = Default::default();
            self.changes.push(Change::Framework { framework, id, has: 0, labels });
        }
        self.frameworks[at].get_or_insert_default()
    }

    /// How much the module has not heard of yet: changes, and agents to tell of.
    pub(super) fn news(&self) -> (usize, usize) {
        (self.changes.len(), self.touched.len())
    }

    /// The module must be told what the agent has to give.
    pub(super) fn touch(&mut self, agent: AgentIx, grown: bool) {
        let Some(known) = self.agent_mut(agent) else { return };
        known.grown |= grown;
        if !std::mem::replace(&mut known.touched, true) {
            self.touched.push(agent);
        }
    }
}

fn numbered<T>(of: &[Option<Box<T>>]) -> impl Iterator<Item = (u32, &T)> {
    (0u32..).zip(of).filter_map(|(number, one)| Some((number, &**one.as_ref()?)))
}

// === Agents ===

impl Books {
    pub(super) fn add_agent(
        &mut self,
        agent: AgentIx,
        facts: AgentFacts,
        total: Resources,
        used: Vec<(FrameworkIx, Resources)>,
        active: bool,
    ) {
        self.remove_agent(agent);
        let at = agent.0 as usize;
        if self.agents.len() <= at {
            self.agents.resize_with(at + 1, || None);
        }
        let book = Agent::new(facts, Resources::new(), active, &self.options);
        self.agents[at] = Some(Box::new(book));
        self.set_total(agent, total);
        for (framework, resources) in used {
            self.use_resources(framework, agent, &resources);
        }
        self.touch(agent, true);
    }

    pub(super) fn change_agent(&mut self, agent: AgentIx, total: Resources) {
        self.drop_filters(agent);
        self.set_total(agent, total);
        self.touch(agent, true);
    }

    /// Books another total and announces it.
    pub(super) fn set_total(&mut self, agent: AgentIx, total: Resources) {
        self.kinds.announce(&total, &mut self.changes);
        for resource in total.iter() {
            if let Some(role) = resource.reservation_role() {
                self.roles.ensure(role, &mut self.changes);
            }
        }
        let Some(known) = self.agents.get_mut(agent.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        let before = known.reservations(&self.kinds, &self.roles);
        self.total.subtract(&self.kinds.weigh(&known.total).firm);
        known.set_total(total, &self.options);
        let reserved = known.reservations(&self.kinds, &self.roles);
        let total = self.kinds.weigh(&known.total).firm;
        self.total.add(&total);
        let (id, needs) = (known.facts.id.to_string(), known.needs);
        self.count_reserved(&before, &reserved);
        let (id, reserved) = (id.into(), reserved.into());
        self.changes.push(Change::Agent { agent, id, total, reserved, needs });
    }

    fn count_reserved(&mut self, before: &[Reserved], now: &[Reserved]) {
        for reserved in before {
            let mut less = Amounts::default();
            less.subtract(&reserved.amounts);
            self.roles.consume(reserved.role, &less);
        }
        for reserved in now {
            self.roles.consume(reserved.role, &reserved.amounts);
        }
    }

    pub(super) fn set_agent_active(&mut self, agent: AgentIx, active: bool) {
        let Some(known) = self.agent_mut(agent) else { return };
        if known.active != active {
            known.active = active;
            self.touch(agent, active);
        }
    }

    pub(super) fn remove_agent(&mut self, agent: AgentIx) {
        if self.agent(agent).is_none() {
            return;
        }
        self.drop_filters(agent);
        let Some(gone) = self.agents[agent.0 as usize].take() else { return };
        for client in gone.filters.clients() {
            self.forget_refusals(agent, client);
        }
        for (framework, held) in gone.held.iter() {
            for (role, part) in by_role(held) {
                let less = self.kinds.weigh(&part).negated();
                self.account(framework, &role, agent, &less);
            }
        }
        self.total.subtract(&self.kinds.weigh(&gone.total).firm);
        let reserved = gone.reservations(&self.kinds, &self.roles);
        self.count_reserved(&reserved, &[]);
        self.changes.push(Change::AgentGone { agent });
    }
}
