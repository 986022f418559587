use reeve_module_sdk::isolator::{Grants, Ports, Scalar};
use reeve_module_sdk::std_types::RSome;

use super::*;
use crate::message::{
    CommandInfo, DockerVolume, HostPath, Mode, MountPropagation, Network, NetworkInfo, Parameter,
    Parameters, PortMapping, Present, SandboxPath, Source, Volume,
};

const SITE: Site<'static> = Site {
    agent: "/run/reeve/docker",
    sandbox: "/mnt/mesos/sandbox",
    cpu: Cpu::Weight,
    host_memory: 1 << 30,
};

fn scalar(name: &str, thousandths: i64) -> Scalar {
    Scalar { name: name.into(), thousandths }
}

fn container() -> Container {
    let requests = vec![scalar("cpus", 1_500), scalar("mem", 64_000)];
    let ports = vec![Ports { first: 31_000, last: 31_002 }];
    Container {
        id: "c-1".into(),
        framework: "f".into(),
        executor: "e".into(),
        task: RSome("t".into()),
        sandbox: "/var/lib/reeve/box".into(),
        grants: Grants { requests: requests.into(), ports: ports.into(), ..Grants::default() },
        ..Container::default()
    }
}

fn docker() -> DockerInfo {
    DockerInfo { image: "busybox:1".to_owned(), ..DockerInfo::default() }
}

fn made(info: &ContainerInfo, docker: &DockerInfo) -> Result<Value, Refused> {
    body(&SITE, &container(), info, docker, None)
}

fn with(network: Network, info: &ContainerInfo) -> Result<Value, Refused> {
    made(info, &DockerInfo { network: Some(network as i32), ..docker() })
}

fn refused(info: &ContainerInfo, docker: &DockerInfo) -> String {
    made(info, docker).expect_err("refused").to_string()
}

#[test]
fn a_plain_container_has_its_sandbox_resources_and_labels() {
    let body = made(&ContainerInfo::default(), &docker()).unwrap();
    assert_eq!(body["Image"], "busybox:1");
    let labels = json!({
        "reeve.runtime_dir": "/run/reeve/docker", "reeve.container": "c-1",
        "reeve.framework": "f", "reeve.executor": "e", "reeve.task": "t",
    });
    assert_eq!(body["Labels"], labels);
    let host = json!({
        "Privileged": false, "NetworkMode": "host", "CpuShares": 1_536, "Memory": 64 << 20,
        "Mounts": [
            { "Type": "bind", "Source": "/var/lib/reeve/box", "Target": "/mnt/mesos/sandbox" },
        ],
    });
    assert_eq!(body["HostConfig"], host);
    let env = ["MESOS_SANDBOX=/mnt/mesos/sandbox", "MESOS_DIRECTORY=/mnt/mesos/sandbox"];
    assert_eq!(body["Env"], json!([env[0], env[1], "MESOS_CONTAINER_NAME=reeve-c-1"]));
    assert_eq!((&body["Cmd"], &body["Entrypoint"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_command_runs_as_mesos_runs_it() {
    let put = |command: CommandInfo| {
        let mut body = json!({});
        Words::of(&command).map(|words| words.put(&mut body)).map(|()| body)
    };
    let value = Some("echo $A".to_owned());
    let shell = CommandInfo { value: value.clone(), ..CommandInfo::default() };
    let expected = json!({ "Entrypoint": ["/bin/sh"], "Cmd": ["-c", "echo $A"] });
    assert_eq!(put(shell), Ok(expected));
    // Without a shell all words are for the image's entry point.
    let arguments = vec!["a".to_owned(), "b".to_owned()];
    let plain = CommandInfo { value, shell: Some(false), arguments, ..CommandInfo::default() };
    assert_eq!(put(plain.clone()), Ok(json!({ "Cmd": ["echo $A", "a", "b"] })));
    assert_eq!(put(CommandInfo { value: None, ..plain }), Ok(json!({ "Cmd": ["a", "b"] })));
    let image = CommandInfo { shell: Some(false), ..CommandInfo::default() };
    assert_eq!(put(image), Ok(json!({})));
    assert!(put(CommandInfo::default()).unwrap_err().to_string().contains("'shell' to false"));
    let mut body = json!({});
    Words::of_arguments(&["/bin/a".to_owned(), "b".to_owned()]).put(&mut body);
    assert_eq!(body, json!({ "Entrypoint": ["/bin/a"], "Cmd": ["b"] }));
}

#[test]
fn ports_are_mapped_if_they_were_granted() {
    let mapping = |host_port, container_port, protocol: Option<&str>| PortMapping {
        host_port,
        container_port,
        protocol: protocol.map(str::to_owned),
    };
    let bridge = |port_mappings| DockerInfo {
        network: Some(Network::Bridge as i32),
        port_mappings,
        ..docker()
    };
    let none = ContainerInfo::default();
    let both = vec![mapping(31_000, 80, None), mapping(31_002, 53, Some("UDP"))];
    let body = made(&none, &bridge(both)).unwrap();
    let expected =
        json!({ "80/tcp": [{ "HostPort": "31000" }], "53/udp": [{ "HostPort": "31002" }] });
    assert_eq!(body["HostConfig"]["PortBindings"], expected);
    assert_eq!(body["ExposedPorts"], json!({ "80/tcp": {}, "53/udp": {} }));
    let why = |one: PortMapping| refused(&none, &bridge(vec![one]));
    assert!(why(mapping(31_003, 80, None)).contains("31003"));
    assert!(why(mapping(0, 80, None)).contains("host_port"));
    assert!(why(mapping(31_000, 70_000, None)).contains("container_port"));
    assert!(why(mapping(31_000, 80, Some("http"))).contains("'http'"));
    let host = DockerInfo { port_mappings: vec![mapping(31_000, 80, None)], ..docker() };
    assert!(refused(&none, &host).contains("BRIDGE"));
}

#[test]
fn networks_and_host_names_go_together_as_in_mesos() {
    let mode = |network, info: &ContainerInfo| {
        with(network, info).map(|body| body["HostConfig"]["NetworkMode"].clone())
    };
    let none = ContainerInfo::default();
    assert_eq!(mode(Network::Bridge, &none), Ok(json!("bridge")));
    assert_eq!(mode(Network::None, &none), Ok(json!("none")));
    assert!(mode(Network::User, &none).is_err());
    let network = |name: &str| NetworkInfo { name: Some(name.to_owned()) };
    let of = |network_infos| ContainerInfo { network_infos, ..ContainerInfo::default() };
    assert_eq!(mode(Network::User, &of(vec![network("blue")])), Ok(json!("blue")));
    assert!(mode(Network::User, &of(vec![network("blue"), network("red")])).is_err());
    let named = ContainerInfo { hostname: Some("web".to_owned()), ..ContainerInfo::default() };
    assert!(mode(Network::Host, &named).is_err());
    assert_eq!(with(Network::Bridge, &named).unwrap()["Hostname"], "web");
    let unknown = DockerInfo { network: Some(9), ..docker() };
    assert!(refused(&none, &unknown).contains('9'));
}

fn volume(container_path: &str, host_path: Option<&str>, source: Option<Source>) -> Volume {
    let mode = Some(Mode::ReadOnly as i32);
    let host_path = host_path.map(str::to_owned);
    Volume { container_path: container_path.to_owned(), host_path, mode, image: None, source }
}

#[test]
fn volumes_come_from_host_sandbox_and_drivers() {
    let parameter = vec![Parameter { key: "size".to_owned(), value: "1".to_owned() }];
    let docker_volume = Some(DockerVolume {
        driver: Some("rex".to_owned()),
        name: "disk".to_owned(),
        driver_options: Some(Parameters { parameter }),
    });
    let path = "/srv".to_owned();
    let mount_propagation = Some(MountPropagation { mode: Some(2) });
    let host_path = Some(HostPath { path, mount_propagation });
    let sandbox_path = Some(SandboxPath { kind: Some(1), path: "own".to_owned() });
    let volumes = vec![
        volume("/etc/x", Some("/etc/x"), None),
        volume("/data", Some("data/1"), None),
        volume("cache", None, None),
        volume("/disk", None, Some(Source { docker_volume, ..Source::default() })),
        volume("/srv", None, Some(Source { host_path, ..Source::default() })),
        volume("/own", None, Some(Source { sandbox_path, ..Source::default() })),
    ];
    let info = ContainerInfo { volumes, ..ContainerInfo::default() };
    let body = made(&info, &docker()).unwrap();
    assert_eq!(body["HostConfig"]["Binds"], json!(["/etc/x:/etc/x:ro", "/srv:/srv:ro,rshared"]));
    let mounts = body["HostConfig"]["Mounts"].as_array().unwrap();
    let driver = json!({ "Name": "rex", "Options": { "size": "1" } });
    let expected = [
        json!({ "Type": "bind", "Source": "/var/lib/reeve/box/data/1", "Target": "/data", "ReadOnly": true }),
        json!({ "Type": "volume", "Target": "/mnt/mesos/sandbox/cache" }),
        json!({
            "Type": "volume", "Source": "disk", "Target": "/disk", "ReadOnly": true,
            "VolumeOptions": { "DriverConfig": driver },
        }),
        json!({ "Type": "bind", "Source": "/var/lib/reeve/box/own", "Target": "/own", "ReadOnly": true }),
    ];
    assert_eq!(mounts[1..], expected);
    assert_eq!(in_sandbox(&info, &docker()), ["data/1", "own"]);
    // With a driver, what is no path is the name of a volume.
    let docker = DockerInfo { volume_driver: Some("rex".to_owned()), ..docker() };
    let volumes = vec![volume("/disk", Some("disk"), None)];
    let info = ContainerInfo { volumes, ..ContainerInfo::default() };
    let body = made(&info, &docker).unwrap();
    assert_eq!(body["HostConfig"]["Mounts"][1]["Source"], "disk");
    assert!(in_sandbox(&info, &docker).is_empty());
}

#[test]
fn volumes_that_cannot_be_are_refused() {
    let why = |volume| {
        let volumes = vec![volume];
        refused(&ContainerInfo { volumes, ..ContainerInfo::default() }, &docker())
    };
    assert!(why(volume("", None, None)).contains("container_path"));
    assert!(why(volume("/a", Some("../b"), None)).contains("'../b'"));
    assert!(why(volume("../a", Some("/b"), None)).contains("'../a'"));
    assert!(why(volume("/a", Some("/b:c"), None)).contains("'/b:c'"));
    assert!(why(volume("/a", Some("/b"), Some(Source::default()))).contains("both"));
    assert!(why(volume("/a", None, Some(Source::default()))).contains("DOCKER_VOLUME"));
    let parent = Some(SandboxPath { kind: Some(2), path: "x".to_owned() });
    let source = Some(Source { sandbox_path: parent, ..Source::default() });
    assert!(why(volume("/a", None, source)).contains("parent"));
    let image = Volume { image: Some(Present {}), ..volume("/a", None, None) };
    assert!(why(image).contains("image"));
}

fn parametrised(parameters: &[(&str, &str)]) -> DockerInfo {
    let parameter = |(key, value): &(&str, &str)| Parameter {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    DockerInfo { parameters: parameters.iter().map(parameter).collect(), ..docker() }
}

#[test]
fn parameters_are_those_of_docker_run() {
    let docker = parametrised(&[
        ("user", "1000:1000"),
        ("cap-add", "NET_ADMIN"),
        ("cap-add", "SYS_TIME"),
        ("device", "/dev/null:/dev/zilch:r"),
        ("device", "/dev/zero"),
        ("e", "A=1"),
        ("label", "team=blue"),
        ("ulimit", "nofile=10:20"),
        ("tmpfs", "/run:size=1m"),
        ("log-opt", "max-size=1m"),
        ("shm-size", "1.5g"),
        ("memory-swap", "-1"),
        ("init", ""),
        ("read-only", "true"),
        ("sysctl", "net.core.somaxconn=9"),
        ("entrypoint", "/bin/x"),
        ("volume", "/a:/b:ro"),
    ]);
    let body = made(&ContainerInfo::default(), &docker).unwrap();
    let host = &body["HostConfig"];
    assert_eq!(body["User"], "1000:1000");
    assert_eq!(host["CapAdd"], json!(["NET_ADMIN", "SYS_TIME"]));
    let device = |outside: &str, inside: &str, permissions: &str| {
        json!({
            "PathOnHost": outside, "PathInContainer": inside, "CgroupPermissions": permissions,
        })
    };
    let devices = [device("/dev/null", "/dev/zilch", "r"), device("/dev/zero", "/dev/zero", "rwm")];
    assert_eq!(host["Devices"], json!(devices));
    assert_eq!(body["Env"][3], "A=1");
    assert_eq!(body["Labels"]["team"], "blue");
    assert_eq!(host["Ulimits"], json!([{ "Name": "nofile", "Soft": 10, "Hard": 20 }]));
    assert_eq!(host["Tmpfs"], json!({ "/run": "size=1m" }));
    assert_eq!(host["LogConfig"]["Config"], json!({ "max-size": "1m" }));
    assert_eq!((&host["ShmSize"], &host["MemorySwap"]), (&json!(3_u64 << 29), &json!(-1)));
    assert_eq!((&host["Init"], &host["ReadonlyRootfs"]), (&json!(true), &json!(true)));
    assert_eq!(host["Sysctls"], json!({ "net.core.somaxconn": "9" }));
    assert_eq!(body["Entrypoint"], json!(["/bin/x"]));
    assert_eq!(host["Binds"], json!(["/a:/b:ro"]));
}

#[test]
fn mounts_and_gpus_are_read_as_docker_run_reads_them() {
    let docker = parametrised(&[
        ("mount", "type=bind,source=/a,target=/b,readonly,bind-propagation=rslave"),
        ("mount", "src=data,dst=/data,volume-driver=nfs,volume-opt=o=addr=h"),
        ("mount", "type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1777"),
        ("gpus", "all"),
        ("gpus", "2"),
        ("gpus", "\"device=0,3\""),
    ]);
    let host = made(&ContainerInfo::default(), &docker).unwrap()["HostConfig"].clone();
    let mounts = json!([
        { "Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true,
          "BindOptions": { "Propagation": "rslave" } },
        { "Type": "volume", "Source": "data", "Target": "/data", "VolumeOptions": {
            "DriverConfig": { "Name": "nfs", "Options": { "o": "addr=h" } } } },
        { "Type": "tmpfs", "Target": "/t",
          "TmpfsOptions": { "SizeBytes": 1 << 20, "Mode": 0o1777 } },
    ]);
    // The first one is the sandbox.
    assert_eq!(host["Mounts"].as_array().unwrap()[1..], mounts.as_array().unwrap()[..]);
    let gpus = json!([
        { "Capabilities": [["gpu"]], "Count": -1 },
        { "Capabilities": [["gpu"]], "Count": 2 },
        { "Capabilities": [["gpu"]], "DeviceIDs": ["0", "3"] },
    ]);
    assert_eq!(host["DeviceRequests"], gpus);
}

#[test]
fn parameters_that_cannot_be_are_refused_by_name() {
    let why = |key, value| refused(&ContainerInfo::default(), &parametrised(&[(key, value)]));
    assert!(why("colour", "red").contains("'colour'"));
    assert!(why("memory", "1g").contains("resources"));
    assert!(why("m", "1g").contains("'m'"));
    assert!(why("name", "x").contains("agent"));
    assert!(why("pids-limit", "many").contains("'many'"));
    assert!(why("shm-size", "1x").contains("'1x'"));
    assert!(why("init", "perhaps").contains("'perhaps'"));
    assert!(why("ulimit", "nofile").contains("'nofile'"));
    assert!(why("mount", "type=bind,source=/a").contains("'mount'"));
    assert!(why("mount", "target=/a,colour=red").contains("colour=red"));
    assert!(why("gpus", "some").contains("'some'"));
    // What the agent marks its containers with is not for tasks.
    assert!(why("label", "reeve.container=x").contains("reeve."));
}

#[test]
fn the_readme_names_every_parameter() {
    let readme = include_str!("../../README.md");
    for name in parameters::names() {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn limits_follow_the_grants() {
    let of = |limits: Vec<Scalar>, cpu| {
        let grants = Grants { limits: limits.into(), ..container().grants };
        let mut body = json!({ "HostConfig": {} });
        grant(&mut body, &grants, cpu, SITE.host_memory);
        body["HostConfig"].clone()
    };
    let quota = of(Vec::new(), Cpu::Quota);
    assert_eq!((&quota["CpuQuota"], &quota["CpuPeriod"]), (&json!(150_000), &json!(100_000)));
    let set = of(vec![scalar("cpus", 2_000), scalar("mem", 128_000)], Cpu::Weight);
    let expected = json!({
        "CpuShares": 1_536, "CpuQuota": 200_000, "CpuPeriod": 100_000,
        "Memory": 128 << 20, "MemoryReservation": 64 << 20, "OomScoreAdj": 938,
    });
    assert_eq!(set, expected);
    let none = of(vec![scalar("cpus", i64::MAX), scalar("mem", i64::MAX)], Cpu::Quota);
    assert_eq!((&none["CpuQuota"], &none["Memory"]), (&Value::Null, &Value::Null));
    assert_eq!(none["MemoryReservation"], 64 << 20);
}

#[test]
fn a_change_keeps_the_swap_there_was() {
    let changed = |limits: Vec<Scalar>, now: Value| {
        let grants = Grants { limits: limits.into(), ..container().grants };
        Changes { grants: &grants, cpu: Cpu::Weight, now: &now }.body()
    };
    let now = json!({ "Memory": 32 << 20, "MemorySwap": 48 << 20 });
    let expected = json!({
        "CpuShares": 1_536, "Memory": 64 << 20, "MemorySwap": 80 << 20,
        "MemoryReservation": 64 << 20,
    });
    assert_eq!(changed(Vec::new(), now), expected);
    assert_eq!(changed(Vec::new(), json!({}))["MemorySwap"], 128 << 20);
    assert_eq!(changed(Vec::new(), json!({ "MemorySwap": -1 }))["MemorySwap"], -1);
    let unlimited = changed(vec![scalar("mem", i64::MAX)], json!({ "MemorySwap": 48 << 20 }));
    let none = json!(i64::MAX - 4_095);
    assert_eq!((&unlimited["Memory"], &unlimited["MemorySwap"]), (&none, &none));
    assert_eq!(unlimited["MemoryReservation"], 64 << 20);
}
