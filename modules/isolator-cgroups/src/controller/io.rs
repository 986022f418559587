//! Reading and writing of block devices: weight against others, and limits (IS-6).

use super::{Version, Write};
use crate::settings::Settings;

/// Limits of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IoLimit {
    /// `major:minor`.
    device: String,
    /// What is limited, as version 2 names it, and to how much a second.
    limits: Vec<(Kind, u64)>,
}

/// What can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    name: &'static str,
    v1: &'static [&'static str],
}

const KINDS: [Kind; 4] = [
    Kind { name: "rbps", v1: &["blkio.throttle.read_bps_device"] },
    Kind { name: "wbps", v1: &["blkio.throttle.write_bps_device"] },
    Kind { name: "riops", v1: &["blkio.throttle.read_iops_device"] },
    Kind { name: "wiops", v1: &["blkio.throttle.write_iops_device"] },
];

impl IoLimit {
    /// Reads a line of the form of version 2, such as `8:0 rbps=1048576 wiops=100`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is not a device and its limits, as in '8:0 rbps=1048576 wiops=100' \
                 (of rbps, wbps, riops, wiops, each above 0)"
            )
        };
        let mut words = text.split_ascii_whitespace();
        let device = words.next().ok_or_else(wrong)?;
        let (major, minor) = device.split_once(':').ok_or_else(wrong)?;
        if major.parse::<u32>().is_err() || minor.parse::<u32>().is_err() {
            return Err(wrong());
        }
        let limits = words.map(|word| {
            let (name, value) = word.split_once('=')?;
            let kind = KINDS.into_iter().find(|kind| kind.name == name)?;
            Some((kind, value.parse().ok().filter(|value| *value > 0)?))
        });
        let limits: Vec<_> = limits.collect::<Option<_>>().ok_or_else(wrong)?;
        if limits.is_empty() {
            return Err(wrong());
        }
        Ok(Self { device: device.to_owned(), limits })
    }
}

/// What to write once.
pub(crate) fn writes(version: Version, settings: &Settings) -> Vec<Write> {
    let mut writes = Vec::new();
    if let Some(weight) = settings.io_weight {
        // The scheduler BFQ has a file of its own.
        let files: &[&str] = match version {
            Version::V1 => &["blkio.weight", "blkio.bfq.weight"],
            Version::V2 => &["io.weight", "io.bfq.weight"],
        };
        writes.push(Write::new(files, weight));
    }
    for IoLimit { device, limits } in &settings.io_limits {
        match version {
            Version::V1 => writes.extend(
                limits.iter().map(|(kind, value)| Write::new(kind.v1, format!("{device} {value}"))),
            ),
            Version::V2 => {
                let limits: Vec<String> =
                    limits.iter().map(|(kind, value)| format!("{}={value}", kind.name)).collect();
                writes.push(Write::new(&["io.max"], format!("{device} {}", limits.join(" "))));
            }
        }
    }
    writes
}
