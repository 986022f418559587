//! R1, R3 and R4: real tasks on one real agent, without isolation.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::bail;
use serde_json::Value;

use super::tasks::number;
use super::{Size, median};
use crate::process;
use crate::report::Row;
use crate::stage::Stage;

/// How many tasks run while their memory is measured.
const RUNNING: usize = 20;

/// R1: many tasks at once.
pub(super) fn bursts(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let ceiling = bare(size.pick(500, 50))?;
    out(Row::new(
        "R1",
        "ceiling: spawn and wait of `true`, one after the other",
        "tasks/s",
        ceiling,
    )
    .more_is_better());
    for tasks in size.pick([100, 500], [20, 50]) {
        let flags = [format!("--tasks={tasks}"), "--task-resources=cpus:0.1;mem:32".to_owned()];
        let Spent { wall, cpu, .. } = measure(stage, "cpus:1000;mem:1000000", &flags)?;
        let rate = Row::new(
            "R1",
            format!("{tasks} real tasks `true`"),
            "tasks/s",
            f64::from(tasks) / wall,
        )
        .aim(800.0)
        .more_is_better();
        out(Row { mesos: Some(if tasks == 500 { 11.9 } else { 16.0 }), ..rate.cost(wall, cpu) });
        let what = format!("CPU a task (master, agent, all it started), {tasks} tasks");
        let per_task = cpu * 1e3 / f64::from(tasks);
        out(Row::new("R1", what, "ms", per_task).aim(2.5).mesos(126.0).cost(wall, cpu));
    }
    Ok(())
}

/// R3: one task at a time.
pub(super) fn serial(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let tasks = size.pick(200, 20);
    let flags = [
        format!("--tasks={tasks}"),
        "--serial".to_owned(),
        "--task-resources=cpus:1;mem:128".to_owned(),
    ];
    let Spent { report, wall, cpu } = measure(stage, "cpus:1;mem:128", &flags)?;
    for (what, path, aim, mesos) in [
        ("ACCEPT to RUNNING p50", "/accept_to_running_ms/p50", 2.0, Some(72.0)),
        ("ACCEPT to RUNNING p99", "/accept_to_running_ms/p99", 8.0, Some(90.0)),
        ("ACCEPT to FINISHED p50", "/accept_to_ended_ms/p50", 4.0, Some(168.0)),
        ("ACCEPT to FINISHED p99", "/accept_to_ended_ms/p99", 8.0, None),
    ] {
        let what = format!("{what}, {tasks} real tasks `true` one at a time");
        let row = Row::new("R3", what, "ms", number(&report, path)?).aim(aim);
        out(Row { mesos, ..row.cost(wall, cpu) });
    }
    Ok(())
}

/// R4: what a running task takes beside its own process.
pub(super) fn memory(stage: &Stage, _: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let start = Instant::now();
    let master = stage.master()?;
    let agent = stage.agent(&master, "cpus:1000;mem:1000000")?;
    let pids = [master.process.pid(), agent.process.pid()];
    let mut framework = stage.load(
        "framework",
        &master,
        &[format!("--tasks={RUNNING}"), "--hold".to_owned(), "--command=sleep 1000".to_owned()],
    )?;
    framework.report()?;
    let mut ours = Vec::new();
    for process in process::living_in(&agent.directory)? {
        // The task's own process is the user's.
        if !process.command.contains("sleep 1000") || process.command.contains("reeve") {
            ours.push(process::pss(process.pid)?);
        }
    }
    let cpu = spent(pids)?;
    framework.stop();
    if ours.len() < RUNNING {
        bail!("{} processes for {RUNNING} tasks: are executors found?", ours.len());
    }
    let total: u64 = ours.iter().sum();
    let per_task = total as f64 / RUNNING as f64 / 1e6;
    let what = format!("PSS of executor and helpers a running task, {RUNNING} tasks");
    let wall = start.elapsed().as_secs_f64();
    out(Row::new("R4", what, "MB", per_task).aim(0.6).mesos(11.3).cost(wall, cpu));
    Ok(())
}

/// What a framework's tasks took.
struct Spent {
    /// The framework's own report.
    report: Value,
    /// Seconds from the first launch until all had ended.
    wall: f64,
    /// Processor seconds of master, agent and all they started.
    cpu: f64,
}

/// Runs a framework's tasks `true` on one agent with these resources.
fn measure(stage: &Stage, resources: &str, flags: &[String]) -> anyhow::Result<Spent> {
    let master = stage.master()?;
    let agent = stage.agent(&master, resources)?;
    let pids = [master.process.pid(), agent.process.pid()];
    let before = spent(pids)?;
    let flags = [flags, &["--command=true".to_owned()]].concat();
    let mut framework = stage.load("framework", &master, &flags)?;
    let report = framework.report()?;
    framework.finish()?;
    let cpu = spent(pids)? - before;
    let wall = number(&report, "/all_settled_s")?;
    Ok(Spent { report, wall, cpu })
}

/// How many `true` a second this machine starts and ends at best, one at a time: the median of
/// five goes.
fn bare(count: u32) -> anyhow::Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..count {
            Command::new("/bin/true").stdin(Stdio::null()).status()?;
        }
        rates.push(f64::from(count) / start.elapsed().as_secs_f64());
    }
    Ok(median(rates))
}

/// Processor seconds of these and of all children they have waited for.
fn spent(pids: [u32; 2]) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for pid in pids {
        sum += process::cpu_with_children(pid)?.as_secs_f64();
    }
    Ok(sum)
}
