//! The journal of a LevelDB, `NNNNNN.log`: what was written since its tables were.
//!
//! The library that reads a LevelDB stops at the first damage and says nothing, as is right for a
//! store that goes on after a crash. Who moves to another store must know.

/// Fragments don't cross the ends of blocks of this size.
const BLOCK: usize = 32 * 1024;

/// A fragment begins with a checksum (4 bytes), its length (2) and its type (1).
const HEADER: usize = 7;

/// Whether a journal is whole to its end; what a crash left half-written is not.
///
/// # Errors
///
/// Where a checksum is wrong.
pub(super) fn check(journal: &[u8]) -> Result<bool, String> {
    let mut at = 0;
    for block in journal.chunks(BLOCK) {
        let mut rest = block;
        while rest.len() >= HEADER {
            let (header, behind) = rest.split_at(HEADER);
            let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
            if header == [0; HEADER] {
                // The file was made longer in advance.
                return Ok(true);
            }
            let Some(payload) = behind.get(..length) else {
                return Ok(false);
            };
            let sum = crc32c::crc32c_append(crc32c::crc32c(&header[6..]), payload);
            if masked(sum).to_le_bytes() != header[..4] {
                let place = at + block.len() - rest.len();
                return Err(format!("the checksum at byte {place} is wrong"));
            }
            rest = &behind[length..];
        }
        at += block.len();
    }
    Ok(true)
}

/// As LevelDB stores a checksum, so that one of data that holds checksums is not weak.
fn masked(sum: u32) -> u32 {
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}
