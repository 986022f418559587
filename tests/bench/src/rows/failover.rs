//! F1: a master dies, the next one starts with its registry, and the whole cluster comes back.
//!
//! For now the next master is the same program started again; with ZooKeeper the time until the
//! loss is noticed comes on top. Agents return as real ones do, the first attempt after a wait by
//! chance of up to a second, so that no master could do it in less. The fleet and the framework
//! share the machine with the master: its own share is told apart.

use anyhow::Context;

use super::Size;
use super::tasks::{fleet, number};
use crate::fleet::framework_id;
use crate::process;
use crate::report::Row;
use crate::stage::Stage;

/// How many tasks run on each agent.
const TASKS: u32 = 10;

pub(super) fn all_return(
    stage: &Stage,
    size: Size,
    out: &mut dyn FnMut(Row),
) -> anyhow::Result<()> {
    let (agents, sockets) = size.pick((50_000, 1_000), (5_000, 100));
    let tasks = agents * TASKS;
    let master = stage.master()?;
    // Twice what is used, so that there is something to offer.
    let resources = format!("cpus:{};mem:{}", f64::from(TASKS) / 5.0, TASKS * 256);
    let words = [format!("--sockets={sockets}"), format!("--burden={TASKS}")];
    let (mut fleet, _) = fleet(stage, &master, agents, &resources, &words)?;
    let fleet_before = process::cpu(fleet.pid())?;

    let start = std::time::Instant::now();
    let master = stage.replace(master)?;
    let pid = master.process.pid();
    let up = start.elapsed().as_secs_f64();
    // Its agents know it as one that checkpoints: it is not told of each task that runs still.
    let id = format!("--id={}", framework_id(0).value);
    let words = [id, format!("--watch={agents}"), "--checkpoint".to_owned()];
    let mut framework = stage.load("framework", &master, &words)?;
    fleet.report().context("agents")?;
    let registered = start.elapsed().as_secs_f64();
    let offers = framework.report()?;
    let wall = start.elapsed().as_secs_f64();

    let master_cpu = process::cpu(pid)?.as_secs_f64();
    let fleet_cpu = process::cpu(fleet.pid())?.saturating_sub(fleet_before).as_secs_f64();
    let others_cpu = fleet_cpu + number(&offers, "/generator_cpu_s")?;
    let cluster = format!("{agents} agents, {tasks} tasks");
    let row = |what: &str, unit, amount| {
        let what = format!("{what}: {cluster}");
        Row::new("F1", what, unit, amount).cost(wall, master_cpu + others_cpu)
    };
    // Both of the full size alone.
    let against = |row: Row, mesos: Option<f64>, aim: Option<f64>| {
        size.pick(Row { mesos, aim, ..row.clone() }, row)
    };
    let all = row("start of the next master until all are registered again", "s", registered);
    out(against(all, Some(71.0), Some(5.0)));
    let first = up + number(&offers, "/first_offer_s")?;
    out(row("... until its first offer to a framework that came back", "s", first));
    out(against(
        row("... until it offered what is free on every agent", "s", wall),
        None,
        Some(5.0),
    ));
    let cpu = row("master's CPU until then", "s", master_cpu);
    out(against(cpu, Some(93.0), None));
    out(row("CPU of the agents and the framework meanwhile", "s", others_cpu));
    let peak = process::peak_rss(pid)? as f64 / 1e6;
    out(against(row("master's memory at its peak", "MB", peak), Some(3_900.0), Some(700.0)));
    let after = process::pss(pid)? as f64 / 1e6;
    out(row("master's memory afterwards", "MB", after));
    Ok(())
}
