//! Checks of real tasks: commands, connections and requests.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use reeve_wire::v1::check_info::{self, Http};
use reeve_wire::v1::health_check::{self, HttpCheckInfo, TcpCheckInfo};
use reeve_wire::v1::network_info::Protocol;
use reeve_wire::v1::task_status::Reason;
use reeve_wire::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo, TaskState, TaskStatus};

use crate::rig::{Agent, Executor, gone, shell, task};
use TaskState::{TaskFinished, TaskKilled, TaskRunning, TaskStarting};

/// A health check that begins at once, is made often, and counts every failure.
fn health() -> HealthCheck {
    HealthCheck {
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.01),
        grace_period_seconds: Some(0.0),
        ..HealthCheck::default()
    }
}

fn health_command(command: CommandInfo) -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Command as i32),
        command: Some(command),
        ..health()
    }
}

fn health_tcp(port: u16, protocol: Protocol) -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Tcp as i32),
        tcp: Some(TcpCheckInfo { port: port.into(), protocol: Some(protocol as i32) }),
        ..health()
    }
}

fn health_http(port: u16, scheme: &str) -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Http as i32),
        http: Some(HttpCheckInfo {
            port: port.into(),
            scheme: Some(scheme.into()),
            path: Some("/health?deep=1".into()),
            ..HttpCheckInfo::default()
        }),
        ..health()
    }
}

fn check_http(port: u16) -> CheckInfo {
    CheckInfo {
        r#type: Some(check_info::Type::Http as i32),
        http: Some(Http { port: port.into(), path: None }),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.01),
        ..CheckInfo::default()
    }
}

/// A task that runs until it is told to end, and a health check of it.
fn sleeper(check: HealthCheck) -> TaskInfo {
    TaskInfo { health_check: Some(check), ..task(shell("exec sleep 1000")) }
}

/// An executor that has told that the task runs.
fn launch(task: TaskInfo) -> (Agent, Executor) {
    let mut agent = Agent::start(None);
    let executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    agent.launch_task(task);
    agent.expect(&[TaskStarting, TaskRunning]);
    (agent, executor)
}

/// Waits for the update of a running task that tells of its health.
fn health_changed(agent: &mut Agent) -> TaskStatus {
    let status = agent.expect(&[TaskRunning]);
    assert_eq!(status.reason, Some(Reason::TaskHealthCheckStatusUpdated as i32), "{status:?}");
    status
}

/// Waits until a task that was unhealthy once is killed for the third failure in a row.
fn killed(agent: &mut Agent) -> TaskStatus {
    for _ in 0..2 {
        assert_eq!(health_changed(agent).healthy, Some(false));
    }
    agent.expect(&[TaskKilled])
}

/// Answers each request with the next status, the last one for ever; says what is asked for.
fn serve(statuses: &'static [&'static str]) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, asked) = channel();
    thread::spawn(move || {
        let mut statuses = statuses.iter().peekable();
        let mut status = "";
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            status = statuses.next().unwrap_or(&status);
            let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
            drop(tell.send(lines.next().unwrap().unwrap()));
            lines
                .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
                .for_each(drop);
            write!(socket, "HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi").unwrap();
        }
    });
    (port, asked)
}

#[test]
fn a_command_decides_with_the_tasks_sandbox_and_its_own_environment() {
    let script = "echo \"$NAME\" >> probes; [ -e healthy ]";
    let mut command = shell(script);
    let name = reeve_wire::v1::environment::Variable {
        name: "NAME".into(),
        value: Some("check".into()),
        ..Default::default()
    };
    command.environment = Some(reeve_wire::v1::Environment { variables: vec![name] });
    let patient = HealthCheck { consecutive_failures: Some(u32::MAX), ..health_command(command) };
    let (mut agent, mut executor) = launch(sleeper(patient));
    let status = health_changed(&mut agent);
    assert_eq!(status.healthy, Some(false));
    let message = status.message.unwrap();
    assert_eq!(message, "COMMAND health check failed: Command exited with status 1");
    std::fs::write(executor.path("healthy"), "").unwrap();
    // Failures until then are told too.
    while health_changed(&mut agent).healthy != Some(true) {}
    agent.kill(Duration::from_secs(600));
    agent.expect(&[TaskKilled]);
    assert!(executor.wait().success());
    assert!(executor.read("probes").starts_with("check\ncheck\n"));
}

#[test]
fn what_a_command_prints_is_not_the_tasks_output() {
    let check = health_command(shell("echo from the check"));
    let (mut agent, mut executor) = launch(TaskInfo {
        health_check: Some(check),
        ..task(shell("while [ ! -e go ]; do sleep 0.01; done; echo from the task"))
    });
    assert_eq!(health_changed(&mut agent).healthy, Some(true));
    std::fs::write(executor.path("go"), "").unwrap();
    agent.expect(&[TaskFinished]);
    executor.wait();
    assert_eq!(executor.read("stdout"), "from the task\n");
    assert!(executor.read("stderr").contains("from the check"));
}

#[test]
fn a_task_that_stays_unhealthy_is_killed() {
    let (mut agent, mut executor) = launch(sleeper(health_command(shell("exit 7"))));
    assert_eq!(health_changed(&mut agent).healthy, Some(false));
    let last = killed(&mut agent);
    assert_eq!(last.healthy, Some(false));
    let message = last.message.unwrap();
    assert!(message.contains("COMMAND health check failed: Command exited with status 7"));
    assert!(message.contains("Command terminated with signal Terminated"), "{message}");
    assert!(executor.wait().success());
}

#[test]
fn a_command_that_hangs_is_killed_at_its_timeout() {
    let hanging = HealthCheck {
        timeout_seconds: Some(0.2),
        consecutive_failures: Some(1),
        ..health_command(shell("echo $$ > probe; sleep 1000; true"))
    };
    let (mut agent, executor) = launch(sleeper(hanging));
    let status = health_changed(&mut agent);
    assert!(status.message.unwrap().contains("No outcome within 200ms"));
    gone(&executor.line("probe"));
    agent.expect(&[TaskKilled]);
}

#[test]
fn a_command_under_way_ends_with_the_task() {
    let endless = HealthCheck {
        timeout_seconds: Some(0.0),
        ..health_command(shell("echo $$ > probe; exec sleep 1000"))
    };
    let (mut agent, mut executor) = launch(sleeper(endless));
    let probe = executor.line("probe");
    agent.kill(Duration::from_secs(600));
    agent.expect(&[TaskKilled]);
    assert!(!std::path::Path::new("/proc").join(probe).exists());
    assert!(executor.wait().success());
}

#[test]
fn a_command_that_is_not_there_is_a_failure_that_names_it() {
    let command = CommandInfo {
        shell: Some(false),
        value: Some("no-such-check".into()),
        ..CommandInfo::default()
    };
    let (mut agent, _executor) = launch(sleeper(health_command(command)));
    assert!(health_changed(&mut agent).message.unwrap().contains("no-such-check"));
    killed(&mut agent);
}

#[test]
fn a_port_is_healthy_while_somebody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mut agent, mut executor) = launch(sleeper(health_tcp(port, Protocol::IPv4)));
    assert_eq!(health_changed(&mut agent).healthy, Some(true));
    drop(listener);
    let status = health_changed(&mut agent);
    assert_eq!(status.healthy, Some(false));
    assert!(status.message.unwrap().contains(&format!("127.0.0.1:{port}")));
    killed(&mut agent);
    assert!(executor.wait().success());
}

#[test]
fn a_port_may_be_one_of_ipv6() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        println!("no IPv6 on this host: not tested");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let (mut agent, _executor) = launch(sleeper(health_tcp(port, Protocol::IPv6)));
    assert_eq!(health_changed(&mut agent).healthy, Some(true));
}

#[test]
fn a_path_is_asked_for_and_its_status_decides() {
    let (port, asked) = serve(&["302 Found", "500 Internal Server Error"]);
    let (mut agent, _executor) = launch(sleeper(health_http(port, "http")));
    assert_eq!(health_changed(&mut agent).healthy, Some(true));
    assert_eq!(asked.recv().unwrap(), "GET /health?deep=1 HTTP/1.1");
    let status = health_changed(&mut agent);
    assert_eq!(status.healthy, Some(false));
    let message = status.message.unwrap();
    assert_eq!(message, "HTTP health check failed: Unexpected HTTP status 500");
    assert_eq!(killed(&mut agent).healthy, Some(false));
}

/// A server that speaks TLS with a certificate that nobody signed; its port.
fn serve_tls(room: &Path) -> (Child, u16) {
    let (key, certificate) = (room.join("key.pem"), room.join("certificate.pem"));
    let openssl = || {
        let mut openssl = Command::new("openssl");
        openssl.stderr(Stdio::null());
        openssl
    };
    let made = openssl()
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "30", "-subj", "/CN=nobody"])
        .args([Path::new("-keyout"), &key, Path::new("-out"), &certificate])
        .status();
    assert!(made.unwrap().success());
    let mut server = openssl()
        .args(["s_server", "-www", "-accept", "127.0.0.1:0"])
        .args([Path::new("-key"), &key, Path::new("-cert"), &certificate])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let port = lines.map(Result::unwrap).find_map(|line| {
        line.strip_prefix("ACCEPT 127.0.0.1:").map(|port| port.trim().parse().unwrap())
    });
    (server, port.unwrap())
}

#[test]
fn a_check_over_tls_sees_answers_whoever_the_certificate_names() {
    let room = tempfile::tempdir().unwrap();
    let (mut server, port) = serve_tls(room.path());
    let (mut agent, _executor) = launch(sleeper(health_http(port, "https")));
    assert_eq!(health_changed(&mut agent).healthy, Some(true));
    server.kill().unwrap();
    server.wait().unwrap();
    let failed = health_changed(&mut agent);
    assert_eq!(failed.healthy, Some(false));
    let message = failed.message.unwrap();
    assert!(message.contains("HTTP health check failed: curl exited with status"), "{message}");
}

#[test]
fn a_general_check_tells_each_change_and_lets_the_task_be() {
    let (port, asked) = serve(&["200 OK", "200 OK", "503 Service Unavailable"]);
    let mut agent = Agent::start(None);
    let _executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    agent.launch_task(TaskInfo { check: Some(check_http(port)), ..task(shell("sleep 1000")) });
    let code = |status: TaskStatus| status.check_status.unwrap().http.unwrap().status_code;
    assert_eq!(code(agent.expect(&[TaskStarting, TaskRunning])), None);
    for expected in [200, 503] {
        let status = agent.expect(&[TaskRunning]);
        assert_eq!(status.reason, Some(Reason::TaskCheckStatusUpdated as i32));
        assert_eq!(code(status), Some(expected));
    }
    // It goes on, and the task lives until it is killed.
    for _ in 0..6 {
        assert_eq!(asked.recv().unwrap(), "GET / HTTP/1.1");
    }
    agent.kill(Duration::from_secs(600));
    agent.expect(&[TaskKilled]);
}

#[test]
fn a_server_without_an_answer_is_unhealthy_whatever_it_does() {
    let cases: [(&[u8], bool, &str); 4] = [
        (b"", true, "closed without an answer"),
        (b"I am not a web server\r\n\r\n", true, "not HTTP"),
        (b"", false, "No outcome within 200ms"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", false, "No outcome within 200ms"),
    ];
    for (answer, close, why) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut open = Vec::new();
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let lines = BufReader::new(socket.try_clone().unwrap()).lines();
                lines
                    .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
                    .for_each(drop);
                // The other side may have given up.
                drop(socket.write_all(answer));
                open.extend((!close).then_some(socket));
            }
        });
        let once = HealthCheck {
            timeout_seconds: Some(if close { 20.0 } else { 0.2 }),
            consecutive_failures: Some(1),
            ..health_http(port, "http")
        };
        let (mut agent, _executor) = launch(sleeper(once));
        let message = health_changed(&mut agent).message.unwrap();
        assert!(message.contains(why), "{message}");
        agent.expect(&[TaskKilled]);
    }
}
