//! Operators take agents and machines out of use, and bring them back (docs/maintenance.md).

use reeve_tests::scheduler::task;
use reeve_tests::{Agent, Cluster, Master, Scheduler, processes, until};
use serde_json::{Value, json};

/// What `reeve` says, which must succeed, to a command about this master.
fn reeve(cluster: &Cluster, words: &[&str]) -> String {
    let (output, said) = run(cluster, words);
    assert!(output, "{words:?}:\n{said}");
    said
}

fn run(cluster: &Cluster, words: &[&str]) -> (bool, String) {
    let mut command = cluster.room.tool("reeve");
    command.args(words).arg(format!("--master={}", cluster.master.address));
    let output = processes::run(&mut command);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn id(master: &Master) -> String {
    master.until("an agent", "/slaves", |all| Some(all["slaves"][0]["id"].as_str()?.to_owned()))
}

fn slave(all: &Value) -> &Value {
    &all["slaves"][0]
}

#[test]
fn an_agent_is_drained_over_restarts_of_master_and_agent() {
    let mut cluster = Cluster::start();
    let agent = id(&cluster.master);
    let mut scheduler = Scheduler::new(cluster.master.address);
    // It does not end when it is asked to, so the drain lasts.
    scheduler.run("stubborn", "trap '' TERM; echo up; while true; do sleep 1; done");
    reeve(&cluster, &["agent", "drain", &agent, "--max_grace_period=8secs"]);
    assert!(reeve(&cluster, &["agent", "list"]).contains("draining"));
    assert_eq!(cluster.agent.get("/state")["drain_config"]["mark_gone"], false);
    let (done, why) = run(&cluster, &["agent", "reactivate", &agent]);
    assert!(!done && why.contains("still in the DRAINING state"), "{why}");

    cluster.restart_agent();
    let killed = scheduler.state("stubborn", "TASK_KILLED");
    assert_eq!(killed["reason"], "REASON_AGENT_DRAINING", "{killed:#}");
    cluster.master.until("the agent to be drained", "/slaves", |all| {
        (slave(all)["drain_info"]["state"] == "DRAINED").then_some(())
    });
    until("the agent to have ended the drain", || {
        cluster.agent.get("/state").get("drain_config").is_none().then_some(())
    });

    cluster.restart_master();
    let back = cluster.master.until("the agent to be back", "/slaves", |all| {
        slave(all)["id"].is_string().then(|| slave(all).clone())
    });
    assert_eq!((&back["active"], &back["deactivated"]), (&false.into(), &true.into()));
    reeve(&cluster, &["agent", "reactivate", &agent]);
    cluster.master.wait_agents(1);
    assert!(reeve(&cluster, &["agent", "list"]).contains("  active"));
    Scheduler::new(cluster.master.address).launch(task("again", "true"));
}

#[test]
fn an_agent_that_is_drained_for_good_ends() {
    let mut cluster = Cluster::start();
    let agent = id(&cluster.master);
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "sleep 1000");
    reeve(&cluster, &["agent", "drain", &agent, "--mark_gone"]);
    let ended = scheduler.state("sleeper", "TASK_GONE_BY_OPERATOR");
    assert_eq!(ended["reason"], "REASON_AGENT_DRAINING");
    assert!(cluster.agent.wait().success());
    assert!(reeve(&cluster, &["agent", "list"]).is_empty());
}

#[test]
fn a_machine_is_scheduled_down_and_up() {
    let mut cluster = Cluster::start();
    let machine = format!("localhost/{}", cluster.room.ip);
    let mut scheduler = Scheduler::new(cluster.master.address);
    assert!(scheduler.offer().get("unavailability").is_none());
    reeve(&cluster, &["maintenance", "schedule", "localhost", "--in=2hrs", "--for=1hrs"]);
    scheduler.event("RESCIND");
    let told = scheduler.offer();
    assert_eq!(told["unavailability"]["duration"]["nanoseconds"], 3_600_000_000_000_i64);
    let status = reeve(&cluster, &["maintenance", "status"]);
    assert!(status.starts_with(&format!("{machine}  to be down, in ")), "{status}");

    reeve(&cluster, &["maintenance", "start", "localhost"]);
    assert!(cluster.agent.wait().success(), "it is shut down");
    assert!(reeve(&cluster, &["maintenance", "status"]).contains("  down, "));
    let mut again =
        Agent::named(&cluster.room, "again", None, &cluster.master.address.to_string(), &[]);
    assert!(again.wait().success(), "and sent away");
    assert!(again.log().contains("Machine is `DOWN`"), "{}", again.log());

    reeve(&cluster, &["maintenance", "stop", &machine]);
    again.restart(&cluster.room);
    cluster.master.wait_agents(1);
    assert!(reeve(&cluster, &["maintenance", "status"]).is_empty());
}

#[test]
fn an_agent_that_is_lost_for_good_is_said_to_be_gone() {
    let mut cluster = Cluster::start();
    let agent = id(&cluster.master);
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "sleep 1000");
    reeve(&cluster, &["agent", "gone", &agent]);
    scheduler.state("sleeper", "TASK_GONE_BY_OPERATOR");
    assert!(cluster.agent.wait().success());
    assert!(reeve(&cluster, &["agent", "list"]).is_empty());
}

#[test]
fn frameworks_say_whether_a_machine_may_go() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "sleep 1000");
    // What is left is for others.
    scheduler.accepted(json!({"type": "SUPPRESS"}));
    reeve(&cluster, &["maintenance", "schedule", "localhost", "--in=2hrs"]);
    let status = |wanted: &str| {
        until(&format!("'{wanted}' in the status"), || {
            reeve(&cluster, &["maintenance", "status"]).contains(wanted).then_some(())
        });
    };
    let asked = scheduler.event("INVERSE_OFFERS");
    let offer = asked["inverse_offers"]["inverse_offers"][0].clone();
    assert!(offer["unavailability"]["start"]["nanoseconds"].is_number(), "{offer:#}");
    status("\n    not answered yet by ");
    let answer = |scheduler: &Scheduler, kind: &str, offer: &Value, refuse: f64| {
        let filters = json!({"refuse_seconds": refuse});
        let answer = json!({"inverse_offer_ids": [offer["id"]], "filters": filters});
        let call = format!("{kind}_INVERSE_OFFERS");
        scheduler.accepted(json!({"type": call, call.to_lowercase(): answer}));
    };
    answer(&scheduler, "DECLINE", &offer, 0.0);
    status("\n    declined ");
    // Others run what they want meanwhile, and need not know of such things.
    let mut execute = cluster.room.tool("mesos-execute");
    execute.arg(format!("--master={}", cluster.master.address));
    let output = processes::run(execute.args(["--name=other", "--command=true"]));
    assert!(output.status.success(), "{output:?}");

    let again = scheduler.event("INVERSE_OFFERS");
    answer(&scheduler, "ACCEPT", &again["inverse_offers"]["inverse_offers"][0], 1000.0);
    status("\n    accepted ");
    reeve(&cluster, &["maintenance", "schedule", "localhost", "--cancel"]);
    assert!(reeve(&cluster, &["maintenance", "status"]).is_empty());
}
