//! The read model follows what it is told, and keeps history within its caps.

use std::sync::Arc;

use reeve_machine::Wall;
use reeve_model::{
    AgentId, FrameworkId, FrameworkInfo, Resources, Role, TaskId, TaskState, TaskStatus,
};

use super::{Change, FrameworkRecord, Statuses, TaskBody, TaskEnd, TaskRecord, View};
use crate::Options;

fn framework(id: &str) -> Change {
    let info = FrameworkInfo {
        user: "root".to_owned(),
        name: id.to_owned(),
        id: Some(id.into()),
        failover_timeout: std::time::Duration::ZERO,
        checkpoint: true,
        roles: vec![Role::any()],
        hostname: String::new(),
        principal: None,
        webui_url: String::new(),
        capabilities: reeve_model::Capabilities::none(),
        offer_filters: std::collections::BTreeMap::new(),
        rest: bytes::Bytes::new(),
    };
    Change::Framework(Arc::new(FrameworkRecord {
        id: id.into(),
        info: Arc::new(info),
        pid: None,
        active: true,
        connected: true,
        recovered: false,
        registered: Wall(1),
        reregistered: None,
        unregistered: None,
        suppressed: std::collections::BTreeSet::new(),
        constraints: None,
    }))
}

fn task(id: &str) -> Change {
    Change::TasksAdded(vec![Arc::new(TaskRecord {
        id: id.into(),
        name: id.into(),
        framework: "f".into(),
        agent: AgentId::new("a"),
        executor: None,
        state: TaskState::Staging,
        resources: Resources::parse("cpus:1", &Role::any()).unwrap(),
        statuses: Statuses::new(),
        body: TaskBody::Reported(bytes::Bytes::new()),
    })])
}

fn progress(id: &str, state: TaskState) -> Change {
    Change::TaskProgressed {
        framework: "f".into(),
        task: id.into(),
        latest: state,
        status: Arc::new(TaskStatus::new(id.into(), state)),
    }
}

fn view(max_completed_frameworks: usize, max_completed_tasks_per_framework: usize) -> View {
    let options = Options {
        max_completed_frameworks,
        max_completed_tasks_per_framework,
        ..Options::default()
    };
    let mut view = View::new(&options);
    view.apply(framework("f"));
    view
}

#[test]
fn a_snapshot_does_not_change_when_the_view_does() {
    let mut view = view(5, 5);
    let before = view.snapshot();
    view.apply(task("t"));
    assert!(before.frameworks["f"].tasks.is_empty());
    assert_eq!(view.snapshot().frameworks["f"].tasks.len(), 1);
}

#[test]
fn completed_tasks_and_frameworks_are_kept_up_to_a_cap_the_oldest_go_first() {
    let mut view = view(2, 2);
    for id in ["t1", "t2", "t3"] {
        view.apply(task(id));
        view.apply(progress(id, TaskState::Finished));
        view.apply(Change::TaskRemoved("f".into(), id.into(), TaskEnd::Completed));
    }
    let kept: Vec<String> =
        view.snapshot().frameworks["f"].completed.iter().map(|task| task.id.to_string()).collect();
    assert_eq!(kept, ["t2", "t3"]);
    for id in ["f", "g", "h"] {
        view.apply(framework(id));
        view.apply(Change::FrameworkCompleted(id.into(), Wall(9)));
    }
    let kept: Vec<FrameworkId> =
        view.snapshot().completed.iter().map(|framework| framework.record.id.clone()).collect();
    assert_eq!(kept, ["g".into(), "h".into()]);
    assert_eq!(view.snapshot().completed[0].record.unregistered, Some(Wall(9)));
}

#[test]
fn tasks_are_counted_by_state_and_hold_resources_until_they_end() {
    let mut view = view(5, 5);
    view.apply(task("t"));
    view.apply(progress("t", TaskState::Running));
    let now = view.snapshot();
    assert_eq!(now.tallies.tasks.get(TaskState::Running), 1);
    assert_eq!(now.tallies.tasks.get(TaskState::Staging), 0);
    assert!(!now.frameworks["f"].used.is_empty());
    view.apply(progress("t", TaskState::Failed));
    view.apply(progress("t", TaskState::Failed));
    let now = view.snapshot();
    assert_eq!(now.tallies.tasks.get(TaskState::Failed), 1);
    assert_eq!(now.tallies.ended.values().sum::<u64>(), 1);
    assert!(now.frameworks["f"].used.is_empty());
}

#[test]
fn equal_states_in_a_row_are_one_status() {
    let mut view = view(5, 5);
    view.apply(task("t"));
    for state in [TaskState::Running, TaskState::Running, TaskState::Finished] {
        view.apply(progress("t", state));
    }
    let statuses = &view.snapshot().frameworks["f"].tasks[&TaskId::new("t")].statuses.clone();
    let states: Vec<TaskState> = statuses.iter().map(|status| status.state).collect();
    assert_eq!(states, [TaskState::Running, TaskState::Finished]);
}

#[test]
fn what_is_said_of_things_it_never_heard_of_is_ignored() {
    let mut view = view(5, 5);
    view.apply(progress("nobody", TaskState::Failed));
    view.apply(Change::TaskRemoved("nobody".into(), "t".into(), TaskEnd::Completed));
    view.apply(Change::OfferEnded("o".into(), super::OfferEnd::Declined));
    assert_eq!(view.snapshot().tallies.ended.len(), 0);
    assert_eq!(view.snapshot().tallies.offers.declined, 0);
}
