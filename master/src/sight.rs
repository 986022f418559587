//! What one reader sees of the cluster (SEC-4): a snapshot without what the authorizer hides.
//!
//! Whoever renders needs no permission: what may not be seen is not there. The authorizer is asked
//! once for each kind of thing, not for each thing: tasks of one framework and one user are alike
//! to it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use imbl::OrdMap;
use reeve_access::{Permissions, thing, unanswered};
use reeve_master_core::view::{ExecutorRecord, FrameworkView, Snapshot, TaskRecord};
use reeve_model::{FrameworkId, FrameworkInfo, Resources, Role};
use reeve_module_sdk::authorizer::Object;
use reeve_transport::{Principal, Request, Response};
use tokio::runtime::Handle;

use crate::access;
use crate::app::App;
use crate::dialback::UnreachedDriver;
use crate::office::Leader;
use crate::v0::roles::known;
use crate::v0::tasks::details;

/// How closely somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// At agents, roles, and which frameworks there are.
    Frameworks,
    /// At tasks and executors too.
    Tasks,
}

/// What one reader sees.
#[derive(Debug)]
pub struct Sight {
    snapshot: Arc<Snapshot>,
    frameworks: BTreeSet<FrameworkId>,
    roles: BTreeSet<Role>,
}

impl Deref for Sight {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Tasks or executors that are alike: of one framework, as one user.
type Alike = (FrameworkId, String);

impl Sight {
    /// What the sender of a request sees. Must be called on a thread that may block.
    ///
    /// # Errors
    ///
    /// If the authorizer gives no answer (503).
    pub fn of(leader: &Leader, request: &Request, depth: Depth) -> Result<Sight, Response> {
        let snapshot = leader.snapshot();
        if leader.permissions.are_unlimited() {
            return Ok(Sight::everything(snapshot));
        }
        let permissions = &leader.permissions;
        let asking = Asking { permissions, sender: request.principal.as_ref() };
        Handle::current().block_on(asking.sight(snapshot, depth))
    }

    fn everything(snapshot: Arc<Snapshot>) -> Self {
        Sight { snapshot, frameworks: BTreeSet::new(), roles: BTreeSet::new() }
    }

    /// Whether a framework is there for this reader.
    pub fn shows(&self, framework: &FrameworkId) -> bool {
        !self.frameworks.contains(framework)
    }

    /// Whether a role is there for this reader.
    pub fn shows_role(&self, role: &Role) -> bool {
        !self.roles.contains(role)
    }

    /// Resources without those that are reserved for hidden roles.
    pub fn resources(&self, all: &Resources) -> Resources {
        all.filter(|one| one.reservation_role().is_none_or(|role| self.shows_role(role)))
    }
}

/// Whether somebody may see how the daemon is set.
///
/// # Errors
///
/// If the authorizer gives no answer (503).
pub fn may_see_flags(app: &App, request: &Request) -> Result<bool, Response> {
    if app.permissions.are_unlimited() {
        return Ok(true);
    }
    let asked = app.permissions.each(request.principal.as_ref(), "view_flags", vec![thing([])]);
    let answers = Handle::current().block_on(asked).map_err(unanswered)?;
    Ok(answers == [true])
}

/// The drivers that can't be subscribed and whose frameworks somebody may see.
///
/// # Errors
///
/// If the authorizer gives no answer (503).
pub fn unreached(leader: &Leader, request: &Request) -> Result<Vec<UnreachedDriver>, Response> {
    let mut all = leader.term.dialback.unreached();
    if all.is_empty() || leader.permissions.are_unlimited() {
        return Ok(all);
    }
    let objects = all.iter().map(|one| access::framework(&one.info)).collect();
    let asked = leader.permissions.each(request.principal.as_ref(), "view_frameworks", objects);
    let mut answers = Handle::current().block_on(asked).map_err(unanswered)?.into_iter();
    all.retain(|_| answers.next() == Some(true));
    Ok(all)
}

/// Somebody who looks.
struct Asking<'a> {
    permissions: &'a Permissions,
    sender: Option<&'a Principal>,
}

impl Asking<'_> {
    async fn sight(&self, whole: Arc<Snapshot>, depth: Depth) -> Result<Sight, Response> {
        let mut seen = Snapshot::clone(&whole);
        let all = whole.frameworks.values().chain(&whole.completed);
        let all = all.map(|view| (view.record.id.clone(), access::framework(&view.record.info)));
        let frameworks = self.hidden("view_frameworks", all.collect()).await?;
        for id in &frameworks {
            seen.frameworks.remove(id);
        }
        seen.completed.retain(|view| !frameworks.contains(&view.record.id));
        if depth == Depth::Tasks {
            let tasks = self.hidden("view_tasks", alike(&seen, tasks)).await?;
            let executors = self.hidden("view_executors", alike(&seen, executors)).await?;
            hide(&mut seen, &tasks, &executors);
        }
        let roles = known(&seen).into_keys();
        let roles = roles.map(|role| (role.clone(), thing([("role", role.as_str())])));
        let roles = self.hidden("view_roles", roles.collect()).await?;
        Ok(Sight { snapshot: Arc::new(seen), frameworks, roles })
    }

    /// Those of the things that the sender may not see.
    async fn hidden<K: Ord>(
        &self,
        action: &'static str,
        things: BTreeMap<K, Object>,
    ) -> Result<BTreeSet<K>, Response> {
        let (keys, things): (Vec<K>, Vec<Object>) = things.into_iter().unzip();
        let answers = self.permissions.each(self.sender, action, things).await;
        let answers = answers.map_err(unanswered)?;
        Ok(keys.into_iter().zip(answers).filter(|(_, yes)| !yes).map(|(key, _)| key).collect())
    }
}

fn user_of_task(record: &TaskRecord, info: &FrameworkInfo) -> String {
    let own = details(&record.body).command.and_then(|command| command.user);
    own.unwrap_or_else(|| info.user.clone())
}

fn user_of_executor(record: &ExecutorRecord, info: &FrameworkInfo) -> String {
    let own = record.info.details().command.and_then(|command| command.user);
    own.unwrap_or_else(|| info.user.clone())
}

/// The users of a framework's tasks.
fn tasks(view: &FrameworkView) -> BTreeSet<String> {
    let all = view.tasks.values().chain(view.unreachable.values()).chain(&view.completed);
    all.map(|record| user_of_task(record, &view.record.info)).collect()
}

/// The users of a framework's executors.
fn executors(view: &FrameworkView) -> BTreeSet<String> {
    view.executors.values().map(|one| user_of_executor(one, &view.record.info)).collect()
}

/// All that is to be asked about, as often as it differs.
fn alike(
    seen: &Snapshot,
    users: fn(&FrameworkView) -> BTreeSet<String>,
) -> BTreeMap<Alike, Object> {
    let mut all = BTreeMap::new();
    for view in seen.frameworks.values().chain(&seen.completed) {
        let info = &view.record.info;
        let principal = info.principal.as_ref().map(|principal| ("principal", principal.as_str()));
        for user in users(view) {
            let facts = [("user", user.as_str()), ("framework", view.record.id.as_str())];
            let object = thing(facts.into_iter().chain(principal));
            all.insert((view.record.id.clone(), user), object);
        }
    }
    all
}

/// Takes tasks and executors out of a snapshot.
fn hide(seen: &mut Snapshot, tasks: &BTreeSet<Alike>, executors: &BTreeSet<Alike>) {
    let concerned: BTreeSet<&FrameworkId> =
        tasks.iter().chain(executors).map(|(id, _)| id).collect();
    for id in &concerned {
        if let Some(view) = seen.frameworks.get_mut(*id) {
            let left = without(view, tasks, executors);
            *view = Arc::new(left);
        }
    }
    for view in &mut seen.completed {
        if concerned.contains(&view.record.id) {
            let left = without(view, tasks, executors);
            *view = Arc::new(left);
        }
    }
}

fn without(
    view: &FrameworkView,
    tasks: &BTreeSet<Alike>,
    executors: &BTreeSet<Alike>,
) -> FrameworkView {
    let (id, info) = (&view.record.id, &view.record.info);
    let shows_task =
        |record: &TaskRecord| !tasks.contains(&(id.clone(), user_of_task(record, info)));
    let shows_executor = |record: &ExecutorRecord| {
        !executors.contains(&(id.clone(), user_of_executor(record, info)))
    };
    FrameworkView {
        tasks: kept(&view.tasks, shows_task),
        unreachable: kept(&view.unreachable, shows_task),
        completed: view.completed.iter().filter(|one| shows_task(one)).cloned().collect(),
        executors: kept(&view.executors, shows_executor),
        ..view.clone()
    }
}

fn kept<K: Ord + Clone, V>(
    all: &OrdMap<K, Arc<V>>,
    keep: impl Fn(&V) -> bool,
) -> OrdMap<K, Arc<V>> {
    let kept = all.iter().filter(|(_, one)| keep(one));
    kept.map(|(key, one)| (key.clone(), Arc::clone(one))).collect()
}
