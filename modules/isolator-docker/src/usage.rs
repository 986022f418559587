//! From what the engine says of a container to what Mesos says of one.

use std::net::IpAddr;

use reeve_module_sdk::isolator::Usage;
use serde_json::{Map, Value};

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;

/// The figures in an answer to `GET /containers/ID/stats`. What the engine does not tell is
/// absent; of a container that does not run it tells nothing.
pub(crate) fn of(stats: &Value) -> Usage {
    let mut usage = Usage::default();
    let figure = |pointer: &str| stats.pointer(pointer)?.as_u64();
    if figure("/memory_stats/usage").is_none() && figure("/pids_stats/current").is_none() {
        return usage;
    }
    for (name, pointer) in [
        ("cpus_user_time_secs", "/cpu_stats/cpu_usage/usage_in_usermode"),
        ("cpus_system_time_secs", "/cpu_stats/cpu_usage/usage_in_kernelmode"),
        ("cpus_throttled_time_secs", "/cpu_stats/throttling_data/throttled_time"),
    ] {
        if let Some(nanos) = figure(pointer) {
            usage.number(name, nanos as f64 / NANOS);
        }
    }
    for (name, pointers) in COUNTS {
        if let Some(count) = pointers.iter().find_map(|pointer| figure(pointer)) {
            usage.count(name, count);
        }
    }
    networks(stats, &mut usage);
    usage
}

/// Figures that are counts, and where they are: in cgroups v1, then in v2.
const COUNTS: [(&str, &[&str]); 10] = [
    ("cpus_nr_periods", &["/cpu_stats/throttling_data/periods"]),
    ("cpus_nr_throttled", &["/cpu_stats/throttling_data/throttled_periods"]),
    ("threads", &["/pids_stats/current"]),
    ("mem_total_bytes", &["/memory_stats/usage"]),
    ("mem_limit_bytes", &["/memory_stats/limit"]),
    ("mem_rss_bytes", &["/memory_stats/stats/total_rss", "/memory_stats/stats/anon"]),
    ("mem_anon_bytes", &["/memory_stats/stats/total_rss", "/memory_stats/stats/anon"]),
    ("mem_file_bytes", &["/memory_stats/stats/total_cache", "/memory_stats/stats/file"]),
    ("mem_cache_bytes", &["/memory_stats/stats/total_cache", "/memory_stats/stats/file"]),
    (
        "mem_mapped_file_bytes",
        &["/memory_stats/stats/total_mapped_file", "/memory_stats/stats/file_mapped"],
    ),
];

/// Sums over all interfaces; none for a container in the host's network.
fn networks(stats: &Value, usage: &mut Usage) {
    let Some(networks) = stats["networks"].as_object() else { return };
    for (name, field) in [
        ("net_rx_bytes", "rx_bytes"),
        ("net_rx_packets", "rx_packets"),
        ("net_rx_errors", "rx_errors"),
        ("net_rx_dropped", "rx_dropped"),
        ("net_tx_bytes", "tx_bytes"),
        ("net_tx_packets", "tx_packets"),
        ("net_tx_errors", "tx_errors"),
        ("net_tx_dropped", "tx_dropped"),
    ] {
        let all = networks.values().filter_map(|network| network[field].as_u64());
        usage.count(name, all.fold(0, u64::saturating_add));
    }
}

/// The IP address of a container, by what the engine knows of it, if it has one of its own. A
/// container is in one network, unless somebody else adds it to more.
pub(crate) fn address(container: &Value) -> Option<IpAddr> {
    let settings = &container["NetworkSettings"];
    let networks = settings["Networks"].as_object().into_iter().flat_map(Map::values);
    let all = networks.chain([settings]);
    let text = |network: &Value, field: &str| network[field].as_str()?.parse().ok();
    let of = |field: &str| all.clone().find_map(|network| text(network, field));
    of("IPAddress").or_else(|| of("GlobalIPv6Address"))
}

/// What is said of a container, by what the engine knows of it, that ended for want of memory. One
/// that lost a process so and went on did not break its limit.
pub(crate) fn out_of_memory(container: &Value) -> Option<String> {
    let ended = &container["State"];
    let broke = ended["OOMKilled"] == true && ended["Running"] == false && ended["ExitCode"] != 0;
    let limit = container["HostConfig"]["Memory"].as_i64().unwrap_or(0) >> 20;
    broke
        .then(|| format!("Memory limit exceeded: Limit: {limit}MB; the kernel ended the container"))
}

#[cfg(test)]
mod tests;
