//! What an agent finds when it starts again, changed or not, and what becomes of it.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reeve_tests::{Cluster, Scheduler, processes, until};
use serde_json::Value;

use crate::executors::{self, WAIT};
use crate::kills::end;

/// The agent's id and total, as its master has it.
fn known(cluster: &Cluster) -> (String, f64) {
    let agent = &cluster.master.get("/slaves")["slaves"][0];
    let id = agent["id"].as_str().expect("an id").to_owned();
    (id, agent["resources"]["cpus"].as_f64().expect("cpus"))
}

#[test]
fn own_executors_come_back_too() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.launch(executors::task(&scheduler, "long", WAIT));
    scheduler.state("long", "TASK_RUNNING");
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    scheduler.kill("long");
    scheduler.state("long", "TASK_KILLED");
}

#[test]
fn an_executor_that_hangs_is_ended() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("hung", "sleep 1000");
    processes::signal(cluster.room.executor().pid, Signal::SIGSTOP);
    cluster.restart_agent();
    let failed = scheduler.state("hung", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_EXECUTOR_REREGISTRATION_TIMEOUT", "{failed}");
    assert_eq!(failed["message"], "Executor did not reregister within 2secs", "{failed}");
    cluster.room.wait_empty();
}

#[test]
fn a_restart_for_an_upgrade_is_short_and_tasks_do_not_notice() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    for number in 0..5 {
        scheduler.run(&format!("task-{number}"), "sleep 1000");
    }
    let (id, _) = known(&cluster);
    cluster.agent.stop();
    let begin = Instant::now();
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    let took = begin.elapsed();
    // The aim is two seconds; a machine that compiles meanwhile gets some more.
    assert!(took < Duration::from_secs(8), "it took {took:?}");
    eprintln!("registered again with 5 tasks after {took:?}");
    assert_eq!(known(&cluster).0, id);
    assert_eq!(scheduler.reconciled(&["task-3"], "task-3")["state"], "TASK_RUNNING");
    let metrics = cluster.agent.get("/metrics/snapshot");
    let recovery = metrics["slave/recovery_time_secs"].as_f64().expect("a time");
    assert!(recovery > 0.0 && recovery < took.as_secs_f64(), "{recovery} s of {took:?}");
    assert_eq!(metrics["slave/recovery_errors"], 0.0);
}

#[test]
fn two_agents_do_not_share_their_directories() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("untouched", "sleep 1000");
    let process = cluster.room.task("sleep 1000").pid;
    let own = cluster.room.join("rival").display().to_string();
    for (own_one, shared) in [("runtime_dir", "--work_dir="), ("work_dir", "--runtime_dir=")] {
        let said = cluster.agent.rival_refused(&cluster.room, &[(own_one, &own)]);
        assert!(said.contains(shared) && said.contains("another agent (process "), "{said}");
    }
    assert_eq!(cluster.room.task("sleep 1000").pid, process);
    // Nothing of it stays when the agent is killed.
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    assert_eq!(scheduler.reconciled(&["untouched"], "untouched")["state"], "TASK_RUNNING");
}

#[test]
fn a_machine_that_grows_keeps_its_tasks() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("stays", "sleep 1000");
    let (id, _) = known(&cluster);
    cluster.agent.set("resources", "cpus:6;mem:4096;disk:4096;ports:[31000-31999]");
    cluster.agent.set("attributes", "rack:r1");
    cluster.restart_agent();
    until("the master to know", || (known(&cluster) == (id.clone(), 6.0)).then_some(()));
    assert_eq!(scheduler.offer()["attributes"][0]["name"], "rack");
    scheduler.kill("stays");
    scheduler.state("stays", "TASK_KILLED");
}

#[test]
fn a_machine_that_shrinks_says_what_to_do_and_runs_on_if_that_is_wanted() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut large = reeve_tests::scheduler::task("large", "sleep 1000");
    large["resources"][0]["scalar"]["value"] = 2.0.into();
    scheduler.launch(large);
    scheduler.state("large", "TASK_RUNNING");
    let (id, _) = known(&cluster);
    cluster.agent.set("resources", "cpus:1;mem:4096;disk:4096;ports:[31000-31999]");
    let said = cluster.agent.refused(&cluster.room);
    for part in ["resources was 'cpus:4;", "is 'cpus:1;", "--reconfiguration_policy=any"] {
        assert!(said.contains(part), "{said}");
    }
    cluster.room.task("sleep 1000");

    cluster.agent.set("reconfiguration_policy", "any");
    cluster.agent.set("hostname", "renamed");
    cluster.restart_agent();
    until("the master to know", || (known(&cluster) == (id.clone(), 1.0)).then_some(()));
    assert_eq!(cluster.master.get("/slaves")["slaves"][0]["hostname"], "renamed");
    assert!(cluster.agent.log().contains("it runs on"), "{}", cluster.agent.log());
    assert_eq!(scheduler.reconciled(&["large"], "large")["state"], "TASK_RUNNING");
    scheduler.kill("large");
    scheduler.state("large", "TASK_KILLED");
    // What was offered while it ran had no processors.
    let cpus = |offer: &Value| {
        offer["resources"].as_array()?.iter().find(|one| one["name"] == "cpus").cloned()
    };
    let offer = std::iter::repeat_with(|| scheduler.offer()).find(|offer| cpus(offer).is_some());
    let cpus = cpus(&offer.expect("an offer")).expect("cpus");
    assert_eq!(cpus["scalar"]["value"], 1.0);
}

#[test]
fn a_cleanup_ends_everything_and_the_next_start_is_a_new_agent() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("ended", "sleep 1000");
    let (id, _) = known(&cluster);
    cluster.agent.set("recover", "cleanup");
    cluster.restart_agent();
    assert!(cluster.agent.wait().success());
    cluster.room.wait_empty();
    cluster.agent.set("recover", "reconnect");
    cluster.restart_agent();
    until("a new agent", || (known(&cluster).0 != id).then_some(()));
    scheduler.run("next", "sleep 1000");
}

#[test]
fn a_reboot_keeps_the_name_and_loses_the_tasks() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("lost", "sleep 1000");
    let (id, _) = known(&cluster);
    cluster.agent.kill();
    cluster.room.processes().iter().for_each(processes::Process::kill);
    cluster.room.wait_empty();
    std::fs::remove_dir_all(cluster.room.join("agent-run")).expect("the runtime directory");
    let boot_id = cluster.agent.work_dir().join("meta/boot_id");
    let this = std::fs::read_to_string(&boot_id).expect("a boot id");
    std::fs::write(&boot_id, "another boot").expect("the boot id");
    cluster.restart_agent();
    let lost = end(&mut scheduler, "lost");
    assert_eq!((&lost["state"], &lost["message"]), (&"TASK_GONE".into(), &"Agent rebooted".into()));
    cluster.master.wait_agents(1);
    assert_eq!(known(&cluster).0, id);
    assert_eq!(std::fs::read_to_string(&boot_id).expect("a boot id"), this);
}

#[test]
fn a_damaged_checkpoint_costs_one_task_or_the_start() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("damaged", "sleep 1000");
    scheduler.run("whole", "sleep 1001");
    cluster.agent.kill();
    let meta = cluster.agent.work_dir().join("meta");
    let framework = meta.join("slaves/latest/frameworks").join(&scheduler.id);
    let info = framework.join("executors/damaged/executor.info");
    std::fs::write(&info, "").expect("the executor's record");
    cluster.agent.set("strict", "true");
    let said = cluster.agent.refused(&cluster.room);
    assert!(said.contains("executor.info' is empty; lost with that: executor damaged"), "{said}");
    cluster.agent.set("strict", "false");
    cluster.restart_agent();
    let lost = end(&mut scheduler, "damaged");
    assert_eq!(lost["reason"], "REASON_RECONCILIATION", "{lost}");
    assert_eq!(scheduler.reconciled(&["whole"], "whole")["state"], "TASK_RUNNING");
    assert!(cluster.agent.log().contains("a checkpoint is damaged"), "{}", cluster.agent.log());
    assert_eq!(std::fs::read_dir(meta.join("damaged")).expect("what is damaged").count(), 1);
    until("its container to be gone", || {
        let mut left = cluster.room.processes().into_iter();
        left.all(|one| !one.command.contains("sleep 1000")).then_some(())
    });
}

/// As on a work directory of Apache Mesos: nothing of ours knows the container.
#[test]
fn an_executor_of_another_agent_is_taken_over() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.launch(executors::task(&scheduler, "theirs", WAIT));
    scheduler.state("theirs", "TASK_RUNNING");
    cluster.agent.kill();
    std::fs::remove_dir_all(cluster.room.join("agent-run")).expect("the runtime directory");
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    assert!(cluster.agent.log().contains("launched by another program"), "{}", cluster.agent.log());
    assert_eq!(scheduler.reconciled(&["theirs"], "theirs")["state"], "TASK_RUNNING");
    scheduler.teardown();
    cluster.room.wait_empty();
}
