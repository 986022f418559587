//! CPU and memory, as Mesos's Docker containerizer sets them.

use reeve_module_sdk::isolator::Grants;
use serde_json::{Map, Value, json};

/// The period of the CPU quota in microseconds, that of Mesos.
const PERIOD: i64 = 100_000;

/// The least quota in microseconds that the kernel takes.
const LEAST_QUOTA: i64 = 1_000;

/// The fewest CPU shares that the kernel takes.
const LEAST_SHARES: i64 = 2;

/// The least memory that Mesos gives a container, in bytes.
const LEAST_MEMORY: i64 = 32 << 20;

/// No limit of memory, as the kernel shows it: the engine takes no other word for it when a
/// container has a limit already.
const NO_LIMIT: i64 = i64::MAX - 4_095;

/// How CPU time is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cpu {
    /// By weight, and by quota where the task sets a limit.
    Weight,
    /// By weight and quota (Mesos's `--cgroups_enable_cfs`).
    Quota,
}

/// The resources in a new container's HostConfig.
pub(crate) fn of(grants: &Grants, cpu: Cpu, host_memory: u64) -> Map<String, Value> {
    let mut all = shares(grants);
    if let Some(Some(quota)) = quota(grants, cpu) {
        all.insert("CpuPeriod".to_owned(), json!(PERIOD));
        all.insert("CpuQuota".to_owned(), json!(quota));
    }
    if let Some(Memory { limit, reserved }) = Memory::of(grants) {
        if let Some(limit) = limit {
            all.insert("Memory".to_owned(), json!(limit));
        }
        if let Some(reserved) = reserved {
            all.insert("MemoryReservation".to_owned(), json!(reserved));
            all.insert("OomScoreAdj".to_owned(), json!(oom_score(reserved, host_memory)));
        }
    }
    all
}

fn shares(grants: &Grants) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(cpus) = grants.request("cpus") {
        let shares = (cpus.saturating_mul(1_024) / 1_000).max(LEAST_SHARES);
        all.insert("CpuShares".to_owned(), json!(shares));
    }
    all
}

/// The quota in microseconds a period; the inner `None` is no limit.
fn quota(grants: &Grants, cpu: Cpu) -> Option<Option<i64>> {
    let set = grants.limits.iter().any(|limit| limit.name == "cpus");
    if !set && cpu == Cpu::Weight {
        return None;
    }
    Some(match grants.limit("cpus")? {
        i64::MAX => None,
        cpus => Some(cpus.saturating_mul(PERIOD / 1_000).max(LEAST_QUOTA)),
    })
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Memory {
    /// The most there may be, if there is a most.
    limit: Option<i64>,
    /// What is asked for, if there may be more.
    reserved: Option<i64>,
}

impl Memory {
    fn of(grants: &Grants) -> Option<Self> {
        let bytes = |thousandths: i64| {
            (i128::from(thousandths) << 20).checked_div(1_000).and_then(|n| i64::try_from(n).ok())
        };
        let request = grants.request("mem").and_then(bytes).map(|bytes| bytes.max(LEAST_MEMORY));
        let limit = match grants.limit("mem")? {
            i64::MAX => None,
            limit => Some(bytes(limit).unwrap_or(i64::MAX).max(LEAST_MEMORY)),
        };
        let reserved = request.filter(|request| limit.is_none_or(|limit| *request < limit));
        Some(Self { limit, reserved })
    }
}

/// How soon the kernel kills a container that uses more than it asked for, when the host has no
/// memory left: the smaller its share of the host's memory, the sooner (2 to 999).
fn oom_score(reserved: i64, host_memory: u64) -> i64 {
    let host = i128::from(host_memory.max(1));
    let share = i128::from(reserved) * 1_000 / host;
    i64::try_from((1_000 - share).clamp(2, 999)).unwrap_or(999)
}

/// What `POST /containers/ID/update` is told when the grants change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changes<'a> {
    pub(crate) grants: &'a Grants,
    pub(crate) cpu: Cpu,
    /// The container's HostConfig as the engine has it.
    pub(crate) now: &'a Value,
}

impl Changes<'_> {
    /// The body. A number of zero would leave the container as it is, so there is another for
    /// no limit.
    pub(crate) fn body(self) -> Value {
        let mut all = shares(self.grants);
        if let Some(quota) = quota(self.grants, self.cpu) {
            all.insert("CpuPeriod".to_owned(), json!(PERIOD));
            all.insert("CpuQuota".to_owned(), json!(quota.unwrap_or(-1)));
        }
        if let Some(Memory { limit, reserved }) = Memory::of(self.grants) {
            let most = limit.unwrap_or(NO_LIMIT);
            all.insert("Memory".to_owned(), json!(most));
            all.insert("MemorySwap".to_owned(), json!(self.swap(limit)));
            // Said in any case: the old one may be above the new limit.
            all.insert("MemoryReservation".to_owned(), json!(reserved.unwrap_or(most)));
        }
        Value::Object(all)
    }

    /// Memory and swap together, for which the engine wants a number when it has one: as much
    /// swap as there was.
    fn swap(self, limit: Option<i64>) -> i64 {
        let now = |name: &str| self.now[name].as_i64().unwrap_or(0);
        let swap = match now("MemorySwap") {
            // No limit, once and for all.
            ..0 => return -1,
            0 | NO_LIMIT => None,
            total => Some((total - now("Memory")).max(0)),
        };
        match limit {
            // Here -1 would leave the old one, which is below the new limit.
            None => NO_LIMIT,
            Some(limit) => limit.saturating_add(swap.unwrap_or(limit)),
        }
    }
}
