//! Imports run one way. This test reads the workspace's own metadata and refuses an edge that
//! ARCHITECTURE.md does not allow.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Who may import whom, outside dev-dependencies.
const ALLOWED: &[(&str, &[&str])] = &[
    ("reeve-wire-build", &[]),
    ("reeve-wire", &["reeve-wire-build"]),
    ("reeve-model", &["reeve-wire"]),
    ("reeve-machine", &[]),
    ("reeve-telemetry", &[]),
    ("reeve-config", &[]),
    ("reeve-zookeeper", &["reeve-config"]),
    (
        "reeve-election",
        &["reeve-config", "reeve-machine", "reeve-model", "reeve-wire", "reeve-zookeeper"],
    ),
    ("reeve-registry", &["reeve-zookeeper"]),
    ("reeve-records", &["reeve-wire", "reeve-model", "reeve-registry"]),
    ("reeve-transport", &["reeve-wire", "reeve-model", "reeve-machine", "reeve-telemetry"]),
    (
        "reeve-client",
        &["reeve-wire", "reeve-model", "reeve-transport", "reeve-election", "reeve-zookeeper"],
    ),
    ("reeve-v0", &["reeve-wire", "reeve-model"]),
    ("reeve-authentication", &["reeve-wire"]),
    ("reeve-module-api", &[]),
    ("reeve-module-sdk", &["reeve-module-api"]),
    ("reeve-module-host", &["reeve-module-api", "reeve-module-sdk", "reeve-config"]),
    ("reeve-access", &["reeve-config", "reeve-module-host", "reeve-module-sdk", "reeve-transport"]),
    ("reeve-authenticator-basic", &["reeve-module-sdk"]),
    ("reeve-authorizer-acls", &["reeve-module-sdk"]),
    ("reeve-anonymous-graphite", &["reeve-module-sdk"]),
    ("reeve-allocator-drf", &["reeve-allocation-engine", "reeve-module-sdk", "reeve-model"]),
    ("reeve-isolator-cgroups", &["reeve-module-sdk", "reeve-model"]),
    ("reeve-allocation-engine", &["reeve-module-sdk"]),
    ("reeve-allocator-fair", &["reeve-allocation-engine", "reeve-module-sdk", "reeve-model"]),
    ("reeve-allocator-priority", &["reeve-allocation-engine", "reeve-module-sdk", "reeve-model"]),
    ("reeve-isolator-docker", &["reeve-module-sdk", "reeve-model"]),
    ("reeve-isolator-posix", &["reeve-module-sdk", "reeve-model"]),
    ("reeve-container-logger-logrotate", &["reeve-module-sdk"]),
    ("reeve-hook-decorator", &["reeve-module-sdk"]),
    ("reeve-qos-controller-load", &["reeve-module-sdk"]),
    ("reeve-resource-estimator-fixed", &["reeve-module-sdk"]),
    ("reeve-secret-resolver-files", &["reeve-module-sdk"]),
    ("reeve-master-core", &["reeve-machine", "reeve-model", "reeve-module-sdk"]),
    ("reeve-agent-core", &["reeve-machine", "reeve-model", "reeve-module-sdk"]),
    ("reeve-agent-runtime", &["reeve-model", "reeve-module-sdk"]),
    ("reeve-executor", &["reeve-wire"]),
    (
        "reeve-master",
        &[
            "reeve-master-core",
            "reeve-machine",
            "reeve-model",
            "reeve-wire",
            "reeve-transport",
            "reeve-v0",
            "reeve-zookeeper",
            "reeve-election",
            "reeve-records",
            "reeve-registry",
            "reeve-telemetry",
            "reeve-access",
            "reeve-authentication",
            "reeve-config",
            "reeve-module-sdk",
            "reeve-module-host",
        ],
    ),
    (
        "reeve-agent",
        &[
            "reeve-agent-core",
            "reeve-agent-runtime",
            "reeve-election",
            "reeve-zookeeper",
            "reeve-machine",
            "reeve-model",
            "reeve-wire",
            "reeve-transport",
            "reeve-v0",
            "reeve-telemetry",
            "reeve-access",
            "reeve-authentication",
            "reeve-config",
            "reeve-module-sdk",
            "reeve-module-host",
        ],
    ),
    (
        "reeve-cli",
        &[
            "reeve-client",
            "reeve-config",
            "reeve-master",
            "reeve-agent",
            "reeve-telemetry",
            "reeve-model",
            "reeve-module-host",
            "reeve-records",
            "reeve-registry",
            "reeve-wire",
            "reeve-zookeeper",
        ],
    ),
];

/// Rooms that see everything, because they test everything.
const OBSERVERS: &[&str] = &["reeve-tests", "reeve-bench", "reeve-simulation"];

/// What a core must never build on, itself or through its friends.
const NO_TOUCHING: &[&str] = &["tokio", "hyper", "redb", "rand", "uuid", "tracing"];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo metadata runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata()["packages"].as_array().expect("packages").clone();
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().expect("a name").to_owned();
            let imports = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect();
            (name, imports)
        })
        .collect()
}

#[test]
fn imports_run_one_way() {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    for (room, imports) in imports() {
        if OBSERVERS.contains(&room.as_str()) {
            continue;
        }
        let Some(allowed) = allowed.get(room.as_str()) else {
            panic!("{room} is not in the table of rooms: add it to tests/layering.rs");
        };
        for import in imports.iter().filter(|import| import.starts_with("reeve-")) {
            assert!(allowed.contains(&import.as_str()), "{room} must not import {import}");
        }
    }
}

#[test]
fn cores_touch_nothing() {
    let imports = imports();
    for core in ["reeve-master-core", "reeve-agent-core", "reeve-model", "reeve-machine"] {
        for forbidden in NO_TOUCHING {
            assert!(!imports[core].contains(*forbidden), "{core} must not import {forbidden}");
        }
    }
}

/// What a package is built from, by whatever path and with whatever features, tests apart.
fn built_from(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}", "--package", package])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo tree prints text");
    text.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn daemons_are_built_without_policy() {
    let kinds = ["reeve-allocation", "reeve-allocator", "reeve-isolator"];
    for daemon in ["reeve-cli", "reeve-master", "reeve-agent", "reeve-executor"] {
        let parts = built_from(daemon);
        assert!(parts.len() > 3, "{daemon} is built from {parts:?}");
        let policy = parts.iter().find(|part| kinds.iter().any(|kind| part.starts_with(kind)));
        assert_eq!(policy, None, "is a part of {daemon}");
    }
}
