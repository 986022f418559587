//! What a framework knows of its tasks, and the laws that must hold whatever fails.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// One task, as its framework sees it.
#[derive(Clone, Debug, Default)]
struct Task {
    agent: String,
    /// States with an id, in the order in which they first came.
    told: Vec<(String, String)>,
    /// The state that is known now; empty: nothing was ever said.
    state: String,
    /// What was said with it.
    message: String,
}

/// All tasks of one framework.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    tasks: BTreeMap<String, Task>,
    broken: Vec<String>,
}

/// How far along a task with this state is; states of one rank exclude each other.
fn rank(state: &str) -> u32 {
    match state {
        "" => 0,
        "TASK_STAGING" => 1,
        "TASK_STARTING" => 2,
        "TASK_RUNNING" => 3,
        "TASK_KILLING" => 4,
        // Not the end: the agent may come back.
        "TASK_UNREACHABLE" | "TASK_UNKNOWN" => 1,
        _ => 5,
    }
}

/// Whether nothing more is to come.
fn is_over(state: &str) -> bool {
    rank(state) == 5
}

/// Whether the state says that a task never ran, or that nobody knows of it.
fn never_ran(state: &str) -> bool {
    ["TASK_UNKNOWN", "TASK_DROPPED", "TASK_GONE", "TASK_LOST"].contains(&state)
}

impl Ledger {
    /// A task is asked for on this agent.
    pub fn asked(&mut self, task: &str, agent: &str) {
        self.tasks.insert(task.to_owned(), Task { agent: agent.to_owned(), ..Task::default() });
    }

    /// A status came. Says whether it is new.
    pub fn told(&mut self, status: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (id, state) = (text(&status["task_id"]["value"]), text(&status["state"]));
        let message = text(&status["message"]);
        let Some(task) = self.tasks.get_mut(&id) else {
            self.broken.push(format!("{id} was never asked for: {status}"));
            return false;
        };
        let Some(uuid) = status["uuid"].as_str() else {
            // An answer of the master's own: what it knows, perhaps less than was told before.
            if !is_over(&task.state) && task.told.is_empty() {
                (task.state, task.message) = (state, message);
            }
            return false;
        };
        if task.told.iter().any(|(known, _)| known == uuid) {
            return false;
        }
        if is_over(&task.state) && !never_ran(&task.state) {
            self.broken.push(format!("{id} was {} and is told to be {state}", task.state));
        } else if rank(&state) < rank(&task.state) && !never_ran(&task.state) {
            self.broken.push(format!("{id} goes back from {} to {state}", task.state));
        }
        task.told.push((uuid.to_owned(), state.clone()));
        (task.state, task.message) = (state, message);
        true
    }

    /// Tasks whose end is not known, with their agents.
    pub fn open(&self) -> Vec<(String, String)> {
        let open = self.tasks.iter().filter(|(_, task)| !is_over(&task.state));
        open.map(|(id, task)| (id.clone(), task.agent.clone())).collect()
    }

    /// How many have come at least that far.
    pub fn count(&self, state: &str) -> usize {
        let reached = |task: &Task| task.told.iter().any(|(_, told)| told == state);
        self.tasks.values().filter(|task| reached(task)).count()
    }

    /// Compares what was told with what the tasks themselves wrote: one line at each start.
    ///
    /// # Panics
    ///
    /// If a law is broken.
    pub fn judge(&self, starts: &Path) -> Verdict {
        let lines = std::fs::read_to_string(starts).unwrap_or_default();
        let mut started = BTreeMap::<&str, usize>::new();
        for line in lines.lines() {
            *started.entry(line).or_default() += 1;
        }
        let mut broken = self.broken.clone();
        let mut verdict = Verdict { asked: self.tasks.len(), ..Verdict::default() };
        for (id, task) in &self.tasks {
            match started.remove(id.as_str()).unwrap_or(0) {
                0 if never_ran(&task.state) => verdict.never_ran += 1,
                0 => broken.push(format!("{id} never started: {task:?}")),
                1 if task.state == "TASK_FINISHED" => verdict.finished += 1,
                1 => broken.push(format!("{id} ran, and has not finished: {task:?}")),
                times => broken.push(format!("{id} was started {times} times")),
            }
        }
        broken.extend(started.keys().map(|id| format!("{id} ran and nobody asked for it")));
        let shown: Vec<&String> = broken.iter().take(20).collect();
        assert!(broken.is_empty(), "{} laws broken, such as {shown:#?}", broken.len());
        verdict
    }
}

/// What became of all tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Tasks that were asked for.
    pub asked: usize,
    /// Tasks that ran to their end.
    pub finished: usize,
    /// Tasks that never ran, because they were asked for while nobody could take them; the
    /// framework was told.
    pub never_ran: usize,
}
