//! M1, F2 and U1: what a cluster takes that does nothing, and how fast it is there.

use anyhow::Context;

use super::tasks::{fleet, number};
use super::{Size, median};
use crate::process;
use crate::report::Row;
use crate::stage::Stage;

/// How often the start is measured.
const TIMES: usize = 5;

/// The master's memory for agents and for tasks; and, since it takes agents anyway, F2.
pub(super) fn simulated(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let (agents, tasks) = size.pick((10_000, 50_000), (500, 5_000));
    let master = stage.master()?;
    let pid = master.process.pid();
    let idle = process::rss(pid)?;
    let per_agent = tasks / agents;
    let resources = format!("cpus:{};mem:{}", f64::from(per_agent) / 10.0, per_agent * 128);
    let (_fleet, report) =
        fleet(stage, &master, agents, &resources, &["--task-time=100000".to_owned()])?;
    let wall = number(&report, "/registered_s")?;
    let cpu = number(&report, "/master_cpu_s")? + number(&report, "/generator_cpu_s")?;
    let what = format!("{agents} agents register from empty, durable registry");
    let aim = 0.3 * f64::from(agents) / 1e4;
    let registered = Row::new("F2", what, "s", wall).aim(aim).cost(wall, cpu);
    out(Row { mesos: size.pick(Some(3.6), None), ..registered });
    let with_agents = process::rss(pid)?;
    let mut framework = stage.load(
        "framework",
        &master,
        &[
            format!("--tasks={tasks}"),
            "--hold".to_owned(),
            "--task-resources=cpus:0.1;mem:128".to_owned(),
        ],
    )?;
    let report = framework.report()?;
    let with_tasks = process::rss(pid)?;
    framework.stop();
    let each = |more: u64, less: u64, count: u32| {
        more.saturating_sub(less) as f64 / f64::from(count) / 1e3
    };
    let what = format!("master's memory an agent, {agents} agents");
    out(Row::new("M1", what, "kB", each(with_agents, idle, agents))
        .aim(2.0)
        .mesos(23.0)
        .cost(wall, cpu));
    let wall = number(&report, "/wall_s")?;
    let cpu = number(&report, "/master_cpu_s")? + number(&report, "/generator_cpu_s")?;
    let what = format!("master's memory a running task, {tasks} tasks");
    let per_task = each(with_tasks, with_agents, tasks);
    out(Row::new("M1", what, "kB", per_task).aim(1.0).mesos(5.5).cost(wall, cpu));
    Ok(())
}

/// How fast master and agent start, and what they take when they have.
pub(super) fn start(stage: &Stage, _: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let (mut masters, mut agents, mut memory, mut costs) = (vec![], vec![], vec![], vec![]);
    for _ in 0..TIMES {
        let master = stage.master()?;
        let agent = stage.agent(&master, "cpus:4;mem:1024")?;
        let pids = [master.process.pid(), agent.process.pid()];
        masters.push(master.start.as_secs_f64());
        agents.push(agent.start.as_secs_f64());
        memory.push([process::rss(pids[0])?, process::rss(pids[1])?]);
        costs.push([process::cpu(pids[0])?.as_secs_f64(), process::cpu(pids[1])?.as_secs_f64()]);
    }
    let (master, agent) = (median(masters), median(agents));
    let cost =
        |which: usize| median(costs.iter().filter_map(|pair| pair.get(which).copied()).collect());
    out(Row::new("U1", "master: start to /health", "ms", master * 1e3)
        .aim(10.0)
        .mesos(42.0)
        .cost(master, cost(0)));
    out(Row::new("U1", "agent: start to registered (no random wait)", "ms", agent * 1e3)
        .aim(15.0)
        .mesos(49.0)
        .cost(agent, cost(1)));
    let [master_memory, agent_memory] = memory.last().context("nothing was measured")?;
    for (what, bytes, mesos) in
        [("idle master's memory", master_memory, 42.0), ("idle agent's memory", agent_memory, 48.0)]
    {
        out(Row::new("M1", what, "MB", *bytes as f64 / 1e6).aim(8.0).mesos(mesos));
    }
    Ok(())
}
