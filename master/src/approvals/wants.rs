//! What a call wants that needs permission, and what it is without.

use std::collections::{BTreeMap, BTreeSet};

use reeve_access::{Permissions, thing};
use reeve_master_core::event::{Call, Channel, Kind};
use reeve_model::{
    FrameworkId, FrameworkInfo, InvalidTask, Operation, Reason, Reservation, Resource, Resources,
    TaskInfo,
};
use reeve_transport::Principal;

use super::{Approved, Known, Ruling};
use crate::access;

/// An action, and the fact that decides: the user that a task runs as, the role of a reservation,
/// the principal who made it. An empty fact stands for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Want {
    action: &'static str,
    fact: &'static str,
    value: String,
}

const fn want(action: &'static str, fact: &'static str, value: String) -> Want {
    Want { action, fact, value }
}

/// Whose permission counts: the framework's owner's.
pub(super) fn owner(kind: &Kind, known: &Known) -> Option<Principal> {
    match kind {
        Kind::Subscribes(_, subscription) => access::owner(&subscription.info),
        Kind::Calls(framework, ..) => access::owner(known.get(framework)?),
        _ => None,
    }
}

/// All that a call wants and that needs permission, each once.
pub(super) fn wants(kind: &Kind, known: &Known) -> BTreeSet<Want> {
    match kind {
        Kind::Subscribes(_, subscription) => roles(&subscription.info),
        Kind::AgentRegisters(..) | Kind::AgentReregisters(..) => {
            [want("register_agents", "agent", String::new())].into()
        }
        Kind::Calls(_, _, Call::UpdateFramework { info, .. }) => roles(info),
        Kind::Calls(framework, _, Call::Accept { operations, .. }) => {
            // The core refuses what comes for a framework that it does not know.
            let Some(info) = known.get(framework) else { return BTreeSet::new() };
            operations.iter().flat_map(|operation| of(operation, info)).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn roles(info: &FrameworkInfo) -> BTreeSet<Want> {
    let role = |role: &reeve_model::Role| want(access::REGISTER, "role", role.to_string());
    info.roles.iter().map(role).collect()
}

/// What one operation wants.
fn of(operation: &Operation, info: &FrameworkInfo) -> Vec<Want> {
    match operation {
        Operation::Launch(tasks) => tasks.iter().flatten().map(|task| run(task, info)).collect(),
        Operation::LaunchGroup { executor, tasks } => {
            let executor = executor.iter().filter_map(|one| one.details().command?.user);
            let executor = executor.map(|user| want("run_tasks", "user", user));
            tasks.iter().flatten().map(|task| run(task, info)).chain(executor).collect()
        }
        Operation::Reserve { resources, .. } => each("reserve_resources", "role", resources, role),
        Operation::Unreserve { resources, .. } => {
            each("unreserve_resources", "principal", resources, reserver)
        }
        Operation::Create { volumes, .. } => each("create_volumes", "role", volumes, role),
        Operation::Destroy { volumes, .. } => {
            each("destroy_volumes", "principal", volumes, creator)
        }
        // Refused by the core in any case.
        Operation::GrowVolume { .. }
        | Operation::ShrinkVolume { .. }
        | Operation::CreateDisk { .. }
        | Operation::DestroyDisk { .. }
        | Operation::Forbidden { .. } => Vec::new(),
    }
}

fn run(task: &TaskInfo, info: &FrameworkInfo) -> Want {
    want("run_tasks", "user", user(task, info))
}

/// The user that a task runs as.
fn user(task: &TaskInfo, info: &FrameworkInfo) -> String {
    let own = task.details().command.and_then(|command| command.user);
    let executor = || task.executor.as_ref()?.details().command?.user;
    own.or_else(executor).unwrap_or_else(|| info.user.clone())
}

fn each(
    action: &'static str,
    fact: &'static str,
    resources: &Resources,
    value: fn(&Resource) -> String,
) -> Vec<Want> {
    resources.iter().map(|one| want(action, fact, value(one))).collect()
}

fn role(resource: &Resource) -> String {
    resource.reservation_role().map(ToString::to_string).unwrap_or_default()
}

fn reserver(resource: &Resource) -> String {
    match resource.reservations.last() {
        Some(Reservation::Dynamic { principal: Some(principal), .. }) => principal.to_string(),
        _ => String::new(),
    }
}

fn creator(resource: &Resource) -> String {
    let persistence = resource.disk.as_ref().and_then(|disk| disk.persistence.as_ref());
    let principal = persistence.and_then(|persistence| persistence.principal.as_ref());
    principal.map(ToString::to_string).unwrap_or_default()
}

/// Asks for all of it, one question for each action.
pub(super) async fn ask(
    permissions: &Permissions,
    owner: Option<&Principal>,
    wants: BTreeSet<Want>,
) -> Ruling {
    let mut by_action: BTreeMap<&'static str, Vec<Want>> = BTreeMap::new();
    for want in wants {
        by_action.entry(want.action).or_default().push(want);
    }
    let mut ruling = Ruling::default();
    for (action, wants) in by_action {
        let things = wants.iter().map(|want| {
            let fact = (want.fact, want.value.as_str());
            thing((!want.value.is_empty()).then_some(fact))
        });
        match permissions.each(owner, action, things.collect()).await {
            Ok(answers) => {
                let refused = wants.into_iter().zip(answers).filter(|(_, yes)| !yes);
                ruling.refused.extend(refused.map(|(want, _)| want));
            }
            Err(why) => {
                tracing::error!(action, "nothing is permitted: {why}");
                ruling.failed = Some(format!("Authorization failure: {why}"));
            }
        }
    }
    ruling
}

/// What remains of a call.
pub(super) fn apply(kind: Kind, ruling: &Ruling, known: &Known) -> Approved {
    if ruling.refused.is_empty() && ruling.failed.is_none() {
        return Approved::Call(kind);
    }
    let why =
        |info: &FrameworkInfo| ruling.failed.clone().unwrap_or_else(|| access::roles_refused(info));
    match kind {
        Kind::AgentRegisters(pid, _) | Kind::AgentReregisters(pid, _) => {
            let why = ruling.failed.clone();
            let why = why.unwrap_or_else(|| "its principal may not register agents".to_owned());
            Approved::NoAgent(pid, why)
        }
        Kind::Subscribes(stream, subscription) => match &subscription.channel {
            Channel::Libprocess(pid) => Approved::NoDriver(pid.clone(), why(&subscription.info)),
            Channel::Http => Approved::Call(Kind::Subscribes(stream, subscription)),
        },
        Kind::Calls(id, caller, Call::UpdateFramework { info, .. }) => {
            Approved::Call(Kind::Calls(id, caller, Call::Forbidden(why(&info))))
        }
        Kind::Calls(id, caller, Call::Accept { offers, operations, filters }) => {
            let operations = match known.get(&id) {
                Some(info) => {
                    let case = Case { id: &id, info, ruling };
                    operations.into_iter().map(|operation| case.rule(operation)).collect()
                }
                None => operations,
            };
            Approved::Call(Kind::Calls(id, caller, Call::Accept { offers, operations, filters }))
        }
        other => Approved::Call(other),
    }
}

/// A ruling on what a framework wants.
struct Case<'a> {
    id: &'a FrameworkId,
    info: &'a FrameworkInfo,
    ruling: &'a Ruling,
}

impl Case<'_> {
    fn refused(&self, want: &Want) -> bool {
        self.ruling.failed.is_some() || self.ruling.refused.contains(want)
    }

    /// The operation with what is forbidden in it marked.
    fn rule(&self, operation: Operation) -> Operation {
        match operation {
            Operation::Launch(tasks) => {
                Operation::Launch(tasks.into_iter().map(|task| self.task(task)).collect())
            }
            Operation::LaunchGroup { executor, tasks } => {
                let user = executor.as_ref().ok().and_then(|one| one.details().command?.user);
                let user = user.map(|user| want("run_tasks", "user", user));
                let refused = user.filter(|want| self.refused(want));
                let task = |task| match &refused {
                    Some(want) => self.forbid(task, &want.value),
                    None => self.task(task),
                };
                let tasks = tasks.into_iter().map(task).collect();
                Operation::LaunchGroup { executor, tasks }
            }
            other => match of(&other, self.info).into_iter().find(|want| self.refused(want)) {
                None => other,
                Some(want) => {
                    let what = want.action.replace('_', " ");
                    let why = format!("Not authorized to {what} as {}", self.owner());
                    let why = self.ruling.failed.clone().unwrap_or(why);
                    Operation::Forbidden { operation: Box::new(other), why }
                }
            },
        }
    }

    fn task(&self, task: Result<TaskInfo, InvalidTask>) -> Result<TaskInfo, InvalidTask> {
        let user = match &task {
            Ok(task) => user(task, self.info),
            Err(_) => return task,
        };
        if self.refused(&want("run_tasks", "user", user.clone())) {
            return self.forbid(task, &user);
        }
        task
    }

    fn forbid(
        &self,
        task: Result<TaskInfo, InvalidTask>,
        user: &str,
    ) -> Result<TaskInfo, InvalidTask> {
        let task = task?;
        let why = format!(
            "{} is not authorized to launch task {} of framework {} under user '{user}'",
            self.owner(),
            task.id,
            self.id
        );
        Err(InvalidTask {
            id: task.id,
            agent: task.agent,
            message: self.ruling.failed.clone().unwrap_or(why),
            reason: Reason::TaskUnauthorized,
        })
    }

    fn owner(&self) -> String {
        let named = |principal: &reeve_model::Principal| format!("Principal '{principal}'");
        self.info.principal.as_ref().map_or_else(|| "Nobody".to_owned(), named)
    }
}
