//! The `docker` isolator: containers in a Docker Engine, through its HTTP API.
//!
//! A container whose ContainerInfo is of type DOCKER is prepared here: its wishes are checked, its
//! image pulled, and a specification written. The container's first process then runs
//! `reeve-docker`, the shim, in place of the task's command; it makes the engine's container,
//! passes on its output and its end, and outlives the agent. Every other container is left alone.
//!
//! Lives here:
//!
//! - `isolator`: the calls of the chain.
//! - `create`: from DockerInfo to what the engine is told. Pure, as `image`, `usage`, `message`.
//! - `credentials`, `pull`: images.
//! - `spec`: what is left for the shim and for a restarted agent.
//! - `engine`: the API, and the little HTTP that it needs.
//! - [`shim`]: the program.
//!
//! Lives elsewhere: fetching, sandboxes, health checks (the agent and its executor), and images
//! for containers that are not Docker's.

mod create;
mod credentials;
mod engine;
mod image;
mod isolator;
mod message;
mod pull;
mod settings;
pub mod shim;
mod spec;
mod usage;

pub use isolator::Docker;

reeve_module_sdk::module! {
    isolator: Docker,
    name: "docker",
    author: "The Reeve authors",
    description: "Runs containers of type DOCKER in a Docker Engine.",
    parameters: [
        ("socket", "text", "unix:///var/run/docker.sock", "The engine's unix socket."),
        (
            "config",
            "text",
            "The Docker configuration with the registries' credentials: JSON, or the path of a \
             file. Unset: .docker/config.json in the agent's home directory, if it is there."
        ),
        (
            "runtime_dir",
            "text",
            "/run/reeve/docker",
            "Where the facts about living containers go. Each agent of an engine needs its own; \
             containers are marked with it."
        ),
        (
            "shim",
            "text",
            "The program reeve-docker. Unset: beside this module, beside the agent, or in \
             /usr/libexec/reeve."
        ),
        (
            "sandbox_directory",
            "text",
            "/mnt/mesos/sandbox",
            "Where the sandbox is mounted in a container."
        ),
        (
            "enable_cfs",
            "switch",
            "false",
            "Whether CPU time is limited to what a task asked for, also when the host is idle."
        ),
        ("timeout", "duration", "10secs", "How long the engine may take to answer."),
        ("pull_timeout", "duration", "20mins", "How long an image may take to pull."),
    ],
}
