//! What one reader sees of the agent (SEC-4): the read model without what the authorizer hides,
//! and whose sandboxes may be looked into. The authorizer is asked once for each kind of thing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use reeve_access::{Permissions, thing, unanswered};
use reeve_agent_core::view::{ExecutorRow, FrameworkRow, TaskRow, View};
use reeve_model::{ExecutorId, FrameworkId, FrameworkInfo};
use reeve_module_sdk::authorizer::Object;
use reeve_transport::files::Keeper;
use reeve_transport::{Principal, Response};

/// What one reader sees.
pub(super) struct Seen {
    /// The read model.
    pub(super) view: Arc<View>,
    /// Whether that includes the agent's settings.
    pub(super) flags: bool,
}

/// Things that are alike to the authorizer: of one framework, as one user.
type Alike = (FrameworkId, String);

/// What somebody sees.
pub(super) async fn seen(
    permissions: &Permissions,
    sender: Option<&Principal>,
    whole: Arc<View>,
) -> Result<Seen, Response> {
    if permissions.are_unlimited() {
        return Ok(Seen { view: whole, flags: true });
    }
    let flags = may_see_flags(permissions, sender).await?;
    let mut view = View::clone(&whole);
    let rows = || whole.frameworks.values().chain(whole.completed_frameworks.iter());
    let users = |row: &FrameworkRow| BTreeSet::from([row.info.user.clone()]);
    let frameworks = hidden(permissions, sender, "view_frameworks", rows(), users).await?;
    let executors = hidden(permissions, sender, "view_executors", rows(), executor_users).await?;
    let tasks = hidden(permissions, sender, "view_tasks", rows(), task_users).await?;
    let left = |row: &Arc<FrameworkRow>| {
        let id = row.info.id.clone()?;
        let shown = !frameworks.contains(&(id.clone(), row.info.user.clone()));
        shown.then(|| Arc::new(without(row, &id, &executors, &tasks)))
    };
    let live = whole.frameworks.iter();
    view.frameworks = live.filter_map(|(id, row)| Some((id.clone(), left(row)?))).collect();
    view.completed_frameworks =
        Arc::new(whole.completed_frameworks.iter().filter_map(left).collect());
    Ok(Seen { view: Arc::new(view), flags })
}

/// Whether somebody may see how the agent is set.
pub(super) async fn may_see_flags(
    permissions: &Permissions,
    sender: Option<&Principal>,
) -> Result<bool, Response> {
    let answers = permissions.each(sender, "view_flags", vec![thing([])]).await;
    Ok(answers.map_err(unanswered)? == [true])
}

/// Those containers, by the user and the framework of their executors, that may be seen.
pub(super) async fn shown_containers(
    permissions: &Permissions,
    sender: Option<&Principal>,
    executors: &[(&FrameworkRow, &ExecutorRow)],
) -> Result<Vec<bool>, Response> {
    let object = |(framework, executor): &(&FrameworkRow, &ExecutorRow)| {
        described(&framework.info, &executor_user(executor, &framework.info))
    };
    let things = executors.iter().map(object).collect();
    permissions.each(sender, "view_containers", things).await.map_err(unanswered)
}

/// Those of the things in these rows that the sender may not see.
async fn hidden<'a>(
    permissions: &Permissions,
    sender: Option<&Principal>,
    action: &'static str,
    rows: impl Iterator<Item = &'a Arc<FrameworkRow>>,
    users: fn(&FrameworkRow) -> BTreeSet<String>,
) -> Result<BTreeSet<Alike>, Response> {
    let mut things: BTreeMap<Alike, Object> = BTreeMap::new();
    for row in rows {
        let Some(id) = &row.info.id else { continue };
        for user in users(row) {
            let object = described(&row.info, &user);
            things.insert((id.clone(), user), object);
        }
    }
    let (keys, things): (Vec<Alike>, Vec<Object>) = things.into_iter().unzip();
    let answers = permissions.each(sender, action, things).await.map_err(unanswered)?;
    Ok(keys.into_iter().zip(answers).filter(|(_, yes)| !yes).map(|(key, _)| key).collect())
}

fn described(info: &FrameworkInfo, user: &str) -> Object {
    let id = info.id.as_ref().map(|id| ("framework", id.as_str()));
    let principal = info.principal.as_ref().map(|principal| ("principal", principal.as_str()));
    thing([("user", user)].into_iter().chain(id).chain(principal))
}

fn executor_user(row: &ExecutorRow, info: &FrameworkInfo) -> String {
    let own = row.facts.info.details().command.and_then(|command| command.user);
    own.unwrap_or_else(|| info.user.clone())
}

fn task_user(row: &TaskRow, info: &FrameworkInfo) -> String {
    let own = row.info.details().command.and_then(|command| command.user);
    let executor = || row.info.executor.as_ref()?.details().command?.user;
    own.or_else(executor).unwrap_or_else(|| info.user.clone())
}

/// All of a framework's executors, the latest first.
fn executors(row: &FrameworkRow) -> impl Iterator<Item = &Arc<ExecutorRow>> {
    row.executors.values().chain(row.completed_executors.iter().rev())
}

fn executor_users(row: &FrameworkRow) -> BTreeSet<String> {
    executors(row).map(|executor| executor_user(executor, &row.info)).collect()
}

fn task_users(row: &FrameworkRow) -> BTreeSet<String> {
    let tasks = executors(row).flat_map(|one| one.tasks.values().chain(&one.completed));
    tasks.map(|task| task_user(task, &row.info)).collect()
}

/// A framework without its hidden executors and tasks.
fn without(
    row: &FrameworkRow,
    id: &FrameworkId,
    executors: &BTreeSet<Alike>,
    tasks: &BTreeSet<Alike>,
) -> FrameworkRow {
    let shows = |task: &TaskRow| !tasks.contains(&(id.clone(), task_user(task, &row.info)));
    let left = |executor: &Arc<ExecutorRow>| {
        let hidden = executors.contains(&(id.clone(), executor_user(executor, &row.info)));
        let live = || executor.tasks.iter().filter(|(_, task)| shows(task));
        let over = || executor.completed.iter().filter(|task| shows(task));
        (!hidden).then(|| {
            Arc::new(ExecutorRow {
                facts: executor.facts.clone(),
                tasks: live().map(|(id, task)| (id.clone(), task.clone())).collect(),
                completed: over().cloned().collect(),
            })
        })
    };
    let live = row.executors.iter();
    FrameworkRow {
        info: Arc::clone(&row.info),
        executors: live.filter_map(|(id, one)| Some((id.clone(), left(one)?))).collect(),
        completed_executors: row
            .completed_executors
            .iter()
            .filter_map(left)
            .collect::<VecDeque<_>>(),
    }
}

/// Lets those look into a sandbox who may see those of its user (`access_sandboxes`).
#[derive(Debug)]
pub(crate) struct Sandboxes {
    pub(crate) permissions: Permissions,
    pub(crate) view: Arc<ArcSwap<View>>,
}

impl Keeper for Sandboxes {
    fn admit<'a>(
        &'a self,
        sender: Option<&'a Principal>,
        attached: &'a str,
    ) -> BoxFuture<'a, Result<(), Response>> {
        Box::pin(async move {
            if self.permissions.are_unlimited() {
                return Ok(());
            }
            // Of a sandbox whose executor is forgotten nothing is known.
            let object = owner(&self.view.load(), attached).unwrap_or_else(|| thing([]));
            self.permissions.check(sender, "access_sandboxes", object).await
        })
    }
}

/// What is known of the executor whose sandbox this is:
/// `…/frameworks/F/executors/E/runs/CONTAINER`, or `latest` in the container's place.
fn owner(view: &View, sandbox: &str) -> Option<Object> {
    let words: Vec<&str> = sandbox.split('/').collect();
    let after = |name: &str| {
        let place = words.iter().rposition(|word| *word == name)?;
        words.get(place + 1).copied()
    };
    let framework = FrameworkId::new(after("frameworks")?);
    let (executor, run) = (ExecutorId::new(after("executors")?), after("runs")?);
    let is = |one: &ExecutorRow| {
        one.facts.info.id == executor && (run == "latest" || *one.facts.container.value == *run)
    };
    let rows = view.frameworks.values().chain(view.completed_frameworks.iter().rev());
    rows.filter(|row| row.info.id.as_ref() == Some(&framework)).find_map(|row| {
        let known = executors(row).find(|one| is(one))?;
        Some(described(&row.info, &executor_user(known, &row.info)))
    })
}
