use super::*;

fn request(flags: &[&str]) -> Result<Request, Wrong> {
    let words: Vec<String> =
        std::iter::once("mesos-execute").chain(flags.iter().copied()).map(str::to_owned).collect();
    refused(&words)?;
    let arguments = Arguments::try_parse_from(&words).expect("clap takes the flags");
    arguments.request("someone".to_owned(), "here".to_owned())
}

fn resources(text: &str) -> Resources {
    Resources::parse(text, &Role::any()).expect("resources")
}

const SEED: &[&str] = &[
    "--master=127.0.1.1:5050",
    "--name=my-first-task",
    "--command=echo hello world && sleep 10",
    "--resources=cpus:1;mem:128",
];

fn with<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    SEED.iter().copied().chain(flags.iter().copied()).collect()
}

#[test]
fn the_tutorials_line_is_understood() {
    let request = request(SEED).expect("a request");
    assert_eq!(request.task.task_id.value, "my-first-task");
    let command = request.task.command.expect("a command");
    assert_eq!(command.value.as_deref(), Some("echo hello world && sleep 10"));
    assert_eq!(command.shell, Some(true));
    assert_eq!(request.resources, resources("cpus:1;mem:128"));
}

#[test]
fn without_a_shell_the_words_are_arguments() {
    let request = request(&with(&["--no-shell"])).expect("a request");
    let command = request.task.command.expect("a command");
    assert_eq!(command.value.as_deref(), Some("echo"));
    assert_eq!(command.arguments[..3], ["echo", "hello", "world"]);
}

#[test]
fn malformed_resources_are_refused_with_the_place() {
    let flags = ["--master=m:1", "--name=n", "--command=c", "--resources=cpus:1;mem:12x"];
    let error = request(&flags).expect_err("refused").to_string();
    assert!(error.starts_with("--resources=cpus:1;mem:12x: "), "{error}");
    assert!(error.chars().any(|c| c.is_ascii_digit()), "{error}");
}

#[test]
fn flags_that_do_not_apply_say_what_to_do() {
    for (flag, way_out) in [
        ("--docker_image=busybox", "--containerizer=docker"),
        ("--containerizer=docker", "--docker_image is missing"),
        ("--containerizer=rkt", "`mesos` or `docker`"),
        ("--networks=mine", "--containerizer=docker"),
        ("--appc_image=x", "--docker_image"),
    ] {
        let error = request(&with(&[flag])).expect_err("refused").to_string();
        assert!(error.contains(way_out), "{error}");
    }
    let error = request(&with(&["--tty"])).expect_err("refused");
    assert!(error.to_string().contains("--tty"), "{error}");
}

#[test]
fn an_image_may_run_by_itself_or_with_a_command() {
    let docker = ["--containerizer=docker", "--docker_image=nginx:1"];
    let plain = ["--master=m:1", "--name=n"];
    let alone = request(&[&plain[..], &docker[..]].concat()).expect("a request").task;
    let command = alone.command.expect("a command");
    assert_eq!((command.shell, command.value), (Some(false), None));
    let container = alone.container.expect("a container");
    assert_eq!(container.r#type(), v1::container_info::Type::Docker);
    assert_eq!(container.docker.expect("a DockerInfo").image, "nginx:1");

    let more = [
        "--no-shell",
        "--networks=mine",
        r#"--volumes=[{"container_path": "/a", "host_path": "/b", "mode": "RO"}]"#,
    ];
    let task = request(&with(&[&docker[..], &more[..]].concat())).expect("a request").task;
    let command = task.command.expect("a command");
    assert_eq!(command.value.as_deref(), Some("echo"));
    assert_eq!(command.arguments[..2], ["hello", "world"]);
    let container = task.container.expect("a container");
    assert_eq!(container.network_infos[0].name.as_deref(), Some("mine"));
    assert_eq!(container.volumes[0].container_path, "/a");
}

#[test]
fn a_whole_task_may_come_as_json() {
    let task = r#"--task={"name":"t","task_id":{"value":"t1"},"command":{"value":"true"},
        "resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.5}}]}"#;
    let request = request(&["--master=m:1", task]).expect("a request");
    assert_eq!(request.task.task_id.value, "t1");
    assert_eq!(request.resources, resources("cpus:0.5"));
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(request(&["--name=n", "--command=c"]).expect_err("no"), Wrong::Missing("master"));
    assert_eq!(request(&["--master=m:1", "--command=c"]).expect_err("no"), Wrong::Missing("name"));
    assert_eq!(request(&["--master=m:1", "--name=n"]).expect_err("no"), Wrong::Missing("command"));
}

#[test]
fn flags_are_spelt_as_in_mesos() {
    let flags = with(&["--kill_after=30secs", "--content_type=json", "--no-partition_aware"]);
    let request = request(&flags).expect("a request");
    assert_eq!(request.kill_after, Some(Duration::from_secs(30)));
    assert!(request.json);
    let aware = v1::framework_info::capability::Type::PartitionAware;
    assert!(request.framework.capabilities.iter().all(|one| one.r#type() != aware));
}
