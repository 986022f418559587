//! Checks of tasks in containers: they see what the task sees.

use serde_json::{Value, json};

use super::{Dock, task};

const QUICK: (&str, f64) = ("interval_seconds", 0.1);

fn checked(id: &str, script: &str, network: &str, check: Value, health: Value) -> Value {
    let mut task = task(id, script, json!({"network": network}));
    let with_times = |mut check: Value| {
        check["delay_seconds"] = json!(0.0);
        check[QUICK.0] = json!(QUICK.1);
        check
    };
    task["check"] = with_times(check);
    task["health_check"] = with_times(health);
    task
}

#[test]
fn commands_run_inside_and_ports_are_the_containers() {
    let Some(mut dock) = Dock::start("posix,docker") else { return };
    let script = "echo inside > /mark; echo page > /index.html; exec httpd -f -h /";
    // Both the file and port 80 are in the container alone.
    let command = json!({"command": {"value": "[ \"$(cat /mark)\" = $WORD ]; exit $((5 + $?))",
        "environment": {"variables": [{"name": "WORD", "value": "inside"}]}}});
    let check = json!({"type": "COMMAND", "command": command});
    let http = json!({"port": 80, "path": "/index.html", "scheme": "http"});
    let health = json!({"type": "HTTP", "http": http, "grace_period_seconds": 60.0});
    dock.scheduler.launch(checked("web", script, "BRIDGE", check, health));
    let (mut healthy, mut code) = (false, Value::Null);
    while !healthy || code != 5 {
        let status = dock.scheduler.state("web", "TASK_RUNNING");
        healthy |= status["healthy"] == true;
        let told = &status["check_status"]["command"]["exit_code"];
        if told.is_number() {
            code = told.clone();
        }
    }
    dock.kill("web");
    dock.wait_empty();

    let health = json!({"type": "COMMAND", "command": {"value": "test -e /mark"},
        "consecutive_failures": 2, "grace_period_seconds": 0.0});
    let tcp = json!({"type": "TCP", "tcp": {"port": 31_900}});
    let sick = "while :; do sleep 0.1; done";
    dock.scheduler.launch(checked("sick", sick, "HOST", tcp, health));
    let killed = dock.scheduler.state("sick", "TASK_KILLED");
    assert_eq!(killed["healthy"], false, "{killed}");
    dock.wait_empty();
}
