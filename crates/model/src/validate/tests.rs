//! What clients may rely on being refused, and in which words.

use reeve_wire::v1;

use super::*;
use crate::resources::{Format, Resources};
use crate::{Operation, Role};

fn wire(text: &str) -> Vec<v1::Resource> {
    let resources = Resources::parse(text, &Role::any()).unwrap();
    resources.to_wire(Format::PostRefinement).unwrap()
}

fn shell(value: &str) -> v1::CommandInfo {
    v1::CommandInfo { value: Some(value.to_owned()), ..v1::CommandInfo::default() }
}

fn good() -> v1::TaskInfo {
    v1::TaskInfo {
        name: "t".to_owned(),
        task_id: v1::TaskId { value: "t1".to_owned() },
        agent_id: v1::AgentId { value: "m-S0".to_owned() },
        resources: wire("cpus:1;mem:128"),
        command: Some(shell("true")),
        ..v1::TaskInfo::default()
    }
}

fn custom() -> v1::ExecutorInfo {
    v1::ExecutorInfo {
        executor_id: v1::ExecutorId { value: "e1".to_owned() },
        command: Some(shell("./run")),
        ..v1::ExecutorInfo::default()
    }
}

/// The rule that a good task breaks once it is changed.
fn broken(change: impl FnOnce(&mut v1::TaskInfo)) -> String {
    let mut wire = good();
    change(&mut wire);
    task(&wire).unwrap_err()
}

#[test]
fn good_tasks_pass() {
    assert_eq!(task(&good()), Ok(()));
    let with_executor = v1::TaskInfo { command: None, executor: Some(custom()), ..good() };
    assert_eq!(task(&with_executor), Ok(()));
}

#[test]
fn ids_are_checked() {
    assert_eq!(
        broken(|task| task.task_id.value = "a/b".to_owned()),
        "Task ID 'a/b' is invalid: 'a/b' contains invalid characters"
    );
    assert!(broken(|task| task.agent_id.value.clear()).starts_with("Agent ID ''"));
}

#[test]
fn a_task_has_one_way_to_run() {
    let rule =
        "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present";
    assert_eq!(broken(|task| task.command = None), rule);
    assert_eq!(broken(|task| task.executor = Some(custom())), rule);
    let with = |change: fn(&mut v1::ExecutorInfo)| {
        broken(|task| {
            task.command = None;
            let mut executor = custom();
            change(&mut executor);
            task.executor = Some(executor);
        })
    };
    assert_eq!(with(|one| one.command = None), "'ExecutorInfo.command' must be set");
    assert!(with(|one| one.executor_id.value = "..".to_owned()).contains("'..' is disallowed"));
    assert_eq!(with(|one| one.r#type = Some(0)), "Unknown executor type");
    assert_eq!(
        with(|one| {
            one.r#type = Some(v1::executor_info::Type::Default.into());
            one.command = None;
        }),
        "'ExecutorInfo.type' must be 'CUSTOM'"
    );
    assert!(
        with(|one| one.resources = revocable("cpus:1"))
            .contains("Cannot use both revocable and non-revocable 'cpus' at the same time")
    );
}

fn revocable(text: &str) -> Vec<v1::Resource> {
    let mut all = wire(text);
    for one in &mut all {
        one.revocable = Some(v1::resource::RevocableInfo::default());
    }
    all
}

#[test]
fn times_are_not_negative() {
    let before = Some(v1::DurationInfo { nanoseconds: -1 });
    assert_eq!(
        broken(|task| task.kill_policy = Some(v1::KillPolicy { grace_period: before })),
        "Task's 'kill_policy.grace_period' must be non-negative"
    );
    assert_eq!(
        broken(|task| task.max_completion_time = before),
        "Task's `max_completion_time` must be non-negative"
    );
}

#[test]
fn resources_are_checked() {
    assert_eq!(broken(|task| task.resources.clear()), "Task uses no resources");
    assert_eq!(
        broken(|task| task.resources = wire("gpus:0.5")),
        "Task uses invalid resources: The 'gpus' resource must be an unsigned integer"
    );
    assert!(
        broken(|task| {
            let mut ports = wire("ports:[1-5]");
            let range = v1::value::Range { begin: 5, end: 6 };
            ports[0].ranges.as_mut().unwrap().range.push(range);
            task.resources = ports;
        })
        .contains("overlap")
    );
    assert!(
        broken(|task| {
            task.resources.extend(revocable("cpus:1"));
        })
        .contains("revocable")
    );
    assert!(
        broken(|task| {
            for (one, role) in task.resources.iter_mut().zip(["a", "b"]) {
                let role = Some(role.to_owned());
                one.allocation_info = Some(v1::resource::AllocationInfo { role });
            }
        })
        .contains("multiple allocation roles ('a', 'b')")
    );
}

#[test]
fn checks_are_checked() {
    let health = |wire: v1::HealthCheck| broken(|task| task.health_check = Some(wire));
    let of = |kind: v1::health_check::Type| v1::HealthCheck {
        r#type: Some(kind.into()),
        ..v1::HealthCheck::default()
    };
    use v1::health_check::{HttpCheckInfo, Type};
    assert_eq!(
        health(v1::HealthCheck::default()),
        "Task uses invalid health check: HealthCheck must specify 'type'"
    );
    assert!(health(of(Type::Command)).contains("Expecting 'command' to be set"));
    assert!(health(of(Type::Tcp)).contains("Expecting 'tcp' to be set for TCP health check"));
    let http = |scheme: Option<&str>, path: Option<&str>| v1::HealthCheck {
        http: Some(HttpCheckInfo {
            port: 80,
            scheme: scheme.map(str::to_owned),
            path: path.map(str::to_owned),
            ..HttpCheckInfo::default()
        }),
        ..of(Type::Http)
    };
    assert!(
        health(http(Some("ftp"), None)).contains("Unsupported HTTP health check scheme: 'ftp'")
    );
    assert!(
        health(http(None, Some("x")))
            .contains("The path 'x' of HTTP health check must start with '/'")
    );
    let late = v1::HealthCheck { delay_seconds: Some(-1.0), ..http(None, None) };
    assert!(health(late).contains("Expecting 'delay_seconds' to be non-negative"));
    assert_eq!(health_check(&http(Some("https"), Some("/"))), Ok(()));
    assert!(broken(|task| task.check = Some(v1::CheckInfo::default())).contains("CheckInfo must"));
}

#[test]
fn limits_are_not_below_requests() {
    let limit = |name: &str, value: f64| {
        let mut wire = good();
        wire.limits.insert(name.to_owned(), v1::value::Scalar { value });
        task(&wire)
    };
    assert_eq!(limit("cpus", 2.0), Ok(()));
    assert_eq!(limit("mem", f64::INFINITY), Ok(()));
    assert!(limit("cpus", 0.5).unwrap_err().contains("must not be less than its request"));
    assert!(limit("disk", 5.0).unwrap_err().contains("not supported for 'disk'"));
    assert!(limit("mem", f64::NAN).is_err());
}

#[test]
fn groups_share_a_default_executor() {
    let kind = Some(v1::executor_info::Type::Default.into());
    let executor = v1::ExecutorInfo { r#type: kind, command: None, ..custom() };
    let group = |tasks: Vec<v1::TaskInfo>| v1::TaskGroupInfo { tasks };
    assert_eq!(task_group(&group(vec![good()]), &executor), Ok(()));
    assert!(task_group(&group(Vec::new()), &executor).unwrap_err().contains("cannot be empty"));
    assert!(
        task_group(&group(vec![good()]), &custom()).unwrap_err().contains("'ExecutorInfo.type'")
    );
    let docker = v1::ContainerInfo {
        r#type: v1::container_info::Type::Docker.into(),
        docker: Some(v1::container_info::DockerInfo::default()),
        ..v1::ContainerInfo::default()
    };
    let docker = v1::TaskInfo { container: Some(docker), ..good() };
    assert!(
        task_group(&group(vec![good(), docker]), &executor)
            .unwrap_err()
            .contains("Docker ContainerInfo is not supported on the task")
    );
    let nested = v1::TaskInfo { executor: Some(custom()), ..good() };
    assert!(task_group(&group(vec![nested]), &executor).unwrap_err().contains("must not be set"));
}

#[test]
fn one_bad_task_does_not_keep_others_from_running() {
    let bad = v1::TaskInfo { command: None, ..good() };
    let launch = v1::offer::operation::Launch { task_infos: vec![good(), bad] };
    let wire = v1::offer::Operation {
        r#type: Some(v1::offer::operation::Type::Launch.into()),
        launch: Some(launch),
        ..v1::offer::Operation::default()
    };
    let Ok(Operation::Launch(tasks)) = Operation::try_from(wire) else { panic!("no launch") };
    assert!(tasks[0].is_ok());
    let bad = tasks[1].as_ref().unwrap_err();
    assert_eq!((bad.id.as_str(), bad.agent.as_str()), ("t1", "m-S0"));
    assert!(bad.message.contains("CommandInfo or ExecutorInfo"));
}

#[test]
#[allow(deprecated)]
fn frameworks_say_their_roles_in_one_way() {
    let plain = v1::FrameworkInfo { user: "u".to_owned(), ..v1::FrameworkInfo::default() };
    assert_eq!(framework(&plain), Ok(()));
    let multi = vec![v1::framework_info::Capability { r#type: Some(6) }];
    let several = |roles: &[&str]| v1::FrameworkInfo {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..plain.clone()
    };
    assert!(framework(&several(&["a"])).unwrap_err().contains("not MULTI_ROLE capable"));
    let of = |roles: &[&str]| {
        framework(&v1::FrameworkInfo { capabilities: multi.clone(), ..several(roles) })
    };
    assert_eq!(of(&["a", "b/c"]), Ok(()));
    assert_eq!(of(&[]), Ok(()));
    assert!(of(&["a", "a"]).unwrap_err().contains("duplicate items"));
    assert!(of(&["a b"]).unwrap_err().contains("contains invalid role"));
    let role = v1::FrameworkInfo {
        role: Some("a".to_owned()),
        capabilities: multi.clone(),
        ..plain.clone()
    };
    assert!(framework(&role).unwrap_err().contains("must not be set"));
    for seconds in [-1.0, f64::NAN, 1e20] {
        let timeout = v1::FrameworkInfo { failover_timeout: Some(seconds), ..plain.clone() };
        assert!(framework(&timeout).unwrap_err().starts_with("The framework failover_timeout ("));
    }
}

#[test]
fn volumes_lie_on_reserved_disk() {
    use v1::resource::{DiskInfo, disk_info::Persistence};
    let volume = |text: &str, mode: v1::volume::Mode, path: &str| {
        let mut all = wire(text);
        all[0].disk = Some(DiskInfo {
            persistence: Some(Persistence { id: "data".to_owned(), principal: None }),
            volume: Some(v1::Volume {
                mode: mode.into(),
                container_path: path.to_owned(),
                ..v1::Volume::default()
            }),
            source: None,
        });
        volumes(&all)
    };
    use v1::volume::Mode::{Ro, Rw};
    assert_eq!(volume("disk(eng):1", Rw, "data"), Ok(()));
    assert!(volume("disk:1", Rw, "data").unwrap_err().contains("from unreserved resources"));
    assert!(volume("disk(eng):1", Ro, "data").unwrap_err().contains("Read-only"));
    assert!(volume("disk(eng):1", Rw, "../x").unwrap_err().contains("container_path"));
    assert!(volume("mem(eng):1", Rw, "data").unwrap_err().contains("DiskInfo should not be set"));
    assert!(volumes(&wire("disk(eng):1")).unwrap_err().contains("not a persistent volume"));
}

#[test]
fn environments_have_values_of_their_kind() {
    let variable = |kind: v1::environment::variable::Type, value: Option<&str>| {
        let variable = v1::environment::Variable {
            name: "X".to_owned(),
            r#type: Some(kind.into()),
            value: value.map(str::to_owned),
            secret: None,
        };
        let environment = Some(v1::Environment { variables: vec![variable] });
        command(&v1::CommandInfo { environment, ..shell("true") })
    };
    use v1::environment::variable::Type::{Secret, Value};
    assert_eq!(variable(Value, Some("1")), Ok(()));
    assert_eq!(
        variable(Value, None).unwrap_err(),
        "Environment variable 'X' of type 'VALUE' must have a value set"
    );
    assert_eq!(
        variable(Secret, None).unwrap_err(),
        "Environment variable 'X' of type 'SECRET' must have a secret set"
    );
}
