//! From protobuf bytes to a message, with the required fields checked.

use bytes::Bytes;

use crate::desc::WireMessage;
use crate::required::{self, Missing};

/// Why bytes are not the message they should be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no protobuf message, or a field has the wrong type.
    #[error("{message} does not parse: {reason}")]
    Malformed {
        /// The full name of the message.
        message: &'static str,
        /// What is wrong, and in which field.
        reason: String,
    },
    /// Required fields are missing.
    #[error("{message} is incomplete. {missing}")]
    Missing {
        /// The full name of the message.
        message: &'static str,
        /// The missing fields.
        missing: Missing,
    },
}

/// Decodes a message and refuses one without all its required fields. Fields of type bytes share
/// memory with `bytes`.
pub fn decode<T: WireMessage>(bytes: &Bytes) -> Result<T, DecodeError> {
    let malformed = |reason| DecodeError::Malformed { message: T::NAME, reason };
    let message = T::decode(bytes.clone()).map_err(|error| malformed(error.to_string()))?;
    required::check(bytes, T::DESC).map_err(|error| match error {
        required::Error::Malformed(error) => malformed(error.to_string()),
        required::Error::Missing(missing) => DecodeError::Missing { message: T::NAME, missing },
    })?;
    Ok(message)
}

#[cfg(test)]
mod tests;
