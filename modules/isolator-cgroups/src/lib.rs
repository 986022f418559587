//! The `cgroups` isolator: the kernel holds each container to what it was given.
//!
//! It stands for Mesos's `cgroups/cpu`, `cgroups/mem`, `cgroups/pids`, `cgroups/blkio`,
//! `cgroups/cpuset` and `cgroups/devices`, on hosts with version 2, version 1 and the hybrid of
//! both (IS-3 to IS-8, IS-12).
//!
//! - `settings`: what the parameters say.
//! - `layout`: which hierarchies this host has, and the cgroup in each that holds all containers.
//! - `controller`: what is written for each controller, and what it tells; one file per controller.
//! - `tree`: a container's cgroups, from their making to their removal.
//! - `kernel`: the calls that touch, behind a trait.
//! - `cgroups`: the isolator itself.
//!
//! Does not live here: counting what was given to whom (the agent's core), and starting processes.

mod cgroups;
mod controller;
mod error;
mod kernel;
mod layout;
mod settings;
mod tree;

pub use cgroups::Cgroups;

reeve_module_sdk::module! {
    isolator: Cgroups,
    name: "cgroups",
    author: "The Reeve authors",
    description: "Holds each container to its cpus, memory, processes and devices by control groups, versions 1 and 2",
    parameters: [
        ("root", "text", "reeve", "The cgroup that holds all containers: a name below the agent's delegated cgroup or, without one, below the top; or a path from the top that starts with '/'. Two agents on one host need two."),
        ("controllers", "list", "cpu,memory,pids", "What to control: cpu, memory, pids, io, cpuset, devices; or all."),
        ("enable_cfs", "switch", "false", "Hold a container to its cpus also when others leave the processors idle."),
        ("cfs_period", "duration", "100ms", "The period in which a cpu quota is counted, 1ms to 1secs."),
        ("limit_swap", "switch", "false", "Limit memory and swap together (version 1), or give no swap at all (version 2)."),
        ("pids_max", "integer", "4096", "How many processes and threads one container may have; 0 for any number."),
        ("io_weight", "integer", "Every container's share of I/O against others, 1 to 1000; the kernel's own default is 100."),
        ("io_limits", "list", "Limits of I/O by device, such as '8:0 rbps=1048576 wiops=100'."),
        ("cpuset_cpus", "text", "The processors that containers may run on, such as '0-3,8'."),
        ("cpuset_mems", "text", "The memory nodes that containers may use, such as '0'."),
        ("allowed_devices", "list", "Devices besides the usual ones that containers may use, such as '/dev/fuse rw'."),
        ("destroy_timeout", "duration", "20secs", "How long to try to kill and remove a container's cgroups."),
    ],
}
