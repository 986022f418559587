//! Memory: limits, use, and what the kernel does when there is no more (IS-4, R-23).

use reeve_module_sdk::isolator::{Grants, Limitation, Usage};

use super::{Version, Write, field, own_limit};
use crate::settings::Settings;

/// Less than this no container is given, as in Mesos.
const LEAST: u64 = 32 << 20;

/// As far from its limit a container may be and still have met it: the kernel charges in batches.
const CLOSE: u64 = 1 << 20;

/// What a version calls its files.
pub(crate) struct Names {
    pub(crate) usage: &'static str,
    pub(crate) hard: &'static str,
    pub(crate) most: &'static str,
    pub(crate) stat: &'static str,
    /// Where kills for want of memory are counted.
    pub(crate) events: &'static str,
}

/// The names of a version.
pub(crate) fn names(version: Version) -> Names {
    match version {
        Version::V1 => Names {
            usage: "memory.usage_in_bytes",
            hard: "memory.limit_in_bytes",
            most: "memory.max_usage_in_bytes",
            stat: "memory.stat",
            events: "memory.oom_control",
        },
        Version::V2 => Names {
            usage: "memory.current",
            hard: "memory.max",
            most: "memory.peak",
            stat: "memory.stat",
            events: "memory.events",
        },
    }
}

/// What a container may use, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// What is requested: beyond it the kernel takes memory back first when the host runs short.
    pub(crate) soft: u64,
    /// None for no limit.
    pub(crate) hard: Option<u64>,
}

impl Limits {
    /// Of what is granted; none if no memory is spoken of.
    pub(crate) fn of(grants: &Grants) -> Option<Self> {
        let soft = bytes(grants.request("mem")?)?.max(LEAST);
        let hard = bytes(grants.limit("mem")?).map(|hard| hard.max(LEAST));
        Some(Self { soft, hard })
    }
}

/// Thousandths of MB as bytes; none if that is no limit.
fn bytes(thousandths: i64) -> Option<u64> {
    if thousandths == i64::MAX {
        return None;
    }
    let thousandths = u128::from(u64::try_from(thousandths).unwrap_or(0));
    Some(u64::try_from((thousandths << 20) / 1000).unwrap_or(u64::MAX))
}

/// A limit as the kernel writes it; none for no limit. Version 1 shows that as a number of its
/// own, the most pages that fit.
pub(crate) fn parse_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|limit| *limit < 1 << 62)
}

/// A hard limit as it stands, and what is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) hard: Option<u64>,
    pub(crate) used: u64,
}

impl Now {
    /// Of a container that is not yet.
    pub(crate) const NEW: Self = Self { hard: None, used: 0 };
}

/// What to write, and whether the hard limit stays above what is wanted: to lower it below what
/// is used would have the kernel kill for no fault of the container's.
pub(crate) fn writes(
    version: Version,
    limits: Limits,
    now: Now,
    settings: &Settings,
) -> (Vec<Write>, bool) {
    let text = |limit: Option<u64>| match (limit, version) {
        (Some(limit), _) => limit.to_string(),
        (None, Version::V1) => "-1".to_owned(),
        (None, Version::V2) => "max".to_owned(),
    };
    let mut writes = match version {
        Version::V1 => vec![Write::new(&["memory.soft_limit_in_bytes"], limits.soft)],
        Version::V2 => vec![Write::new(&["memory.low"], limits.soft)],
    };
    if limits.hard == now.hard {
        return (writes, false);
    }
    let wanted = limits.hard.unwrap_or(u64::MAX);
    let lower = wanted < now.hard.unwrap_or(u64::MAX);
    if lower && now.used > wanted {
        return (writes, true);
    }
    let hard = match version {
        Version::V1 => Write::new(&["memory.limit_in_bytes"], text(limits.hard)),
        Version::V2 => Write::new(&["memory.max"], text(limits.hard)),
    };
    let swap = settings.limit_swap.then(|| match version {
        Version::V1 => Write::new(&["memory.memsw.limit_in_bytes"], text(limits.hard)),
        Version::V2 => Write::new(&["memory.swap.max"], 0),
    });
    // In version 1 memory and swap together are never below memory alone.
    if lower {
        writes.extend([hard].into_iter().chain(swap));
    } else {
        writes.extend(swap.into_iter().chain([hard]));
    }
    (writes, false)
}

/// How readily the kernel takes the container's processes first when the host runs out of memory:
/// the readier the less was requested. Only for a container that may use more than it asked for;
/// 2 to 999, since 0 is everybody's and 1000 is sure death.
pub(crate) fn oom_score(grants: &Grants, host: u64) -> Option<u64> {
    let limit = own_limit(grants, "mem")?;
    let request = grants.request("mem").filter(|request| *request < limit)?;
    let share = u128::from(bytes(request)?) * 1000 / u128::from(host.max(1));
    Some(1000_u64.saturating_sub(u64::try_from(share).unwrap_or(1000)).clamp(2, 999))
}

/// What the files of a container's memory say after its processes were killed for want of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Story<'a> {
    pub(crate) limit: Option<u64>,
    pub(crate) most: u64,
    pub(crate) stat: &'a str,
    /// Whether the container came to its own limit; otherwise the host ran out.
    pub(crate) own: bool,
}

impl Story<'_> {
    /// In Mesos's words.
    pub(crate) fn limitation(&self) -> Limitation {
        let limit = self.limit.map_or_else(|| "unlimited".to_owned(), size);
        let most = size(self.most);
        let what = if self.own {
            format!("Memory limit exceeded: Requested: {limit} Maximum Used: {most}")
        } else {
            format!(
                "The host ran out of memory and its kernel killed a process of the container: \
                 Limit: {limit} Maximum Used: {most}"
            )
        };
        let stat = self.stat.trim_end();
        let message = format!("{what}\n\nMEMORY STATISTICS: \n{stat}\n");
        Limitation { resource: "mem".into(), message: message.into() }
    }
}

/// Whether a container of version 1 came to its limit. The kernel counts failures to get more
/// only at the limit of memory, not at that of memory and swap together; so closeness counts too.
pub(crate) fn is_met(limit: Option<u64>, most: u64, failures: u64) -> bool {
    failures > 0 || limit.is_some_and(|limit| most.saturating_add(CLOSE) >= limit)
}

/// How many processes were killed for want of memory, and whether at the container's own limit.
/// `met` is for version 1, which does not tell.
pub(crate) fn kills(version: Version, events: &str, met: bool) -> (u64, bool) {
    let kills = field(events, "oom_kill").unwrap_or(0);
    let own = match version {
        Version::V1 => met,
        Version::V2 => field(events, "oom").unwrap_or(0) > 0,
    };
    (kills, own)
}

/// Bytes in the largest unit that holds them without a rest, as Mesos writes sizes.
fn size(bytes: u64) -> String {
    for (shift, unit) in [(40, "TB"), (30, "GB"), (20, "MB"), (10, "KB")] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}

/// The figures of `memory.stat`: the name in Mesos, in version 1, and in version 2.
const STATISTICS: [(&str, &str, &str); 7] = [
    ("mem_rss_bytes", "total_rss", "anon"),
    ("mem_anon_bytes", "total_rss", "anon"),
    ("mem_cache_bytes", "total_cache", "file"),
    ("mem_file_bytes", "total_cache", "file"),
    ("mem_mapped_file_bytes", "total_mapped_file", "file_mapped"),
    ("mem_unevictable_bytes", "total_unevictable", "unevictable"),
    ("mem_kmem_usage_bytes", "", "kernel"),
];

/// Figures with a file of their own: the name in Mesos, the version, the file.
pub(crate) const FILES: [(&str, Version, &str); 6] = [
    ("mem_total_bytes", Version::V1, "memory.usage_in_bytes"),
    ("mem_total_memsw_bytes", Version::V1, "memory.memsw.usage_in_bytes"),
    ("mem_kmem_usage_bytes", Version::V1, "memory.kmem.usage_in_bytes"),
    ("mem_kmem_tcp_usage_bytes", Version::V1, "memory.kmem.tcp.usage_in_bytes"),
    ("mem_total_bytes", Version::V2, "memory.current"),
    ("mem_swap_bytes", Version::V2, "memory.swap.current"),
];

/// Adds what `memory.stat` says.
pub(crate) fn usage(version: Version, stat: &str, usage: &mut Usage) {
    for (name, first, second) in STATISTICS {
        let key = if version == Version::V1 { first } else { second };
        if let Some(value) = field(stat, key) {
            usage.count(name, value);
        }
    }
    if let Some(value) = field(stat, "total_swap").filter(|_| version == Version::V1) {
        usage.count("mem_swap_bytes", value);
    }
}

/// Adds what was granted; no limit shows as none.
pub(crate) fn granted(grants: &Grants, usage: &mut Usage) {
    let Some(limits) = Limits::of(grants) else { return };
    if let Some(hard) = limits.hard {
        usage.count("mem_limit_bytes", hard);
    }
    usage.count("mem_soft_limit_bytes", limits.soft);
}
