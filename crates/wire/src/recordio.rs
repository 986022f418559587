//! Records in a stream (row W-3): the length in decimal digits, a newline, then that many bytes.
//!
//! Where chunks of the stream begin and end means nothing to a reader. Sockets do not live here.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// How many digits a length may have: as many as 2⁶⁴ − 1 has.
const DIGITS: usize = 20;

/// Puts a record into its frame.
pub fn encode(record: &[u8]) -> Bytes {
    let length = record.len().to_string();
    let mut framed = BytesMut::with_capacity(length.len() + 1 + record.len());
    framed.put_slice(length.as_bytes());
    framed.put_u8(b'\n');
    framed.put_slice(record);
    framed.freeze()
}

/// Why a stream is no stream of records. Nothing can be read after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The length is not decimal digits.
    #[error("the record's length has the byte {0:#04x}, which is no digit")]
    NoDigit(u8),
    /// The length is missing: a newline where digits should be.
    #[error("the record's length is empty")]
    NoLength,
    /// The length has more digits than any length needs.
    #[error("the record's length has more than {DIGITS} digits")]
    LongLength,
    /// The record is larger than the reader allows.
    #[error("the record has {length} bytes, more than the {most} allowed")]
    TooLarge {
        /// The announced length in bytes.
        length: u64,
        /// The limit in bytes.
        most: usize,
    },
}

/// Takes a stream apart: push what arrives, pop records.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    most: usize,
    /// The length of the record at the front of the buffer, once its line has been read.
    length: Option<usize>,
    failed: Option<Error>,
}

impl Decoder {
    /// A decoder for records of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { buffer: BytesMut::new(), most, length: None, failed: None }
    }

    /// Adds bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole record, `None` while it is still incomplete. An empty record, which Mesos
    /// never writes, is given as any other. After an error every call gives that error.
    pub fn pop(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let outcome = self.record();
        if let Err(error) = &outcome {
            self.failed = Some(error.clone());
            self.buffer = BytesMut::new();
        }
        outcome
    }

    /// Whether the stream could end here: nothing of a further record has arrived.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.length.is_none()
    }

    fn record(&mut self) -> Result<Option<Bytes>, Error> {
        if self.length.is_none() {
            self.length = self.line()?;
        }
        match self.length {
            Some(length) if self.buffer.len() >= length => {
                self.length = None;
                Ok(Some(self.buffer.split_to(length).freeze()))
            }
            _ => Ok(None),
        }
    }

    /// Reads the line with the length, if it is all there.
    fn line(&mut self) -> Result<Option<usize>, Error> {
        let mut length = 0_u64;
        for (index, byte) in self.buffer.iter().enumerate() {
            match byte {
                b'\n' if index == 0 => return Err(Error::NoLength),
                b'\n' => {
                    let fitting =
                        usize::try_from(length).ok().filter(|length| *length <= self.most);
                    let fitting = fitting.ok_or(Error::TooLarge { length, most: self.most })?;
                    self.buffer.advance(index + 1);
                    return Ok(Some(fitting));
                }
                _ if index == DIGITS => return Err(Error::LongLength),
                b'0'..=b'9' => {
                    length = length.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                }
                other => return Err(Error::NoDigit(*other)),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
