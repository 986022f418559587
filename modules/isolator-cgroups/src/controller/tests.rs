use proptest::prelude::*;
use reeve_module_sdk::Parameters;
use reeve_module_sdk::export::v2::{Parameter, ParameterValue};
use reeve_module_sdk::isolator::{Scalar, Usage, Value};

use super::*;
use crate::settings::Settings;
use memory::{Limits, Now};

const MB: u64 = 1 << 20;

/// Parameters as the host would hand them over.
pub(crate) fn parameters(all: &[(&str, &str)]) -> Parameters {
    Parameters::new(all.iter().map(|(name, text)| {
        let value = match *name {
            "controllers" | "io_limits" | "allowed_devices" => {
                ParameterValue::List(text.split(',').map(Into::into).collect())
            }
            "enable_cfs" | "limit_swap" => ParameterValue::Switch(*text == "true"),
            "pids_max" | "io_weight" => ParameterValue::Integer(text.parse().unwrap()),
            _ => ParameterValue::Text((*text).into()),
        };
        Parameter { name: (*name).into(), value }
    }))
}

pub(crate) fn settings(all: &[(&str, &str)]) -> Settings {
    Settings::new(&parameters(all)).unwrap()
}

/// Requests and limits in thousandths.
pub(crate) fn grants(requests: &[(&str, i64)], limits: &[(&str, i64)]) -> Grants {
    let scalars = |all: &[(&str, i64)]| {
        let scalar = |(name, thousandths): &(&str, i64)| Scalar {
            name: (*name).into(),
            thousandths: *thousandths,
        };
        all.iter().map(scalar).collect()
    };
    Grants { requests: scalars(requests), limits: scalars(limits), ..Grants::default() }
}

fn texts(writes: &[Write]) -> Vec<String> {
    writes.iter().map(|write| format!("{} = {}", write.files[0], write.value)).collect()
}

fn cpu(version: Version, cpus: i64, limits: &[(&str, i64)], cfs: &str) -> Vec<String> {
    let settings = settings(&[("enable_cfs", cfs)]);
    texts(&cpu::writes(version, &grants(&[("cpus", cpus)], limits), &settings))
}

#[test]
fn cpus_are_shares_and_a_quota_only_where_asked_for() {
    let none = ["cpu.shares = 1536", "cpu.cfs_quota_us = -1"];
    assert_eq!(cpu(Version::V1, 1500, &[], "false"), none);
    let quota = ["cpu.shares = 1536", "cpu.cfs_period_us = 100000", "cpu.cfs_quota_us = 150000"];
    assert_eq!(cpu(Version::V1, 1500, &[], "true"), quota);
    assert_eq!(cpu(Version::V2, 1500, &[], "false"), ["cpu.weight = 150", "cpu.max = max 100000"]);
    let quota = ["cpu.weight = 150", "cpu.max = 150000 100000"];
    assert_eq!(cpu(Version::V2, 1500, &[], "true"), quota);
    assert_eq!(cpu::writes(Version::V1, &grants(&[], &[]), &settings(&[])), []);
}

#[test]
fn a_limit_of_cpus_counts_with_or_without_cfs() {
    for cfs in ["false", "true"] {
        let quota = ["cpu.weight = 100", "cpu.max = 250000 100000"];
        assert_eq!(cpu(Version::V2, 1000, &[("cpus", 2500)], cfs), quota);
        let none = ["cpu.weight = 100", "cpu.max = max 100000"];
        assert_eq!(cpu(Version::V2, 1000, &[("cpus", i64::MAX)], cfs), none);
    }
}

#[test]
fn little_and_much_stay_within_what_the_kernel_takes() {
    let least = ["cpu.shares = 2", "cpu.cfs_period_us = 100000", "cpu.cfs_quota_us = 1000"];
    assert_eq!(cpu(Version::V1, 1, &[], "true"), least);
    assert_eq!(cpu(Version::V2, 1, &[], "true"), ["cpu.weight = 1", "cpu.max = 1000 100000"]);
    assert_eq!(cpu(Version::V2, 500_000, &[], "false")[0], "cpu.weight = 10000");
}

fn memory(version: Version, mem: i64, limits: &[(&str, i64)], now: Now, swap: &str) -> Vec<String> {
    let limits = Limits::of(&grants(&[("mem", mem)], limits)).unwrap();
    texts(&memory::writes(version, limits, now, &settings(&[("limit_swap", swap)])).0)
}

#[test]
fn memory_has_a_soft_and_a_hard_limit_and_a_least() {
    let both = ["memory.soft_limit_in_bytes = 67108864", "memory.limit_in_bytes = 67108864"];
    assert_eq!(memory(Version::V1, 64_000, &[], Now::NEW, "false"), both);
    let both = ["memory.low = 67108864", "memory.max = 134217728"];
    assert_eq!(memory(Version::V2, 64_000, &[("mem", 128_000)], Now::NEW, "false"), both);
    let least = ["memory.low = 33554432", "memory.max = 33554432"];
    assert_eq!(memory(Version::V2, 1_000, &[], Now::NEW, "false"), least);
    let soft = ["memory.low = 67108864"];
    assert_eq!(memory(Version::V2, 64_000, &[("mem", i64::MAX)], Now::NEW, "true"), soft);
    assert_eq!(Limits::of(&grants(&[("cpus", 1)], &[])), None);
}

#[test]
fn memory_and_swap_together_are_never_below_memory_alone() {
    let order = |now| {
        let all = memory(Version::V1, 64_000, &[], now, "true");
        all[1..].iter().map(|text| text.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (hard, swap) = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
    assert_eq!(order(Now::NEW), [hard, swap]);
    assert_eq!(order(Now { hard: Some(32 * MB), used: 0 }), [swap, hard]);
    assert_eq!(order(Now { hard: Some(128 * MB), used: 0 }), [hard, swap]);
    let v2 = memory(Version::V2, 64_000, &[], Now::NEW, "true");
    assert_eq!(v2[2], "memory.swap.max = 0");
}

#[test]
fn a_hard_limit_is_lowered_only_to_what_is_not_in_use() {
    let limits = Limits { soft: 64 * MB, hard: Some(64 * MB) };
    let write =
        |hard, used| memory::writes(Version::V2, limits, Now { hard, used }, &settings(&[]));
    let (writes, kept) = write(Some(128 * MB), 65 * MB);
    assert_eq!((texts(&writes), kept), (vec!["memory.low = 67108864".to_owned()], true));
    let (writes, kept) = write(Some(128 * MB), 63 * MB);
    assert_eq!((writes.len(), kept), (2, false));
    // The same again needs no write, and a higher one no look at what is used.
    assert_eq!(write(Some(64 * MB), 64 * MB).0.len(), 1);
    assert_eq!(write(Some(32 * MB), 90 * MB).0.len(), 2);
}

#[test]
fn who_may_burst_goes_first_when_the_host_runs_out() {
    let score = |requests, limits| memory::oom_score(&grants(requests, limits), 1000 * MB);
    assert_eq!(score(&[("mem", 100_000)], &[]), None);
    assert_eq!(score(&[("mem", 100_000)], &[("mem", 100_000)]), None);
    assert_eq!(score(&[("mem", 100_000)], &[("mem", 200_000)]), Some(900));
    assert_eq!(score(&[("mem", 1)], &[("mem", i64::MAX)]), Some(999));
    assert_eq!(score(&[("mem", 5_000_000)], &[("mem", i64::MAX)]), Some(2));
}

#[test]
fn a_kill_for_want_of_memory_is_told_in_mesoss_words() {
    let story =
        memory::Story { limit: Some(64 * MB), most: 64 * MB - 4096, stat: "rss 1\n", own: true };
    let limitation = story.limitation();
    let text = "Memory limit exceeded: Requested: 64MB Maximum Used: 65532KB\n\n\
                MEMORY STATISTICS: \nrss 1\n";
    assert_eq!((limitation.resource.as_str(), limitation.message.as_str()), ("mem", text));
    let host = memory::Story { own: false, limit: None, ..story }.limitation().message;
    assert!(host.starts_with("The host ran out of memory"), "{host}");
}

#[test]
fn whose_want_it_was_is_told_apart() {
    let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
    assert_eq!(memory::kills(Version::V1, v1, true), (2, true));
    assert_eq!(memory::kills(Version::V1, v1, false), (2, false));
    assert_eq!(memory::kills(Version::V2, "max 3\noom 1\noom_kill 1\n", false), (1, true));
    assert_eq!(memory::kills(Version::V2, "max 0\noom 0\noom_kill 1\n", false), (1, false));
    assert_eq!(memory::kills(Version::V1, "under_oom 0\n", true), (0, true));
    assert!(memory::is_met(Some(64 * MB), 64 * MB - 4096, 0));
    assert!(memory::is_met(None, 1, 1));
    assert!(!memory::is_met(Some(64 * MB), 60 * MB, 0) && !memory::is_met(None, 60 * MB, 0));
}

#[test]
fn io_limits_are_of_one_form_for_both_versions() {
    let settings =
        settings(&[("io_weight", "50"), ("io_limits", "8:0 rbps=1048576 wiops=10,8:16 wbps=5")]);
    let v1 = [
        "blkio.weight = 50",
        "blkio.throttle.read_bps_device = 8:0 1048576",
        "blkio.throttle.write_iops_device = 8:0 10",
        "blkio.throttle.write_bps_device = 8:16 5",
    ];
    assert_eq!(texts(&io::writes(Version::V1, &settings)), v1);
    let v2 = ["io.weight = 50", "io.max = 8:0 rbps=1048576 wiops=10", "io.max = 8:16 wbps=5"];
    assert_eq!(texts(&io::writes(Version::V2, &settings)), v2);
}

#[test]
fn figures_have_mesoss_names_in_both_versions() {
    let mut usage = Usage::default();
    let stat = "nr_periods 30\nnr_throttled 12\nthrottled_time 1500000000\n";
    cpu::usage(Version::V1, stat, Some("user 250\nsystem 50\n"), &mut usage);
    memory::usage(Version::V1, "cache 1\ntotal_cache 7\ntotal_rss 8\ntotal_swap 9\n", &mut usage);
    let number = |usage: &Usage, name: &str| match usage.get(name) {
        Some(Value::Number(number)) => Some(number),
        Some(Value::Count(count)) => Some(count as f64),
        None => None,
    };
    let expected = [
        ("cpus_user_time_secs", 2.5),
        ("cpus_system_time_secs", 0.5),
        ("cpus_nr_periods", 30.0),
        ("cpus_nr_throttled", 12.0),
        ("cpus_throttled_time_secs", 1.5),
        ("mem_cache_bytes", 7.0),
        ("mem_rss_bytes", 8.0),
    ];
    for (name, value) in expected {
        assert_eq!(number(&usage, name), Some(value), "{name}");
    }
    assert_eq!(number(&usage, "mem_swap_bytes"), Some(9.0));
    let mut usage = Usage::default();
    let stat = "usage_usec 3000000\nuser_usec 2500000\nsystem_usec 500000\nnr_periods 30\n\
                nr_throttled 12\nthrottled_usec 1500000\n";
    cpu::usage(Version::V2, stat, None, &mut usage);
    memory::usage(Version::V2, "anon 8\nfile 7\n", &mut usage);
    for (name, value) in expected {
        assert_eq!(number(&usage, name), Some(value), "{name}");
    }
}

proptest! {
    #[test]
    fn no_grant_is_outside_what_the_kernel_takes(cpus: i64, mem: i64, limit: i64, used: u64) {
        let grants = grants(&[("cpus", cpus), ("mem", mem)], &[("cpus", limit), ("mem", limit)]);
        let settings = settings(&[("limit_swap", "true")]);
        for write in cpu::writes(Version::V1, &grants, &settings) {
            let value: i128 = write.value.parse().unwrap();
            prop_assert!(value >= 2 || value == -1, "{write:?}");
        }
        if let Some(limits) = Limits::of(&grants) {
            prop_assert!(limits.soft >= 32 * MB && limits.hard.is_none_or(|hard| hard >= 32 * MB));
            let now = Now { hard: Some(used), used };
            for write in memory::writes(Version::V2, limits, now, &settings).0 {
                prop_assert!(write.value != "0" || write.files == ["memory.swap.max"]);
            }
        }
        memory::oom_score(&grants, used);
    }
}
