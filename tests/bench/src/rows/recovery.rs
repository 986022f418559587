//! R5: an agent with many tasks is killed, and the next one takes them over.
//!
//! Executors that find nobody at their agent's address try again after a wait by chance of up to a
//! quarter of `executor_reregistration_timeout`, half a second as it is set by default. An agent
//! returns to its master once all have come, so that none could do it in much less.

use anyhow::bail;

use super::{Size, median};
use crate::process;
use crate::report::Row;
use crate::stage::{Stage, metric};

/// How often the agent is killed.
const TIMES: usize = 5;

pub(super) fn agent_returns(
    stage: &Stage,
    size: Size,
    out: &mut dyn FnMut(Row),
) -> anyhow::Result<()> {
    let tasks: u64 = size.pick(1_000, 50);
    let master = stage.master()?;
    let mut agent = stage.agent(&master, "cpus:1000;mem:1000000")?;
    let words = ["--hold", "--checkpoint", "--command=sleep 10000"].map(str::to_owned);
    let words = [&[format!("--tasks={tasks}")], words.as_slice()].concat();
    let mut framework = stage.load("framework", &master, &words)?;
    framework.report()?;
    let (mut times, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        stage.revive(&master, &mut agent)?;
        times.push(agent.start.as_secs_f64());
        costs.push(process::cpu(agent.process.pid())?.as_secs_f64());
        for name in ["slave/executors_running", "slave/tasks_running"] {
            let found = metric(agent.address, name)?;
            if found != tasks {
                bail!("{name} is {found} and should be {tasks}");
            }
        }
    }
    let (time, cpu) = (median(times), median(costs));
    let memory = process::rss(agent.process.pid())? as f64 / 1e6;
    framework.stop();
    let what = format!("next agent: start to registered with {tasks} running tasks");
    out(Row::new("R5", what, "s", time).aim(1.0).cost(time, cpu));
    let what = format!("CPU of that agent until then, {tasks} tasks");
    out(Row::new("R5", what, "s", cpu));
    out(Row::new("R5", format!("its memory then, {tasks} tasks"), "MB", memory));
    Ok(())
}
