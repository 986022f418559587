//! Which znode a record is: `/reeve/registry/<shard>/<encoded key>`.
//!
//! Mesos's masters look at the children of the same path, and pass over those whose names end in no
//! number (`reeve`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The registry's znode; its data is the format.
pub(super) const ROOT: &str = "/reeve/registry";

/// Raised by each new leader; its version fences the one before.
pub(super) const EPOCH: &str = "/reeve/registry/epoch";

/// Made anew by each leader; its version counts the leader's transactions.
pub(super) const COMMIT: &str = "/reeve/registry/commit";

/// What a name may keep as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'|');

/// The shard of a key. Some hundred children per shard keep each list of names far below the 1 MB
/// that ZooKeeper allows. FNV-1a: what it gives must never change.
pub(super) fn shard(key: &str) -> u8 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    hash.to_be_bytes().into_iter().fold(0, |folded, byte| folded ^ byte)
}

/// The path of a shard.
pub(super) fn shard_path(shard: u8) -> String {
    format!("{ROOT}/{shard:02x}")
}

/// The shard with this name, if it is one's.
pub(super) fn shard_named(name: &str) -> Option<u8> {
    (name.len() == 2).then(|| u8::from_str_radix(name, 16).ok()).flatten()
}

/// The path of a record.
pub(super) fn path(key: &str) -> String {
    format!("{}/{}", shard_path(shard(key)), utf8_percent_encode(key, ESCAPED))
}

/// The key of a record with this name, if it is one.
pub(super) fn key(name: &str) -> Option<String> {
    percent_decode_str(name).decode_utf8().ok().map(|key| key.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_keys() {
        for text in ["agents/1-S0", "quota/a/b", "machines/h.example|10.0.0.1", "weights/ä %"] {
            let path = path(text);
            let name = path.rsplit('/').next().unwrap_or_default();
            assert_eq!(key(name).as_deref(), Some(text));
            assert_eq!(path.matches('/').count(), 4, "{path}");
        }
    }

    #[test]
    fn shards_stay_what_they_were_and_share_evenly() {
        assert_eq!(path("agents/1-S0"), "/reeve/registry/c4/agents%2F1-S0");
        let mut sizes = [0u32; 256];
        for agent in 0..50_000 {
            let key = format!("agents/64b50fbd-db8d-4941-a65f-be48b64dfe76-S{agent}");
            sizes[usize::from(shard(&key))] += 1;
        }
        assert!(sizes.iter().all(|size| (100..300).contains(size)), "{sizes:?}");
        assert_eq!(shard_named("0f"), Some(15));
        assert_eq!(shard_named("epoch"), None);
    }
}
