//! Resource limits from a ContainerInfo (Mesos docs: POSIX rlimits).

use prost::Message;
use reeve_module_sdk::Failed;
use reeve_module_sdk::isolator::Rlimit;

/// The one field of `mesos.v1.ContainerInfo` that this isolator reads.
#[derive(Clone, PartialEq, Message)]
struct ContainerInfo {
    #[prost(message, optional, tag = "9")]
    rlimit_info: Option<RlimitInfo>,
}

/// `mesos.v1.RLimitInfo`.
#[derive(Clone, PartialEq, Message)]
struct RlimitInfo {
    #[prost(message, repeated, tag = "1")]
    rlimits: Vec<Limit>,
}

/// `mesos.v1.RLimitInfo.RLimit`; no numbers mean no limit.
#[derive(Clone, Copy, PartialEq, Message)]
struct Limit {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(uint64, optional, tag = "2")]
    hard: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    soft: Option<u64>,
}

/// Name and kernel number of each `RLimit.Type`, by its number on the wire.
const KINDS: [Option<(&str, u32)>; 17] = [
    None,
    Some(("RLMT_AS", libc::RLIMIT_AS)),
    Some(("RLMT_CORE", libc::RLIMIT_CORE)),
    Some(("RLMT_CPU", libc::RLIMIT_CPU)),
    Some(("RLMT_DATA", libc::RLIMIT_DATA)),
    Some(("RLMT_FSIZE", libc::RLIMIT_FSIZE)),
    Some(("RLMT_LOCKS", libc::RLIMIT_LOCKS)),
    Some(("RLMT_MEMLOCK", libc::RLIMIT_MEMLOCK)),
    Some(("RLMT_MSGQUEUE", libc::RLIMIT_MSGQUEUE)),
    Some(("RLMT_NICE", libc::RLIMIT_NICE)),
    Some(("RLMT_NOFILE", libc::RLIMIT_NOFILE)),
    Some(("RLMT_NPROC", libc::RLIMIT_NPROC)),
    Some(("RLMT_RSS", libc::RLIMIT_RSS)),
    Some(("RLMT_RTPRIO", libc::RLIMIT_RTPRIO)),
    Some(("RLMT_RTTIME", libc::RLIMIT_RTTIME)),
    Some(("RLMT_SIGPENDING", libc::RLIMIT_SIGPENDING)),
    Some(("RLMT_STACK", libc::RLIMIT_STACK)),
];

/// The limits that an encoded ContainerInfo asks for.
pub(crate) fn of(container_info: &[u8]) -> Result<Vec<Rlimit>, Failed> {
    let info = ContainerInfo::decode(container_info)
        .map_err(|error| Failed(format!("the ContainerInfo cannot be decoded: {error}")))?;
    info.rlimit_info.unwrap_or_default().rlimits.into_iter().map(rlimit).collect()
}

fn rlimit(limit: Limit) -> Result<Rlimit, Failed> {
    let number = limit.kind.unwrap_or_default();
    let known = usize::try_from(number).ok().and_then(|number| *KINDS.get(number)?);
    let (name, resource) =
        known.ok_or_else(|| Failed(format!("rlimit_info has the unknown type {number}")))?;
    let (soft, hard) = match (limit.soft, limit.hard) {
        (None, None) => (u64::MAX, u64::MAX),
        (Some(soft), Some(hard)) if soft <= hard => (soft, hard),
        (Some(soft), Some(hard)) => {
            let text =
                format!("rlimit {name} has the soft limit {soft} above the hard limit {hard}");
            return Err(Failed(text));
        }
        _ => {
            let text =
                format!("rlimit {name} has one limit of two; give both 'soft' and 'hard', or none");
            return Err(Failed(text));
        }
    };
    Ok(Rlimit { resource, soft, hard })
}

#[cfg(test)]
mod tests;
