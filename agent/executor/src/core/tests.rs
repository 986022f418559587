use super::*;
use reeve_wire::v1::{CommandInfo, DurationInfo, KillPolicy};

mod checks;
mod elsewhere;

const AT: fn(u64) -> Duration = Duration::from_millis;

/// A machine, what it did last, and a clock by hand.
struct Rig {
    machine: Executor<Box<dyn FnMut() -> Stamp>>,
    sent: Vec<TaskStatus>,
}

fn settings(checkpoint: bool) -> Settings {
    Settings {
        framework_id: "f".into(),
        executor_id: "e".into(),
        agent: "127.0.0.1:5051".parse().unwrap(),
        path: "/slave(1)/api/v1/executor".into(),
        checkpoint,
        recovery_timeout: AT(10_000),
        backoff_max: AT(2_000),
        shutdown_grace: AT(5_000),
        token: None,
    }
}

fn task() -> TaskInfo {
    TaskInfo {
        name: "t".into(),
        task_id: TaskId { value: "t".into() },
        command: Some(CommandInfo { value: Some("sleep 1".into()), ..CommandInfo::default() }),
        ..TaskInfo::default()
    }
}

fn kill(grace: Option<u64>) -> Event {
    Event::Kill { task: TaskId { value: "t".into() }, grace: grace.map(AT) }
}

impl Rig {
    fn new(checkpoint: bool, killing_state: bool) -> Self {
        Self::of(settings(checkpoint), false, killing_state)
    }

    fn of(settings: Settings, wrapped: bool, killing_state: bool) -> Self {
        let mut count = 0;
        let stamp = move || {
            count += 1;
            Stamp { uuid: [count; 16], timestamp: f64::from(count) }
        };
        let (machine, first) = Executor::new(settings, wrapped, Box::new(stamp) as Box<_>);
        assert!(matches!(first, Effect::Connect(_)));
        let mut rig = Self { machine, sent: Vec::new() };
        assert_eq!(rig.step(0, Event::Subscribed { killing_state }), []);
        rig
    }

    /// A rig whose task runs since time 0.
    fn running(checkpoint: bool, killing_state: bool, task: TaskInfo) -> Self {
        let mut rig = Self::new(checkpoint, killing_state);
        let effects = rig.step(0, Event::Launch(Box::new(task)));
        assert!(matches!(effects.as_slice(), [Effect::Spawn(_)]), "{effects:?}");
        assert_eq!(rig.step(0, Event::Spawned), []);
        assert_eq!(rig.states(), [TaskState::TaskStarting, TaskState::TaskRunning]);
        rig
    }

    /// Takes a step; updates go to `sent`, everything else is returned.
    fn step(&mut self, now: u64, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        self.machine.step(AT(now), event, &mut out);
        out.retain(|effect| match effect {
            Effect::Send(call) => {
                self.sent.extend(call.update.clone().map(|update| update.status));
                false
            }
            _ => true,
        });
        out
    }

    fn acknowledge_all(&mut self, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for status in self.sent.clone() {
            let uuid = status.uuid.unwrap();
            effects.extend(self.step(now, Event::Acknowledged { uuid }));
        }
        effects
    }

    fn states(&self) -> Vec<TaskState> {
        self.sent.iter().map(|status| TaskState::try_from(status.state).unwrap()).collect()
    }

    fn last(&self) -> (TaskState, &str) {
        let status = self.sent.last().unwrap();
        let state = TaskState::try_from(status.state).unwrap();
        (state, status.message.as_deref().unwrap_or_default())
    }
}

#[test]
fn a_task_that_succeeds_is_finished_and_the_executor_leaves_once_that_is_safe() {
    let mut rig = Rig::running(false, false, task());
    assert_eq!(rig.step(900, Event::Exited(0)), []);
    assert_eq!(rig.last(), (TaskState::TaskFinished, "Command exited with status 0"));
    for status in &rig.sent {
        assert_eq!(status.source, Some(Source::Executor as i32));
        assert_eq!(status.executor_id.as_ref().unwrap().value, "e");
        assert!(status.timestamp.is_some() && status.uuid.as_ref().unwrap().len() == 16);
    }
    assert_eq!(rig.acknowledge_all(901), [Effect::Exit]);
}

#[test]
fn a_task_that_fails_says_how() {
    let mut rig = Rig::running(false, false, task());
    rig.step(1, Event::Exited(3 << 8));
    assert_eq!(rig.last(), (TaskState::TaskFailed, "Command exited with status 3"));
    let mut rig = Rig::running(false, false, task());
    rig.step(1, Event::Exited(9));
    assert_eq!(rig.last(), (TaskState::TaskFailed, "Command terminated with signal Killed"));
}

#[test]
fn a_program_that_is_not_there_fails_the_task() {
    let mut rig = Rig::new(false, false);
    rig.step(0, Event::Launch(Box::new(task())));
    rig.step(0, Event::SpawnFailed("Failed to execute 'x': No such file".into()));
    assert_eq!(rig.last(), (TaskState::TaskFailed, "Failed to execute 'x': No such file"));
    assert_eq!(rig.acknowledge_all(1), [Effect::Exit]);
}

#[test]
fn a_task_without_a_command_fails() {
    let mut rig = Rig::new(false, false);
    let bare = TaskInfo { command: None, ..task() };
    assert_eq!(rig.step(0, Event::Launch(Box::new(bare))), []);
    assert_eq!(rig.states(), [TaskState::TaskStarting, TaskState::TaskFailed]);
    assert!(rig.last().1.contains("no command"));
}

#[test]
fn a_kill_asks_first_and_insists_after_the_grace_period() {
    let mut rig = Rig::running(false, true, task());
    assert_eq!(rig.step(1_000, kill(None)), [Effect::Terminate]);
    assert_eq!(rig.last().0, TaskState::TaskKilling);
    assert_eq!(rig.machine.deadline(), Some(AT(4_000)));
    assert_eq!(rig.step(3_999, Event::Tick), []);
    assert_eq!(rig.step(4_000, Event::Tick), [Effect::Kill]);
    assert_eq!(rig.step(9_000, Event::Tick), []);
    rig.step(9_001, Event::Exited(9));
    assert_eq!(rig.last(), (TaskState::TaskKilled, "Command terminated with signal Killed"));
}

#[test]
fn grace_comes_from_the_kill_then_from_the_task() {
    let grace_period = Some(DurationInfo { nanoseconds: 700_000_000 });
    let policy = TaskInfo { kill_policy: Some(KillPolicy { grace_period }), ..task() };
    let mut rig = Rig::running(false, false, policy.clone());
    rig.step(0, kill(None));
    assert_eq!(rig.machine.deadline(), Some(AT(700)));
    let mut rig = Rig::running(false, false, policy);
    rig.step(0, kill(Some(200)));
    assert_eq!(rig.machine.deadline(), Some(AT(200)));
    // A later kill may be more urgent, not less.
    rig.step(10, kill(Some(100)));
    assert_eq!(rig.machine.deadline(), Some(AT(110)));
    rig.step(20, kill(Some(60_000)));
    assert_eq!(rig.machine.deadline(), Some(AT(110)));
}

#[test]
fn killed_is_killed_even_if_the_program_took_it_well() {
    let mut rig = Rig::running(false, false, task());
    rig.step(0, kill(None));
    assert!(!rig.states().contains(&TaskState::TaskKilling), "the framework does not know it");
    rig.step(1, Event::Exited(0));
    assert_eq!(rig.last(), (TaskState::TaskKilled, "Command exited with status 0"));
}

#[test]
fn another_tasks_kill_is_not_this_ones() {
    let mut rig = Rig::running(false, false, task());
    let other = Event::Kill { task: TaskId { value: "u".into() }, grace: None };
    assert_eq!(rig.step(0, other), []);
    assert_eq!(rig.machine.deadline(), None);
}

#[test]
fn a_task_that_runs_too_long_fails_for_that_reason() {
    let limit = Some(DurationInfo { nanoseconds: 2_000_000_000 });
    let limited = TaskInfo { max_completion_time: limit, ..task() };
    let mut rig = Rig::running(false, true, limited);
    assert_eq!(rig.machine.deadline(), Some(AT(2_000)));
    assert_eq!(rig.step(2_000, Event::Tick), [Effect::Terminate]);
    assert!(!rig.states().contains(&TaskState::TaskKilling));
    rig.step(2_100, Event::Exited(15));
    assert_eq!(rig.last(), (TaskState::TaskFailed, "Command terminated with signal Terminated"));
    let reason = Some(Reason::MaxCompletionTimeReached as i32);
    assert_eq!(rig.sent.last().unwrap().reason, reason);
}

#[test]
fn shutdown_ends_within_its_bound() {
    let grace_period = Some(DurationInfo { nanoseconds: 3_600_000_000_000 });
    let patient = TaskInfo { kill_policy: Some(KillPolicy { grace_period }), ..task() };
    let mut rig = Rig::running(false, false, patient);
    assert_eq!(rig.step(0, Event::Shutdown), [Effect::Terminate]);
    assert!(rig.machine.deadline().unwrap() < AT(5_000));
    let mut idle = Rig::new(false, false);
    assert_eq!(idle.step(0, Event::Shutdown), [Effect::Exit]);
}

#[test]
fn without_checkpointing_the_task_goes_with_the_agent() {
    let mut rig = Rig::running(false, false, task());
    let effects = rig.step(5, Event::Disconnected { wait: AT(1) });
    assert_eq!(effects, [Effect::Kill, Effect::Exit]);
}

#[test]
fn with_checkpointing_nothing_is_lost_while_the_agent_is_away() {
    let mut rig = Rig::running(true, false, task());
    rig.step(1, Event::Acknowledged { uuid: rig.sent[0].uuid.clone().unwrap() });
    assert_eq!(rig.step(5, Event::Disconnected { wait: AT(100) }), []);
    rig.step(50, Event::Exited(0));
    assert_eq!(rig.sent.len(), 2, "there is nobody to send to");
    assert_eq!(rig.machine.deadline(), Some(AT(105)));
    let effects = rig.step(105, Event::Tick);
    let [Effect::Connect(call)] = effects.as_slice() else { panic!("{effects:?}") };
    let subscribe = call.subscribe.as_ref().unwrap();
    assert_eq!(subscribe.unacknowledged_tasks, [], "one of its updates is acknowledged");
    let states: Vec<i32> =
        subscribe.unacknowledged_updates.iter().map(|update| update.status.state).collect();
    assert_eq!(states, [TaskState::TaskRunning as i32, TaskState::TaskFinished as i32]);
    assert_eq!(rig.step(110, Event::Subscribed { killing_state: false }), []);
    for update in subscribe.unacknowledged_updates.clone() {
        rig.sent.push(update.status);
    }
    assert!(rig.acknowledge_all(111).contains(&Effect::Exit));
}

#[test]
fn an_end_during_the_subscription_is_told_right_after_it() {
    let mut rig = Rig::running(true, false, task());
    rig.acknowledge_all(1);
    rig.step(5, Event::Disconnected { wait: AT(10) });
    assert!(matches!(rig.step(15, Event::Tick).as_slice(), [Effect::Connect(_)]));
    rig.step(16, Event::Exited(0));
    assert_eq!(rig.sent.len(), 2, "there is no link yet");
    rig.step(17, Event::Subscribed { killing_state: false });
    assert_eq!(rig.last().0, TaskState::TaskFinished);
    assert_eq!(rig.sent.len(), 3, "and what is safe is not told again");
}

#[test]
fn an_unacknowledged_task_comes_along() {
    let mut rig = Rig::running(true, false, task());
    rig.step(5, Event::Disconnected { wait: AT(10) });
    let effects = rig.step(15, Event::Tick);
    let [Effect::Connect(call)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(call.subscribe.as_ref().unwrap().unacknowledged_tasks, [task()]);
}

#[test]
fn patience_with_a_lost_agent_ends() {
    let mut rig = Rig::running(true, false, task());
    rig.step(0, Event::Disconnected { wait: AT(2_000) });
    let mut now = 0;
    let last = loop {
        now += 2_000;
        let effects = rig.step(now, Event::Tick);
        assert!(matches!(effects.as_slice(), [Effect::Connect(_)]), "{effects:?}");
        let effects = rig.step(now, Event::Disconnected { wait: AT(2_000) });
        if !effects.is_empty() {
            break effects;
        }
        assert!(now < 10_000, "it never gives up");
    };
    assert_eq!(last, [Effect::Kill, Effect::Exit]);
    assert_eq!(now, 8_000);
}

#[test]
fn the_last_update_is_not_waited_for_for_ever() {
    let mut rig = Rig::running(false, false, task());
    rig.step(0, Event::Exited(0));
    let until = rig.machine.deadline().unwrap();
    assert_eq!(until, LAST_WORDS);
    let now = u64::try_from(until.as_millis()).unwrap();
    assert_eq!(rig.step(now, Event::Tick), [Effect::Exit]);
}

#[test]
fn a_launch_told_twice_is_one_launch_and_another_is_refused() {
    let mut rig = Rig::running(false, false, task());
    assert_eq!(rig.step(1, Event::Launch(Box::new(task()))), []);
    assert_eq!(rig.sent.len(), 2);
    let other = TaskInfo { task_id: TaskId { value: "u".into() }, ..task() };
    assert_eq!(rig.step(2, Event::Launch(Box::new(other))), []);
    assert_eq!(rig.sent.last().unwrap().task_id.value, "u");
    assert_eq!(rig.last().0, TaskState::TaskFailed);
}
