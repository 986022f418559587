//! Processors: weight against others, quota, and use (IS-3, R-23).

use reeve_module_sdk::isolator::{Grants, Usage};

use super::{Version, Write, field, own_limit};
use crate::settings::Settings;

/// Shares of one cpu and the fewest that the kernel takes, as Mesos has them.
const SHARES_PER_CPU: u64 = 1024;
const MIN_SHARES: u64 = 2;

/// The default weight of version 2 stands for one cpu, as the default of 1024 shares does.
const WEIGHT_PER_CPU: u64 = 100;
const MAX_WEIGHT: u64 = 10_000;

/// The shortest quota that the kernel takes, in microseconds.
const MIN_QUOTA: u64 = 1_000;

/// The clock of `cpuacct.stat`: the kernel shows user space a hundredth of a second everywhere.
const TICKS_PER_SECOND: f64 = 100.0;

/// What to write for what is granted.
pub(crate) fn writes(version: Version, grants: &Grants, settings: &Settings) -> Vec<Write> {
    let Some(cpus) = grants.request("cpus").and_then(|cpus| u64::try_from(cpus).ok()) else {
        return Vec::new();
    };
    let period = settings.cfs_period;
    let quota = quota(cpus, grants, settings);
    match version {
        Version::V1 => {
            let shares = (cpus.saturating_mul(SHARES_PER_CPU) / 1000).max(MIN_SHARES);
            let mut writes = vec![Write::new(&["cpu.shares"], shares)];
            match quota {
                Some(quota) => {
                    writes.push(Write::new(&["cpu.cfs_period_us"], period));
                    writes.push(Write::new(&["cpu.cfs_quota_us"], quota));
                }
                None => writes.push(Write::optional(&["cpu.cfs_quota_us"], -1)),
            }
            writes
        }
        Version::V2 => {
            let weight = (cpus.saturating_mul(WEIGHT_PER_CPU) / 1000).clamp(1, MAX_WEIGHT);
            let max = match quota {
                Some(quota) => Write::new(&["cpu.max"], format!("{quota} {period}")),
                None => Write::optional(&["cpu.max"], format!("max {period}")),
            };
            vec![Write::new(&["cpu.weight"], weight), max]
        }
    }
}

/// The quota in microseconds a period: of the limit where one is set, which counts whether or not
/// CFS is on; of the request where it is on.
fn quota(cpus: u64, grants: &Grants, settings: &Settings) -> Option<u64> {
    let thousandths = match own_limit(grants, "cpus") {
        Some(i64::MAX) => return None,
        Some(limit) => u64::try_from(limit).unwrap_or(0),
        None if settings.enable_cfs => cpus,
        None => return None,
    };
    Some((settings.cfs_period.saturating_mul(thousandths) / 1000).max(MIN_QUOTA))
}

/// Adds time and throttling from `cpu.stat`, and in version 1 from `cpuacct.stat`.
pub(crate) fn usage(version: Version, stat: &str, accounts: Option<&str>, usage: &mut Usage) {
    let mut seconds = |name: &str, value: Option<u64>, per_second: f64| {
        if let Some(value) = value {
            usage.number(name, value as f64 / per_second);
        }
    };
    match version {
        Version::V1 => {
            let time = |name| field(accounts?, name);
            seconds("cpus_user_time_secs", time("user"), TICKS_PER_SECOND);
            seconds("cpus_system_time_secs", time("system"), TICKS_PER_SECOND);
            seconds("cpus_throttled_time_secs", field(stat, "throttled_time"), 1e9);
        }
        Version::V2 => {
            seconds("cpus_user_time_secs", field(stat, "user_usec"), 1e6);
            seconds("cpus_system_time_secs", field(stat, "system_usec"), 1e6);
            seconds("cpus_throttled_time_secs", field(stat, "throttled_usec"), 1e6);
        }
    }
    for (name, key) in [("cpus_nr_periods", "nr_periods"), ("cpus_nr_throttled", "nr_throttled")] {
        if let Some(value) = field(stat, key) {
            usage.count(name, value);
        }
    }
}

/// Adds what was granted; no limit shows as none.
pub(crate) fn granted(grants: &Grants, usage: &mut Usage) {
    if let Some(limit) = grants.limit("cpus").filter(|limit| *limit < i64::MAX) {
        usage.number("cpus_limit", limit as f64 / 1000.0);
    }
    if let Some(request) = grants.request("cpus") {
        usage.number("cpus_soft_limit", request as f64 / 1000.0);
    }
}
