//! T1 to T4: tasks on simulated agents, over sockets. Generator and master share the machine.

use anyhow::Context;
use serde_json::Value;

use super::Size;
use crate::report::Row;
use crate::stage::{Master, Running, Stage};

/// A burst: so many tasks on so many agents, as fast as it goes.
#[derive(Clone, Copy, Debug)]
struct Burst {
    agents: u32,
    tasks: u32,
    codec: &'static str,
    /// How many sockets the agents share.
    sockets: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    first_offer: f64,
    all_running: f64,
    all_settled: f64,
    master_cpu: f64,
    generator_cpu: f64,
}

impl Burst {
    fn name(self) -> String {
        let Burst { agents, tasks, codec, sockets } = self;
        let sockets = if sockets > 1 { format!(", {sockets} sockets") } else { String::new() };
        format!("{tasks} tasks, {agents} agents, v1 {codec}{sockets}")
    }

    fn play(self, stage: &Stage) -> anyhow::Result<Outcome> {
        let master = stage.master()?;
        let per_agent = self.tasks.div_ceil(self.agents);
        let resources = format!("cpus:{};mem:{}", f64::from(per_agent) / 10.0, per_agent * 128);
        let (mut fleet, _) = fleet(
            stage,
            &master,
            self.agents,
            &resources,
            &[format!("--sockets={}", self.sockets)],
        )?;
        let fleet_cpu = crate::process::cpu(fleet.pid())?;
        let mut framework = stage.load(
            "framework",
            &master,
            &[
                format!("--tasks={}", self.tasks),
                format!("--codec={}", self.codec),
                "--task-resources=cpus:0.1;mem:128".to_owned(),
            ],
        )?;
        let report = framework.report()?;
        framework.finish()?;
        let fleet_cpu = crate::process::cpu(fleet.pid())?.saturating_sub(fleet_cpu);
        fleet.stop();
        Ok(Outcome {
            first_offer: number(&report, "/first_offer_s")?,
            all_running: number(&report, "/all_running_s")?,
            all_settled: number(&report, "/all_settled_s")?,
            master_cpu: number(&report, "/master_cpu_s")?,
            generator_cpu: number(&report, "/generator_cpu_s")? + fleet_cpu.as_secs_f64(),
        })
    }

    /// Microseconds of the master's processor time per task.
    fn per_task(self, outcome: &Outcome) -> f64 {
        outcome.master_cpu * 1e6 / f64::from(self.tasks)
    }
}

/// T1, T2 and T3.
pub(super) fn bursts(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let (agents, tasks) = size.pick((1_000, 50_000), (100, 5_000));
    let base = Burst { agents, tasks, codec: "protobuf", sockets: 1 };
    let first = base.play(stage)?;
    let like_mesos = |amount| size.pick(Some(amount), None);
    let row = |row, what: &str, unit, amount, outcome: &Outcome| {
        let cpu = outcome.master_cpu + outcome.generator_cpu;
        Row::new(row, what, unit, amount).cost(outcome.all_settled, cpu)
    };
    let what = format!("all RUNNING: {}", base.name());
    let running = row("T1", &what, "s", first.all_running, &first).aim(size.pick(1.5, 0.15));
    out(Row { mesos: like_mesos(14.1), ..running });
    let what = format!("all FINISHED and acknowledged: {}", base.name());
    let ended = row("T2", &what, "s", first.all_settled, &first).aim(size.pick(2.5, 0.25));
    out(Row { mesos: like_mesos(25.0), ..ended });
    let what = format!("master CPU a task: {}", base.name());
    out(Row {
        mesos: like_mesos(490.0),
        ..row("T2", &what, "us", base.per_task(&first), &first).aim(25.0)
    });
    let what = "generator CPU a task, agents and framework together";
    let generator = first.generator_cpu * 1e6 / f64::from(tasks);
    out(row("T2", what, "us", generator, &first).aim(8.0));

    let json = Burst { codec: "json", ..base };
    let sockets = Burst { sockets: agents, ..base };
    for (burst, aim, mesos) in [(json, 60.0, Some(970.0)), (sockets, 25.0, None)] {
        let outcome = burst.play(stage)?;
        let what = format!("master CPU a task: {}", burst.name());
        let per_task = burst.per_task(&outcome);
        let mesos = mesos.and_then(like_mesos);
        out(Row { mesos, ..row("T3", &what, "us", per_task, &outcome).aim(aim) });
    }
    let flat = base.per_task(&first) * 1.1;
    let large = size.pick(
        [(10_000, 34.3, 724.0, 0.72), (50_000, 56.2, 1_449.0, 3.75)],
        [(500, 0.0, 0.0, 0.0), (1_000, 0.0, 0.0, 0.0)],
    );
    for (agents, all_ended, per_task, first_offer) in large {
        let burst = Burst { agents, ..base };
        let outcome = burst.play(stage)?;
        let what = format!("all FINISHED and acknowledged: {}", burst.name());
        let mut ended = row("T3", &what, "s", outcome.all_settled, &outcome);
        ended.mesos = like_mesos(all_ended);
        out(ended);
        let what = format!("master CPU a task: {}", burst.name());
        let cost = row("T3", &what, "us", burst.per_task(&outcome), &outcome).aim(flat);
        out(Row { mesos: like_mesos(per_task), ..cost });
        let what = format!("first offer after SUBSCRIBE: {}", burst.name());
        let offer = row("T3", &what, "ms", outcome.first_offer * 1e3, &outcome).aim(50.0);
        out(Row { mesos: like_mesos(first_offer * 1e3), ..offer });
    }
    Ok(())
}

/// T4: one task at a time.
pub(super) fn trickle(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let tasks = size.pick(2_000, 200);
    let master = stage.master()?;
    // Room for one task alone: each needs the next offer.
    let (_fleet, _) = fleet(stage, &master, 1, "cpus:1;mem:128", &[])?;
    let mut framework = stage.load(
        "framework",
        &master,
        &[
            format!("--tasks={tasks}"),
            "--serial".to_owned(),
            "--task-resources=cpus:1;mem:128".to_owned(),
        ],
    )?;
    let report = framework.report()?;
    framework.finish()?;
    let wall = number(&report, "/all_settled_s")?;
    let cpu = number(&report, "/master_cpu_s")? + number(&report, "/generator_cpu_s")?;
    let row = |what: &str, path| {
        let us = number(&report, path)? * 1e3;
        let what = format!("{what}, {tasks} tasks one at a time, 1 agent");
        Ok::<_, anyhow::Error>(Row::new("T4", what, "us", us).cost(wall, cpu))
    };
    out(row("ACCEPT to RUNNING p50", "/accept_to_running_ms/p50")?.aim(150.0));
    out(row("ACCEPT to RUNNING p99", "/accept_to_running_ms/p99")?.aim(1_000.0));
    let offer = row("task's end to next offer p50", "/free_to_offer_ms/p50")?.aim(1_000.0);
    // Mesos waits for its next allocation, each second.
    out(offer.mesos(1_000_000.0));
    out(row("task's end to next offer p99", "/free_to_offer_ms/p99")?.aim(1_000.0));
    Ok(())
}

/// Simulated agents, all registered, and how that went.
pub(super) fn fleet(
    stage: &Stage,
    master: &Master,
    count: u32,
    resources: &str,
    words: &[String],
) -> anyhow::Result<(Running, Value)> {
    let mut all = vec![format!("--count={count}"), format!("--resources={resources}")];
    all.extend_from_slice(words);
    let mut fleet = stage.load("agents", master, &all)?;
    let report = fleet.report()?;
    Ok((fleet, report))
}

/// A number of a report, by its JSON pointer.
pub(super) fn number(report: &Value, path: &str) -> anyhow::Result<f64> {
    report.pointer(path).and_then(Value::as_f64).with_context(|| format!("no {path} in {report}"))
}
