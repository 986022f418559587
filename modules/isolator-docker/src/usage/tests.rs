use reeve_module_sdk::isolator::Value as Figure;
use serde_json::json;

use super::*;

#[test]
fn figures_have_mesoss_names_under_both_generations_of_cgroups() {
    let mut stats = json!({
        "pids_stats": { "current": 3 },
        "cpu_stats": {
            "cpu_usage": { "usage_in_usermode": 1_500_000_000, "usage_in_kernelmode": 0 },
            "throttling_data": { "periods": 4, "throttled_periods": 2, "throttled_time": 500_000_000 },
        },
        "memory_stats": { "usage": 9, "limit": 10, "stats": { "total_rss": 7, "total_cache": 2 } },
        "networks": { "eth0": { "rx_bytes": 1 }, "eth1": { "rx_bytes": 2 } },
    });
    let usage = of(&stats);
    assert_eq!(usage.get("cpus_user_time_secs"), Some(Figure::Number(1.5)));
    assert_eq!(usage.get("cpus_throttled_time_secs"), Some(Figure::Number(0.5)));
    assert_eq!(usage.get("cpus_nr_throttled"), Some(Figure::Count(2)));
    assert_eq!(usage.get("mem_rss_bytes"), Some(Figure::Count(7)));
    assert_eq!(usage.get("mem_limit_bytes"), Some(Figure::Count(10)));
    assert_eq!(usage.get("net_rx_bytes"), Some(Figure::Count(3)));
    stats["memory_stats"]["stats"] = json!({ "anon": 5, "file": 4 });
    let usage = of(&stats);
    assert_eq!(usage.get("mem_rss_bytes"), Some(Figure::Count(5)));
    assert_eq!(usage.get("mem_file_bytes"), Some(Figure::Count(4)));
}

#[test]
fn a_container_that_does_not_run_has_no_figures() {
    let stats =
        json!({ "cpu_stats": { "cpu_usage": { "usage_in_usermode": 0 } }, "pids_stats": {} });
    assert_eq!(of(&stats), Usage::default());
}

#[test]
fn a_container_outside_the_hosts_network_has_an_address() {
    let in_network =
        |network: Value| address(&json!({ "NetworkSettings": { "Networks": { "n": network } } }));
    let four = in_network(json!({ "IPAddress": "172.17.0.2", "GlobalIPv6Address": "fd00::2" }));
    assert_eq!(four, "172.17.0.2".parse().ok());
    let six = in_network(json!({ "IPAddress": "", "GlobalIPv6Address": "fd00::2" }));
    assert_eq!(six, "fd00::2".parse().ok());
    assert_eq!(in_network(json!({ "IPAddress": "" })), None);
}
