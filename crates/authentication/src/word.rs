//! What the two sides say to each other, as messages of libprocess.

use bytes::Bytes;
use reeve_wire::{DecodeError, Described, WireMessage, decode, encode, internal};

/// One message of the handshake, after the request for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// What the master understands.
    Mechanisms(Vec<String>),
    /// The mechanism that was chosen; CRAM-MD5 says nothing more with it.
    Start(String, Bytes),
    /// A challenge, or the answer to it.
    Step(Bytes),
    /// The proof is good.
    Completed,
    /// The proof is not good.
    Failed,
    /// There will be no proof, and why.
    Error(String),
}

impl Word {
    /// Its message: the name and the bytes.
    pub fn encode(&self) -> (&'static str, Bytes) {
        match self {
            Word::Mechanisms(mechanisms) => {
                let mechanisms = mechanisms.clone();
                message(&internal::AuthenticationMechanismsMessage { mechanisms })
            }
            Word::Start(mechanism, data) => {
                let data = Some(data.clone()).filter(|data| !data.is_empty());
                let mechanism = mechanism.clone();
                message(&internal::AuthenticationStartMessage { mechanism, data })
            }
            Word::Step(data) => {
                message(&internal::AuthenticationStepMessage { data: data.clone() })
            }
            Word::Completed => message(&internal::AuthenticationCompletedMessage {}),
            Word::Failed => message(&internal::AuthenticationFailedMessage {}),
            Word::Error(error) => {
                let error = Some(error.clone());
                message(&internal::AuthenticationErrorMessage { error })
            }
        }
    }

    /// Reads a message; none if it is not part of a handshake.
    ///
    /// # Errors
    ///
    /// If the bytes are no such message.
    pub fn decode(name: &str, body: &Bytes) -> Result<Option<Word>, DecodeError> {
        Ok(Some(match name {
            internal::AuthenticationMechanismsMessage::NAME => {
                let wire: internal::AuthenticationMechanismsMessage = decode(body)?;
                Word::Mechanisms(wire.mechanisms)
            }
            internal::AuthenticationStartMessage::NAME => {
                let wire: internal::AuthenticationStartMessage = decode(body)?;
                Word::Start(wire.mechanism, wire.data.unwrap_or_default())
            }
            internal::AuthenticationStepMessage::NAME => {
                let wire: internal::AuthenticationStepMessage = decode(body)?;
                Word::Step(wire.data)
            }
            internal::AuthenticationCompletedMessage::NAME => Word::Completed,
            internal::AuthenticationFailedMessage::NAME => Word::Failed,
            internal::AuthenticationErrorMessage::NAME => {
                let wire: internal::AuthenticationErrorMessage = decode(body)?;
                Word::Error(wire.error.unwrap_or_default())
            }
            _ => return Ok(None),
        }))
    }
}

fn message<T: WireMessage>(wire: &T) -> (&'static str, Bytes) {
    (T::NAME, encode(wire))
}
