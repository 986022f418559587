//! RecordIO as it arrives: a decimal length, a line end, that many bytes (Mesos docs: RecordIO).

/// The longest record taken; a longer one is a sign of a stream out of step.
const MAX_RECORD: usize = 64 << 20;

/// The stream is not RecordIO.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the agent's event stream has a bad record length")]
pub struct BadLength;

/// Cuts a stream into records.
#[derive(Debug, Default)]
pub struct Records {
    input: Vec<u8>,
}

impl Records {
    /// Takes in what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next whole record.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, BadLength> {
        let Some(end) = self.input.iter().take(20).position(|&byte| byte == b'\n') else {
            return if self.input.len() < 20 { Ok(None) } else { Err(BadLength) };
        };
        let digits = std::str::from_utf8(&self.input[..end]).map_err(|_| BadLength)?;
        let length: usize = digits.parse().map_err(|_| BadLength)?;
        if length > MAX_RECORD {
            return Err(BadLength);
        }
        let begin = end + 1;
        if self.input.len() < begin + length {
            return Ok(None);
        }
        let record = self.input[begin..begin + length].to_vec();
        self.input.drain(..begin + length);
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests;
