//! The rules of isolators, with a container that sleeps.

use std::process::{Child, Command, Stdio};

use reeve_module_sdk::Failed;
use reeve_module_sdk::isolator::{Container, Grants, Isolator, Scalar};

use super::Report;
use crate::LoadedIsolator;

/// The container of the script; nothing else may be called so.
const ID: &str = "reeve-module-check";

pub(super) fn check(module: &LoadedIsolator, report: &mut Report) {
    let sandbox = std::env::temp_dir().join(format!("{ID}-{}", std::process::id()));
    let made = std::fs::create_dir_all(&sandbox).map_err(|error| error.to_string());
    report.says("(a sandbox can be made for it)", made);
    let container = Container {
        id: ID.into(),
        framework: "framework-0".into(),
        executor: "executor-0".into(),
        sandbox: sandbox.to_string_lossy().into_owned().into(),
        grants: grants(64),
        ..Container::default()
    };
    report.says("recovers where there is nothing to recover", words(module.recover(&[])));
    report.says("cleans up after a container that never was", words(module.cleanup(ID)));
    report.says("prepares a container", words(module.prepare(&container)));
    match sleeper() {
        Ok(mut sleeper) => {
            report.says("isolates its first process", words(module.isolate(ID, sleeper.id())));
            report.says("tells what it uses", words(module.usage(ID)));
            report.says("changes what it may use", words(module.update(ID, &grants(128))));
            report.says("finds no broken limit", unbroken(module));
            // It has either ended already, or ends now.
            let _ = sleeper.kill();
            let _ = sleeper.wait();
        }
        Err(error) => report.says("(a process can be started for it)", Err(error.to_string())),
    }
    report.says("cleans up", words(module.cleanup(ID)));
    report.says("cleans up once more", words(module.cleanup(ID)));
    // What is left in a directory of temporary files harms nobody.
    let _ = std::fs::remove_dir_all(&sandbox);
}

fn sleeper() -> std::io::Result<Child> {
    Command::new("sleep").arg("60").stdin(Stdio::null()).spawn()
}

fn grants(megabytes: i64) -> Grants {
    let scalar = |name: &str, units: i64| Scalar { name: name.into(), thousandths: units * 1000 };
    Grants {
        requests: vec![scalar("cpus", 1), scalar("mem", megabytes)].into(),
        ..Grants::default()
    }
}

fn words<T>(outcome: Result<T, Failed>) -> Result<(), String> {
    outcome.map(drop).map_err(|failed| failed.to_string())
}

fn unbroken(module: &LoadedIsolator) -> Result<(), String> {
    match module.check(ID) {
        Ok(None) => Ok(()),
        Ok(Some(broken)) => Err(format!("it finds {}: {}", broken.resource, broken.message)),
        Err(failed) => Err(failed.to_string()),
    }
}
