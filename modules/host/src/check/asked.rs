//! The rules of the kinds that are asked for one answer at a time.

use reeve_module_sdk::anonymous::{Anonymous, Figure, Value};
use reeve_module_sdk::authenticator::{Authenticator, Request, Verdict};
use reeve_module_sdk::authorizer::{Authorizer, Object};
use reeve_module_sdk::container_logger::{Container, ContainerLogger, Sink};
use reeve_module_sdk::hook::{Hook, Place};
use reeve_module_sdk::oversubscription::{
    AgentUsage, ExecutorUsage, QosController, ResourceEstimator, Scalar,
};
use reeve_module_sdk::secret_resolver::SecretResolver;
use reeve_module_sdk::{Failed, Label};

use super::Report;
use crate::{
    LoadedAnonymous, LoadedAuthenticator, LoadedAuthorizer, LoadedContainerLogger, LoadedHook,
    LoadedQosController, LoadedResourceEstimator, LoadedSecretResolver,
};

fn words<T>(outcome: Result<T, Failed>) -> Result<(), String> {
    outcome.map(drop).map_err(|failed| failed.to_string())
}

/// Holds an answer against what it must be.
fn holds<T>(
    outcome: Result<T, Failed>,
    wrong: impl FnOnce(&T) -> Option<String>,
) -> Result<(), String> {
    let answer = outcome.map_err(|failed| failed.to_string())?;
    wrong(&answer).map_or(Ok(()), Err)
}

/// A failure that says what failed is a good answer to what cannot be done; a panic never is.
fn graceful<T>(outcome: Result<T, Failed>) -> Result<(), String> {
    match outcome {
        Err(failed) if failed.0.contains("it panicked") => Err(failed.0),
        _ => Ok(()),
    }
}

pub(super) fn hook(module: &LoadedHook, report: &mut Report) {
    for place in [Place::Master, Place::Agent] {
        let rule = format!("decorates an empty task in the {place:?}").to_lowercase();
        report.says(&rule, words(module.labels(place, &[], &[])));
    }
    report.says("decorates an empty executor", words(module.environment(&[])));
    report.says(
        "survives a message that is damaged",
        graceful(module.labels(Place::Agent, &[0xff; 9], &[0xff; 9])),
    );
    report.says("hears of a lost agent", words(module.agent_lost("agent-0")));
    report.says("hears of an executor's end", words(module.executor_ended("f-0", "e-0")));
}

pub(super) fn container_logger(module: &LoadedContainerLogger, report: &mut Report) {
    let sandbox = std::env::temp_dir().to_string_lossy().into_owned();
    let container = Container {
        id: "reeve-module-check".into(),
        sandbox: sandbox.into(),
        ..Container::default()
    };
    let streams = module.streams(&container);
    report.says("says where output goes", words(streams.clone()));
    let sinks = streams.map(|streams| [streams.stdout, streams.stderr]);
    report.says(
        "names files and programs by whole paths",
        holds(sinks, |sinks| {
            let path = |sink: &Sink| match sink {
                Sink::File(path) => path.to_string(),
                Sink::Program(argv) => argv.first().map(ToString::to_string).unwrap_or_default(),
            };
            let bad = sinks.iter().map(path).find(|path| !path.starts_with('/'));
            bad.map(|path| format!("it names '{path}'"))
        }),
    );
}

fn usage() -> AgentUsage {
    let scalar = |name: &str, units: i64| Scalar { name: name.into(), thousandths: units * 1000 };
    AgentUsage {
        total: vec![scalar("cpus", 4), scalar("mem", 4096)].into(),
        executors: vec![ExecutorUsage {
            framework: "framework-0".into(),
            executor: "executor-0".into(),
            container: "container-0".into(),
            granted: vec![scalar("cpus", 2), scalar("mem", 1024)].into(),
            ..ExecutorUsage::default()
        }]
        .into(),
    }
}

pub(super) fn resource_estimator(module: &LoadedResourceEstimator, report: &mut Report) {
    for (rule, usage) in [
        ("estimates an agent at rest", AgentUsage::default()),
        ("estimates an agent at work", usage()),
    ] {
        let outcome = module.oversubscribable(&usage);
        report.says(
            rule,
            holds(outcome, |scalars| {
                let below = scalars.iter().find(|scalar| scalar.thousandths < 0);
                below.map(|scalar| {
                    format!("it says that less than nothing of {} is left", scalar.name)
                })
            }),
        );
    }
}

pub(super) fn qos_controller(module: &LoadedQosController, report: &mut Report) {
    report.says("corrects nothing where nothing runs", {
        holds(module.corrections(&AgentUsage::default()), |all| {
            (!all.is_empty()).then(|| format!("it wants {} executors gone", all.len()))
        })
    });
    report.says("corrects only what runs", {
        holds(module.corrections(&usage()), |all| {
            let unknown = all.iter().find(|correction| correction.container != "container-0");
            unknown.map(|correction| format!("it wants '{}' gone", correction.executor))
        })
    });
}

pub(super) fn authenticator(module: &LoadedAuthenticator, report: &mut Report) {
    let bare = Request {
        realm: "mesos-master-readonly".into(),
        method: "GET".into(),
        path: "/state".into(),
        peer: "127.0.0.1:40000".into(),
        ..Request::default()
    };
    let challenged = |outcome| {
        holds(outcome, |verdict| match verdict {
            Verdict::Unknown { challenge } if challenge.is_empty() => {
                Some("its challenge is empty".to_owned())
            }
            Verdict::Known(_) => Some("it knows somebody who says nothing".to_owned()),
            _ => None,
        })
    };
    report.says("challenges who brings no credentials", challenged(module.authenticate(&bare)));
    for damaged in ["", "Basic", "Basic !!!", "Bearer x.y.z", "\u{1f980}"] {
        let request = Request { authorization: Some(damaged.into()).into(), ..bare.clone() };
        let rule = format!("does not know who sends '{damaged}'");
        report.says(&rule, challenged(module.authenticate(&request)));
    }
}

pub(super) fn authorizer(module: &LoadedAuthorizer, report: &mut Report) {
    let role = Object {
        facts: vec![Label { key: "role".into(), value: "reeve-module-check".into() }].into(),
    };
    for (rule, action) in [
        ("decides on an action", "register_frameworks"),
        ("decides on an action that it does not know", "reeve_module_check"),
    ] {
        let outcome = module.permits(None, action, &[role.clone(), Object::default()]);
        report.says(rule, words(outcome));
    }
    report.says("decides on nothing", words(module.permits(None, "view_tasks", &[])));
}

pub(super) fn secret_resolver(module: &LoadedSecretResolver, report: &mut Report) {
    let missing = "reeve-module-check/no-such-secret";
    report.says("has no secret that does not exist", {
        let outcome = module.resolve(missing, "");
        match &outcome {
            Ok(_) => Err(format!("it resolves '{missing}'")),
            Err(_) => graceful(outcome),
        }
    });
    report.says("survives a name that leads elsewhere", graceful(module.resolve("../x", "../y")));
}

pub(super) fn anonymous(module: &LoadedAnonymous, report: &mut Report) {
    let figure = Figure { name: "master/uptime_secs".into(), value: Value::Number(1.0) };
    report.says("survives no metrics", graceful(module.metrics(&[])));
    report.says("survives metrics", graceful(module.metrics(&[figure])));
}
