//! What tools look at: paths, and Mesos's keys.

use reeve_tests::scheduler::task;
use reeve_tests::{Cluster, Scheduler, http};

use crate::has_keys;

const STATE: &str = "version build_date build_time build_user start_time elected_time id pid \
    hostname capabilities activated_slaves deactivated_slaves unreachable_slaves leader \
    leader_info cluster flags slaves recovered_slaves frameworks completed_frameworks \
    orphan_tasks unregistered_frameworks";
const SLAVE: &str = "id hostname port attributes pid registered_time resources used_resources \
    offered_resources reserved_resources unreserved_resources active version capabilities";
const FRAMEWORK: &str = "id name user failover_timeout checkpoint registered_time active \
    connected recovered role capabilities hostname webui_url resources used_resources \
    offered_resources tasks completed_tasks unreachable_tasks offers executors";
const TASK: &str = "id name framework_id executor_id slave_id state resources role statuses";
const METRICS: &str = "master/uptime_secs master/elected master/slaves_active master/tasks_running \
    master/cpus_total master/cpus_used master/mem_percent master/frameworks_active \
    system/cpus_total system/load_1min";
const AGENT_STATE: &str = "version start_time id pid hostname resources attributes \
    reserved_resources unreserved_resources master_hostname flags frameworks completed_frameworks";
const EXECUTOR: &str = "id name source container directory resources tasks queued_tasks \
    completed_tasks";
const CONTAINER: &str = "framework_id executor_id executor_name source container_id status \
    statistics";
const STATISTICS: &str = "timestamp cpus_user_time_secs cpus_system_time_secs cpus_limit \
    mem_rss_bytes mem_limit_bytes";

#[test]
fn a_masters_endpoints_have_the_keys_of_mesos() {
    let cluster = Cluster::with(&["--cluster=test"], &["--attributes=rack:r7"]);
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "sleep 1000");
    let master = &cluster.master;

    let state = master.until("the task to run", "/state", |state| {
        let running = state["frameworks"][0]["tasks"][0]["state"] == "TASK_RUNNING";
        running.then(|| state.clone())
    });
    has_keys("/state", &state, STATE);
    has_keys("a slave", &state["slaves"][0], SLAVE);
    assert_eq!(state["slaves"][0]["attributes"]["rack"], "r7");
    has_keys("a framework", &state["frameworks"][0], FRAMEWORK);
    has_keys("a task", &state["frameworks"][0]["tasks"][0], TASK);
    has_keys("/master/state", &master.get("/master/state"), STATE);

    let summary = master.get("/state-summary");
    has_keys("/state-summary", &summary, "hostname cluster slaves frameworks");
    has_keys("a slave in short", &summary["slaves"][0], "id TASK_RUNNING framework_ids");
    has_keys("a framework in short", &summary["frameworks"][0], "id TASK_RUNNING slave_ids");
    let slaves = master.get("/slaves");
    let full = "reserved_resources_full unreserved_resources_full used_resources_full";
    has_keys("a slave in full", &slaves["slaves"][0], full);
    has_keys("/slaves", &slaves, "slaves recovered_slaves");
    let frameworks = "frameworks completed_frameworks unregistered_frameworks";
    has_keys("/frameworks", &master.get("/frameworks"), frameworks);
    assert_eq!(master.get("/tasks")["tasks"][0]["id"], "sleeper");
    has_keys("a role", &master.get("/roles")["roles"][0], "name weight resources frameworks");
    has_keys("/metrics/snapshot", &master.get("/metrics/snapshot"), METRICS);
    assert_eq!(master.get("/metrics/snapshot")["master/tasks_running"], 1.0);
    assert_eq!(master.get("/flags")["flags"]["cluster"], "test");
    has_keys("/version", &master.get("/version"), "version build_date build_time build_user");
    assert_eq!(http::get(master.address, "/health").status(), 200);
    let redirect = http::get(master.address, "/redirect");
    assert_eq!(redirect.status(), 307);
    assert!(redirect.head.header("Location").ends_with(&format!(":{}", master.address.port())));
}

#[test]
fn an_agents_endpoints_have_the_keys_of_mesos() {
    let cluster = Cluster::with(&[], &["--attributes=rack:r7"]);
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "echo here; sleep 1000");
    let agent = &cluster.agent;

    let state = agent.get("/state");
    has_keys("/state", &state, AGENT_STATE);
    assert_eq!(state["attributes"]["rack"], "r7");
    let executor = &state["frameworks"][0]["executors"][0];
    has_keys("an executor", executor, EXECUTOR);
    has_keys("a task", &executor["tasks"][0], TASK);
    has_keys("/slave(1)/state", &agent.get("/slave(1)/state"), AGENT_STATE);

    let containers = agent.get("/containers");
    has_keys("a container", &containers[0], CONTAINER);
    let usage = agent.get("/monitor/statistics");
    has_keys("a usage", &usage[0], "executor_id executor_name framework_id source statistics");
    has_keys("statistics", &usage[0]["statistics"], STATISTICS);
    assert!(usage[0]["statistics"]["mem_rss_bytes"].as_f64() > Some(0.0), "{usage}");

    let directory = executor["directory"].as_str().unwrap();
    let files = agent.get(&format!("/files/browse?path={directory}"));
    let names: Vec<_> = files.as_array().unwrap().iter().map(|file| &file["path"]).collect();
    assert_eq!(names, [&format!("{directory}/stderr"), &format!("{directory}/stdout")]);
    has_keys("a file", &files[0], "gid mode mtime nlink path size uid");
    assert_eq!(agent.read(&format!("{directory}/stdout")), "here\n");
    let (framework, container) = (&scheduler.id, "runs/latest");
    let known_as = format!("/frameworks/{framework}/executors/sleeper/{container}/stdout");
    assert_eq!(agent.read(&known_as), "here\n");
    assert_eq!(http::get(agent.address, "/files/read?path=/etc/passwd").status(), 404);
    let download = http::get(agent.address, &format!("/files/download?path={directory}/stdout"));
    assert_eq!(download.text(), "here\n");

    assert_eq!(http::get(agent.address, "/health").status(), 200);
    has_keys("/version", &agent.get("/version"), "version");
    has_keys("/flags", &agent.get("/flags")["flags"], "work_dir master resources");
    assert_eq!(agent.get("/metrics/snapshot")["slave/tasks_running"], 1.0);
}

#[test]
fn ended_tasks_are_told_in_pages() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let offer = scheduler.offer();
    scheduler.launch_on(&offer, &[task("a", "true"), task("b", "true")]);
    scheduler.state("a", "TASK_FINISHED");
    scheduler.state("b", "TASK_FINISHED");
    let count = |path: &str| cluster.master.get(path)["tasks"].as_array().map(Vec::len);
    cluster.master.until("both tasks", "/tasks", |answer| {
        let tasks = answer["tasks"].as_array()?;
        tasks.iter().all(|task| task["state"] == "TASK_FINISHED").then_some(())
    });
    assert_eq!(count("/tasks"), Some(2));
    assert_eq!(count("/tasks?limit=1"), Some(1));
    assert_eq!(count("/tasks?task_id=b"), Some(1));
    assert_eq!(count("/tasks?framework_id=other"), Some(0));
}
