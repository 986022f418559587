//! What becomes of this agent, its executors and tasks, told in the log: one line for each event that
//! an operator may look for later. What goes wrong in the daemon itself is told where it happens.

use std::time::Duration;

use reeve_agent_core::view::{
    Change, ExecutorFacts, ExecutorPhase, Phase, Standing, TaskRow, View,
};
use reeve_model::{ExecutorId, FrameworkId};

/// Tells of a fact that the view does not have yet; the agent has been up for so long.
pub fn tell(view: &View, change: &Change, up: Duration) {
    match change {
        Change::Standing(standing) => stand(&view.standing, standing, up),
        Change::Recovered(recovery) => {
            let (secs, errors) = (recovery.took.as_secs_f64(), recovery.errors);
            tracing::info!(secs, errors, "what was here before is recovered");
        }
        Change::Executor(framework, facts) => executor(view, framework, facts),
        Change::ExecutorOver(framework, executor) => {
            tracing::debug!(%executor, %framework, "an executor is over");
        }
        Change::Task(framework, executor, row) => task(view, framework, executor, row),
        Change::Checkpointed(resources) if view.checkpointed != *resources => {
            tracing::info!(%resources, "reservations and volumes are kept");
        }
        Change::Draining(Some(_)) => tracing::info!("this agent is drained of its tasks"),
        Change::Draining(None) if view.draining.is_some() => {
            tracing::info!("this agent is not drained any more");
        }
        Change::Preempted => tracing::info!("an executor has to go for what others were granted"),
        Change::Checkpointed(_)
        | Change::Draining(None)
        | Change::Oversubscribed(_)
        | Change::Framework(_)
        | Change::FrameworkOver(_) => {}
    }
}

fn stand(before: &Standing, now: &Standing, up: Duration) {
    let master = now.master.as_ref().map(tracing::field::display);
    let agent = now.id.as_ref().map(tracing::field::display);
    match (before.phase, now.phase) {
        (Phase::Running, Phase::Disconnected) => tracing::warn!(agent, "the master is lost"),
        (Phase::Disconnected | Phase::Recovering, Phase::Running) => {
            let secs = up.as_secs_f64();
            tracing::info!(agent, master, secs, "the master has admitted this agent");
        }
        _ => {}
    }
}

fn executor(view: &View, framework: &FrameworkId, facts: &ExecutorFacts) {
    let executor = &facts.info.id;
    let known = view.frameworks.get(framework).and_then(|one| one.executors.get(executor));
    if known.is_some_and(|known| known.facts.state == facts.state) {
        return;
    }
    let container = &facts.container;
    let what = match facts.state {
        // Its story was told when it began.
        _ if view.recovery.is_none() && known.is_none() => "is found on the disk",
        ExecutorPhase::Registering => "is started",
        ExecutorPhase::Running => "runs",
        ExecutorPhase::Terminating => "is to end",
        ExecutorPhase::Terminated => "has ended",
    };
    tracing::info!(%executor, %framework, %container, "an executor {what}");
}

fn task(view: &View, framework: &FrameworkId, executor: &ExecutorId, row: &TaskRow) {
    let task = &row.info.id;
    let known = view.frameworks.get(framework).and_then(|one| one.executors.get(executor));
    let told = known.and_then(|known| known.tasks.get(task)).map(|known| known.statuses.len());
    if told.is_none() && view.recovery.is_none() {
        let state = row.statuses.last().map(|update| tracing::field::display(update.status.state));
        return tracing::info!(%task, %framework, %executor, state, "a task is found on the disk");
    }
    if told.is_none() {
        let (name, resources) = (&*row.info.name, &row.info.resources);
        tracing::info!(%task, %framework, %executor, name, %resources, "a task is to run");
    }
    for update in row.statuses.iter().skip(told.unwrap_or_default()) {
        let status = &update.status;
        let reason = status.reason.map(tracing::field::display);
        let (state, why) = (status.state, status.message.as_deref());
        tracing::info!(%task, %framework, %executor, reason, why, "a task is {state}");
    }
}
