//! Sixteen bytes that name one status update, one stream, one version. Who makes them has chance;
//! this room has none.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// A UUID as bytes; its text is the hyphenated form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// Why bytes or text are no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UuidError {
    /// Not sixteen bytes.
    #[error("a UUID has 16 bytes, not {0}")]
    Length(usize),
    /// Not `8-4-4-4-12` hexadecimal digits.
    #[error("'{0}' is not a UUID such as 123e4567-e89b-12d3-a456-426614174000")]
    Text(String),
}

impl Uuid {
    /// Takes the wire's bytes.
    ///
    /// # Errors
    /// If there are not sixteen.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, UuidError> {
        bytes.try_into().map(Self).map_err(|_| UuidError::Length(bytes.len()))
    }

    /// A version 4 UUID made of sixteen bytes of chance.
    pub fn from_chance(mut chance: [u8; 16]) -> Self {
        chance[6] = (chance[6] & 0x0f) | 0x40;
        chance[8] = (chance[8] & 0x3f) | 0x80;
        Self(chance)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The bytes as the wire carries them.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Self, UuidError> {
        let wrong = || UuidError::Text(text.to_owned());
        if text.len() != 36 {
            return Err(wrong());
        }
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (at, byte) in text.bytes().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(wrong());
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or_else(wrong)?;
            let digit = u8::try_from(digit).map_err(|_| wrong())?;
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
            digits += 1;
        }
        Ok(Self(bytes))
    }
}
