//! Records and their checksums.
//!
//! ```text
//! whole file   length record [seal]            Mesos reads one record and no further
//! list         length record  length record …  as Mesos has it
//! log          length record  length record …  the seal is the record's last field, number 15,
//!                                              which Mesos does not know and passes over
//! seal         "sum:" and the CRC-32 of the record, 8 bytes
//! ```
//!
//! What has no seal was written by Mesos, and is taken as it is.

use std::fmt;

use bytes::Bytes;

/// The longest record taken; a longer one means that the file is not what it should be.
const MAX_RECORD: usize = 256 << 20;

/// What a seal begins with.
const MARK: &[u8; 4] = b"sum:";

/// Field 15 of a message, 8 bytes long.
const FIELD: [u8; 2] = [15 << 3 | 2, 8];

const SEAL: usize = 8;

/// What is wrong with a file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing is in it.
    Empty,
    /// It ends within a record.
    Short {
        /// The bytes that are there, lengths included.
        has: usize,
        /// The bytes that would be there.
        wants: usize,
    },
    /// A length that no record has.
    Length(u32),
    /// The record and its checksum differ.
    Sum,
    /// Something follows that is neither record nor checksum.
    Tail,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "is empty"),
            Self::Short { has, wants } => write!(f, "ends after {has} of {wants} bytes"),
            Self::Length(0) => write!(f, "holds zeros where a record should be"),
            Self::Length(length) => write!(f, "speaks of a record of {length} bytes"),
            Self::Sum => write!(f, "does not match its checksum"),
            Self::Tail => write!(f, "goes on after its end"),
        }
    }
}

impl Flaw {
    /// Whether a writer that died while it added a record leaves this: nobody was told that the
    /// record is safe.
    pub fn is_torn_write(self) -> bool {
        matches!(self, Self::Short { .. } | Self::Length(0))
    }
}

/// The bytes of one record, its length first; none if it is too long for that, or has none.
pub fn framed(record: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(record.len()).ok()?;
    let fits = (1..=MAX_RECORD).contains(&record.len());
    fits.then(|| [&length.to_ne_bytes(), record].concat())
}

/// The bytes of a file that holds one record.
pub fn sealed(record: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = framed(record)?;
    bytes.extend(seal(record));
    Some(bytes)
}

/// The bytes of one record of a log.
pub fn logged(record: &[u8]) -> Option<Vec<u8>> {
    framed(&[record, &FIELD, &seal(record)].concat())
}

fn seal(record: &[u8]) -> [u8; SEAL] {
    let [a, b, c, d] = *MARK;
    let [e, f, g, h] = crc32fast::hash(record).to_be_bytes();
    [a, b, c, d, e, f, g, h]
}

/// The record of a file that holds one.
pub fn single(bytes: &Bytes) -> Result<Bytes, Flaw> {
    let record = record_at(bytes, 0)?.ok_or(Flaw::Empty)?;
    let rest = bytes.slice(4 + record.len()..);
    if rest[..] == seal(&record) || rest.is_empty() && !ends_in_seal(&record) {
        Ok(record)
    } else if rest.len() == SEAL {
        Err(Flaw::Sum)
    } else {
        Err(Flaw::Tail)
    }
}

/// Whether a length that grew made a seal part of its record.
fn ends_in_seal(record: &[u8]) -> bool {
    let end = record.len().saturating_sub(SEAL);
    record.get(end..).is_some_and(|tail| tail.starts_with(MARK))
}

/// The records of a list or a log, up to the first thing that is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The records in order, seals taken off; those that do not match theirs say so.
    pub records: Vec<Result<Bytes, Flaw>>,
    /// What follows the last one and is no record.
    pub end: Option<Flaw>,
}

/// Cuts bytes into records.
pub fn cut(bytes: &Bytes) -> Records {
    let mut found = Records::default();
    let mut at = 0;
    loop {
        match record_at(bytes, at) {
            Ok(Some(record)) => {
                at += 4 + record.len();
                found.records.push(unsealed(record));
            }
            Ok(None) => return found,
            Err(flaw) => {
                found.end = Some(flaw);
                return found;
            }
        }
    }
}

/// The record without its seal, if it has one and it is right.
fn unsealed(record: Bytes) -> Result<Bytes, Flaw> {
    let Some(end) = record.len().checked_sub(FIELD.len() + SEAL) else { return Ok(record) };
    let tail = record.slice(end..);
    if !tail.starts_with(&FIELD) || tail.get(2..6) != Some(MARK.as_slice()) {
        return Ok(record);
    }
    let record = record.slice(..end);
    if tail[2..] == seal(&record) { Ok(record) } else { Err(Flaw::Sum) }
}

/// The record that begins here; none at the end.
fn record_at(bytes: &Bytes, at: usize) -> Result<Option<Bytes>, Flaw> {
    let rest = bytes.slice(at.min(bytes.len())..);
    if rest.is_empty() {
        return Ok(None);
    }
    let short = |wants| Flaw::Short { has: rest.len(), wants };
    let length = rest.first_chunk::<4>().ok_or_else(|| short(4))?;
    let length = u32::from_ne_bytes(*length);
    let fits = usize::try_from(length).ok().filter(|length| (1..=MAX_RECORD).contains(length));
    let end = 4 + fits.ok_or(Flaw::Length(length))?;
    if end > rest.len() {
        return Err(short(end));
    }
    Ok(Some(rest.slice(4..end)))
}
