//! The books of one agent: what it has, what is free, who holds what, who refuses it.

use std::collections::BTreeMap;

use reeve_model::{Resource, ResourceName, Resources, Value};
use reeve_module_sdk::allocator::{Amounts, FrameworkIx, Free, Reserved, RoleIx};
use smallvec::SmallVec;

use super::event::AgentFacts;
use super::filters::{Client, Filters};
use super::kinds::Kinds;
use super::options::Options;
use super::roles::Roles;

/// Bit of needs and of what a framework has: GPU_RESOURCES.
pub(super) const GPU: u32 = 1;
/// The same for REGION_AWARE.
pub(super) const REGION: u32 = 1 << 1;
/// The same for frameworks without MULTI_ROLE, on agents too old to know it.
pub(super) const SINGLE_ROLE: u32 = 1 << 2;

/// `AgentInfo.Capability.Type` MULTI_ROLE.
const AGENT_MULTI_ROLE: i32 = 1;
/// `AgentInfo.Capability.Type` HIERARCHICAL_ROLE.
const AGENT_HIERARCHICAL_ROLE: i32 = 2;

/// One agent. `free` and `held` leave out shared volumes where amounts count: these are offered
/// over and over and are never used up.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) facts: AgentFacts,
    pub(super) needs: u32,
    pub(super) active: bool,
    /// All, without allocation info.
    pub(super) total: Resources,
    /// What may be offered, without allocation info and without what is shared.
    pub(super) free: Resources,
    /// The shared volumes, each once.
    pub(super) shared: Resources,
    /// What frameworks are offered or use, with allocation info.
    pub(super) held: Held,
    /// More is held than there is: `free` must be counted anew when something comes back.
    pub(super) overdrawn: bool,
    pub(super) filters: Filters,
    /// Whether it stands in the list of agents to tell the module of.
    pub(super) touched: bool,
    /// Whether more became free since the module was told.
    pub(super) grown: bool,
    /// The last round in which it was granted, and to whom.
    pub(super) granted: (u64, SmallVec<[Client; 1]>),
}

/// Resources by framework, in the order of their numbers. One or two frameworks share an agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Vec<(FrameworkIx, Resources)>);

impl Held {
    fn find(&self, framework: FrameworkIx) -> Result<usize, usize> {
        self.0.binary_search_by_key(&framework, |&(known, _)| known)
    }

    pub(super) fn get(&self, framework: FrameworkIx) -> Option<&Resources> {
        self.find(framework).ok().map(|at| &self.0[at].1)
    }

    fn get_mut(&mut self, framework: FrameworkIx) -> Option<&mut Resources> {
        self.find(framework).ok().map(|at| &mut self.0[at].1)
    }

    /// What a framework holds, nothing if it is new.
    pub(super) fn of(&mut self, framework: FrameworkIx) -> &mut Resources {
        let at = self.find(framework).unwrap_or_else(|at| {
            self.0.insert(at, (framework, Resources::new()));
            at
        });
        &mut self.0[at].1
    }

    fn remove(&mut self, framework: FrameworkIx) {
        if let Ok(at) = self.find(framework) {
            self.0.remove(at);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (FrameworkIx, &Resources)> {
        self.0.iter().map(|(framework, held)| (*framework, held))
    }
}

impl Agent {
    pub(super) fn new(
        facts: AgentFacts,
        total: Resources,
        active: bool,
        options: &Options,
    ) -> Self {
        let mut agent = Self {
            facts,
            needs: 0,
            active,
            total: Resources::new(),
            free: Resources::new(),
            shared: Resources::new(),
            held: Held::default(),
            overdrawn: false,
            filters: Filters::default(),
            touched: false,
            grown: false,
            granted: (0, SmallVec::new()),
        };
        agent.set_total(total, options);
        agent
    }

    /// Gives it other resources; what is free follows.
    pub(super) fn set_total(&mut self, total: Resources, options: &Options) {
        self.total = total;
        self.needs = needs(&self.facts, &self.total, options);
        self.recount();
    }

    /// Counts what is free from the total and what is held.
    pub(super) fn recount(&mut self) {
        self.free = self.total.non_shared();
        self.shared = self.total.shared();
        self.overdrawn = false;
        for (_, held) in self.held.iter() {
            let held = held.filter(|one| !one.shared).unallocated();
            self.overdrawn |= !self.free.contains(&held);
            self.free -= &held;
        }
    }

    /// Books resources with allocation info as held.
    pub(super) fn hold(&mut self, framework: FrameworkIx, resources: &Resources) {
        let part = resources.filter(|one| !one.shared).unallocated();
        self.overdrawn |= !self.free.contains(&part);
        self.free -= &part;
        *self.held.of(framework) += resources;
    }

    /// Books resources as free again and returns those that were held indeed.
    pub(super) fn release(&mut self, framework: FrameworkIx, resources: &Resources) -> Resources {
        let Some(held) = self.held.get_mut(framework) else { return Resources::new() };
        // What was never held must not become free.
        let freed = if held.contains(resources) {
            resources.clone()
        } else {
            resources.filter(|one| held.contains_one(one))
        };
        *held -= &freed;
        if held.is_empty() {
            self.held.remove(framework);
        }
        if self.overdrawn {
            self.recount();
        } else {
            self.free += freed.filter(|one| !one.shared).unallocated();
        }
        freed
    }

    /// Whether the agent is old and cannot run tasks of roles such as `a/b`.
    pub(super) fn refuses_role(&self, role: &str) -> bool {
        role.contains('/') && !self.facts.capabilities.contains(&AGENT_HIERARCHICAL_ROLE)
    }

    /// What a module is told of what is free; of an inactive agent, nothing is.
    pub(super) fn free_for_module(&self, kinds: &Kinds, roles: &Roles) -> Free {
        let mut free = Free::default();
        if !self.active {
            return free;
        }
        for resource in self.free.iter() {
            let Some((kind, amount)) = kinds.scalar(resource) else {
                free.other = true;
                continue;
            };
            if resource.revocable {
                free.revocable.add_one(kind, amount);
            } else if let Some(role) = reserved_for(resource, roles) {
                match free.reserved.iter_mut().find(|known| known.role == role) {
                    Some(known) => known.amounts.add_one(kind, amount),
                    None => free
                        .reserved
                        .push(Reserved { role, amounts: Amounts::new([(kind, amount)]) }),
                }
            } else {
                free.unreserved.add_one(kind, amount);
            }
        }
        free
    }

    /// The reserved part of the total, per role.
    pub(super) fn reservations(&self, kinds: &Kinds, roles: &Roles) -> Vec<Reserved> {
        let mut all: BTreeMap<RoleIx, Amounts> = BTreeMap::new();
        for resource in self.total.iter().filter(|one| !one.revocable && !one.shared) {
            let (Some(role), Some((kind, amount))) =
                (reserved_for(resource, roles), kinds.scalar(resource))
            else {
                continue;
            };
            all.entry(role).or_default().add_one(kind, amount);
        }
        all.into_iter().map(|(role, amounts)| Reserved { role, amounts }).collect()
    }
}

fn reserved_for(resource: &Resource, roles: &Roles) -> Option<RoleIx> {
    roles.find(resource.reservation_role()?)
}

fn needs(facts: &AgentFacts, total: &Resources, options: &Options) -> u32 {
    let mut needs = 0;
    let gpu =
        |one: &Resource| one.name == ResourceName::Gpus && matches!(one.value, Value::Scalar(_));
    if options.filter_gpus && total.iter().any(gpu) {
        needs |= GPU;
    }
    let region = facts.domain.as_ref().map(|domain| &domain.region);
    if region.is_some() && region != options.region.as_ref() {
        needs |= REGION;
    }
    if !facts.capabilities.contains(&AGENT_MULTI_ROLE) {
        needs |= SINGLE_ROLE;
    }
    needs
}
