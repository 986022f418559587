//! The check of one grant, and the cut of real resources. A module that lies gets nothing.

use reeve_model::{Quantity, Resource, ResourceName, Resources, Role, Value};
use reeve_module_sdk::allocator::{Amounts, Change, Free, Grant, Share, Taken};

use super::agents::Agent;
use super::books::Books;
use super::event::{Granted, Rule};
use super::filters::Bar;
use super::frameworks::{Framework, InRole};
use super::kinds::Weighed;

/// What became of a grant.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is carried out.
    Offered(Granted),
    /// The module could not know better: it is told what it did not know, and may try again.
    HeldBack,
    /// It breaks a rule.
    Unlawful(Rule),
}

/// Why a grant is not carried out.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Keep(Bar),
    Unlawful(Rule),
}

impl From<Rule> for Refusal {
    fn from(rule: Rule) -> Self {
        Self::Unlawful(rule)
    }
}

/// What a grant takes of an agent.
#[derive(Debug)]
struct Cut {
    /// Without allocation info and without shared volumes; `None`: all that is free.
    part: Option<Resources>,
    weighed: Weighed,
    /// What the module believes that it took, and that is left.
    believed: Option<(Taken, Free)>,
}

impl Books {
    /// Checks the grant at `place` of round `round` and carries it out if it is lawful.
    pub(super) fn settle(&mut self, round: u64, place: usize, grant: &Grant) -> Outcome {
        // An earlier grant of the round that was held back, or came to something else than the
        // module believes, leaves more or less of its agent than it knows of, and who gets that
        // has more or less.
        let of_agent = self.agent(grant.agent).is_some_and(|agent| agent.touched);
        let of_roles = !self.touched.is_empty();
        match self.judge(round, grant) {
            Ok((role, cut)) => Outcome::Offered(self.carry_out(round, place, grant, role, cut)),
            Err(refusal) => {
                self.changes.push(Change::Undone { grant: place });
                self.touch(grant.agent, false);
                match refusal {
                    Refusal::Unlawful(rule) if of_agent && rule.is_of_agent() => Outcome::HeldBack,
                    Refusal::Unlawful(Rule::OverLimit) if of_roles => Outcome::HeldBack,
                    Refusal::Unlawful(rule) => Outcome::Unlawful(rule),
                    Refusal::Keep(bar) => {
                        self.bar(grant, bar);
                        Outcome::HeldBack
                    }
                }
            }
        }
    }

    fn bar(&mut self, grant: &Grant, bar: Bar) {
        let client = (grant.framework, grant.role);
        let Some(agent) = self.agent_mut(grant.agent) else { return };
        let news = agent.filters.bar(client, bar);
        if let Some(framework) = self.framework_mut(grant.framework) {
            framework.refused_on.insert(grant.agent);
        }
        if news {
            self.tell_blocked(client, grant.agent, true);
        }
    }

    fn judge(&self, round: u64, grant: &Grant) -> Result<(Role, Cut), Refusal> {
        let framework = self.framework(grant.framework).ok_or(Rule::UnknownFramework)?;
        let role = self.roles.role(grant.role).ok_or(Rule::UnknownRole)?;
        let agent = self.agent(grant.agent).ok_or(Rule::UnknownAgent)?;
        let in_role = framework.in_role(grant.role).filter(|known| known.wanted);
        let in_role = in_role.ok_or(Rule::Unwanted)?;
        if !agent.active {
            return Err(Rule::InactiveAgent.into());
        }
        if framework.has() & agent.needs != agent.needs {
            return Err(Rule::Unfit.into());
        }
        let client = (grant.framework, grant.role);
        if agent.filters.blocks(client) {
            return Err(Rule::Blocked.into());
        }
        if agent.granted.0 == round && agent.granted.1.contains(&client) {
            return Err(Rule::Twice.into());
        }
        if agent.refuses_role(role.as_str()) || !suits(framework, role, agent) {
            return Err(Refusal::Keep(Bar::Lasting));
        }
        let cut = self.cut(grant, framework, in_role, role, agent)?;
        if agent.filters.refuses(client, cut.part.as_ref().unwrap_or(&agent.free)) {
            return Err(Refusal::Keep(Bar::UntilMore));
        }
        if !self.roles.allows(grant.role, &cut.weighed.unreserved()) {
            return Err(Rule::OverLimit.into());
        }
        Ok((role.clone(), cut))
    }

    fn cut(
        &self,
        grant: &Grant,
        framework: &Framework,
        in_role: &InRole,
        role: &Role,
        agent: &Agent,
    ) -> Result<Cut, Refusal> {
        let may = |one: &Resource| may_take(one, framework, role);
        if grant.share == Share::All && agent.free.iter().all(may) {
            let cut = Cut { part: None, weighed: self.kinds.weigh(&agent.free), believed: None };
            enough(in_role, &cut.weighed, !agent.free.is_empty())?;
            return Ok(cut);
        }
        let told = agent.free_for_module(&self.kinds, &self.roles);
        if let Share::UpTo(most) = &grant.share
            && !told.unreserved.contains(most)
        {
            return Err(Rule::TooMuch.into());
        }
        let revocable = framework.capabilities().revocable_resources();
        let mut left_told = told.clone();
        let within = |reserved| self.roles.is_within(grant.role, reserved);
        let believed = left_told.take(&grant.share, revocable, within);
        let mut proposed = Weighed { firm: believed.unreserved.clone(), ..Weighed::default() };
        proposed.firm.add(&believed.reserved);
        if revocable {
            proposed.revocable = told.revocable.clone();
        }
        enough(in_role, &proposed, told.other || !proposed.firm.is_empty() || revocable)?;
        let taken = self.part(agent.free.filter(may), &grant.share);
        let weighed = self.kinds.weigh(&taken);
        // It was enough by what the module can see, and is not by what it cannot.
        enough(in_role, &weighed, !taken.is_empty()).map_err(|_| Refusal::Keep(Bar::UntilMore))?;
        Ok(Cut { part: Some(taken), weighed, believed: Some((believed, left_told)) })
    }

    /// What `share` takes of what may be taken.
    fn part(&self, available: Resources, share: &Share) -> Resources {
        let Share::UpTo(most) = share else { return available };
        let divided = |one: &Resource| {
            !one.is_reserved() && !one.revocable && matches!(one.value, Value::Scalar(_))
        };
        let mut part = available.filter(divided);
        let names: Vec<ResourceName> = part.iter().map(|one| one.name.clone()).collect();
        for name in names {
            let most = self.kinds.find(&name).map_or(0, |kind| most.get(kind));
            part.shrink(name.as_str(), Quantity::from_thousandths(most));
        }
        part + available.filter(|one| !divided(one))
    }

    fn carry_out(
        &mut self,
        round: u64,
        place: usize,
        grant: &Grant,
        role: Role,
        cut: Cut,
    ) -> Granted {
        let client = (grant.framework, grant.role);
        let takes_shared = self
            .framework(grant.framework)
            .is_some_and(|framework| framework.capabilities().shared_resources());
        let Cut { part, weighed, believed } = cut;
        let mut resources = Resources::new();
        let mut known_to_module = true;
        if let Some(agent) = self.agent_mut(grant.agent) {
            if agent.granted.0 != round {
                agent.granted.0 = round;
                agent.granted.1.clear();
            }
            agent.granted.1.push(client);
            resources = match part {
                Some(part) => {
                    agent.free -= &part;
                    part
                }
                None => std::mem::take(&mut agent.free),
            };
            if takes_shared && !agent.shared.is_empty() {
                resources += agent.shared.allocatable_to(&role);
            }
            resources.allocate(&role);
            *agent.held.of(grant.framework) += &resources;
            known_to_module = !agent.touched;
        }
        if let Some((believed, left)) = believed {
            known_to_module &= believed.unreserved == weighed.unreserved()
                && believed.reserved == weighed.reserved;
            let agent = self.agent(grant.agent);
            let free = agent.map(|agent| agent.free_for_module(&self.kinds, &self.roles));
            if free != Some(left) {
                self.touch(grant.agent, false);
            }
        }
        if known_to_module {
            self.account_quietly(grant.framework, grant.role, &weighed);
        } else {
            self.changes.push(Change::Undone { grant: place });
            self.account(grant.framework, &role, grant.agent, &weighed);
            self.touch(grant.agent, false);
        }
        Granted { framework: grant.framework, role, agent: grant.agent, resources }
    }
}

fn suits(framework: &Framework, role: &Role, agent: &Agent) -> bool {
    framework.constraints.as_ref().is_none_or(|constraints| {
        let facts = reeve_model::AgentFacts {
            hostname: &agent.facts.hostname,
            domain: agent.facts.domain.as_ref(),
            attributes: &agent.facts.attributes,
        };
        constraints.matches(role, &facts, &framework.expressions)
    })
}

fn may_take(one: &Resource, framework: &Framework, role: &Role) -> bool {
    let capabilities = framework.capabilities();
    one.is_allocatable_to(role)
        && (!one.revocable || capabilities.revocable_resources())
        && (one.reservations.len() < 2 || capabilities.reservation_refinement())
}

/// Whether that is the framework's smallest offer or more. Ports alone are `something` too.
fn enough(in_role: &InRole, weighed: &Weighed, something: bool) -> Result<(), Rule> {
    if !something {
        return Err(Rule::NothingFree);
    }
    let holds = |all: &Amounts| {
        all.iter().all(|(kind, amount)| {
            weighed.firm.get(kind).saturating_add(weighed.revocable.get(kind)) >= amount
        })
    };
    if in_role.minimum.is_empty() || in_role.minimum.iter().any(holds) {
        Ok(())
    } else {
        Err(Rule::TooLittle)
    }
}
