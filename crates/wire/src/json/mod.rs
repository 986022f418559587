//! Mesos's own JSON of its messages (row W-5), which is not the one protobuf prescribes.
//!
//! Names are those of the `.proto`, in the order of declaration; enums are written by name, bytes
//! in base64, all whole numbers as JSON numbers, doubles with their `.0`; NaN and the infinities are
//! text. An optional field that has a declared default is written even if unset, unless deprecated;
//! other unset fields and empty lists are not written. A value of an enum without a name is left
//! out. On input `null` means unset, numbers may be text, unknown fields and unknown names of
//! optional enums are ignored, and required fields must be there.
//!
//! JSON is a second reading of the encoded message: writing walks the protobuf bytes beside the
//! message's table, reading makes protobuf bytes. So there is no code per message, and forwarded
//! bytes and JSON cannot disagree.

mod duration;
mod read;
mod write;

use serde::de::{DeserializeSeed, Error as _};
use serde::{Deserializer, Serialize, Serializer};

use crate::desc::{Desc, WireMessage};
use crate::required::{self, Missing};
use read::Root;
use write::View;

/// Which generation's names to use for fields and enum values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Words {
    /// `agent_id`, `SOURCE_AGENT`: the APIs under `/api/v1`.
    #[default]
    V1,
    /// `slave_id`, `SOURCE_SLAVE`: the older endpoints.
    V0,
}

/// Why JSON text is not the message it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no JSON, or a value has the wrong type.
    #[error("{path}{}{reason}", if path.is_empty() { "" } else { ": " })]
    Value {
        /// The path of the field, such as `accept.offer_ids[0].value`; empty at the top.
        path: String,
        /// What was found, what was expected, and where in the text.
        reason: String,
    },
    /// Required fields are missing.
    #[error("{0}")]
    Missing(Missing),
}

/// A message as JSON text.
pub fn to_string<T: WireMessage>(message: &T) -> String {
    String::from_utf8(to_vec(message)).unwrap_or_default()
}

/// A message as JSON text in bytes.
pub fn to_vec<T: WireMessage>(message: &T) -> Vec<u8> {
    to_vec_in(Words::V1, message)
}

/// A message as JSON text in bytes, with the names of either generation.
pub fn to_vec_in<T: WireMessage>(words: Words, message: &T) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut text = Vec::with_capacity(bytes.len() * 3);
    // Neither the encoded message nor a vector can fail; an error could only leave the text short.
    let view = View::of(T::DESC, &bytes, words);
    if view.serialize(&mut serde_json::Serializer::new(&mut text)).is_err() {
        text.clear();
    }
    text
}

/// A message as a JSON value, for endpoints that put it into a larger one.
pub fn to_value<T: WireMessage>(message: &T) -> serde_json::Value {
    to_value_in(Words::V1, message)
}

/// A message as a JSON value, with the names of either generation.
pub fn to_value_in<T: WireMessage>(words: Words, message: &T) -> serde_json::Value {
    let bytes = message.encode_to_vec();
    serde_json::to_value(View::of(T::DESC, &bytes, words)).unwrap_or_default()
}

/// Reads a message from JSON text.
pub fn from_slice<T: WireMessage>(text: &[u8]) -> Result<T, Error> {
    from_slice_in(Words::V1, text)
}

/// Reads a message from JSON text that has the names of either generation.
pub fn from_slice_in<T: WireMessage>(words: Words, text: &[u8]) -> Result<T, Error> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let message = read(words, &mut from)?;
    let rest = from.end();
    rest.map_err(|error| Error::Value { path: String::new(), reason: error.to_string() })?;
    Ok(message)
}

/// Reads a message from a JSON value.
pub fn from_value<T: WireMessage>(value: &serde_json::Value) -> Result<T, Error> {
    read(Words::V1, value)
}

fn read<'de, T: WireMessage, D: Deserializer<'de>>(words: Words, from: D) -> Result<T, Error> {
    let mut root = Root::new(words);
    let outcome = root.seed(T::DESC).deserialize(from);
    outcome.map_err(|error| Error::Value { path: root.path(), reason: error.to_string() })?;
    build(&root.into_bytes())
}

fn build<T: WireMessage>(bytes: &[u8]) -> Result<T, Error> {
    let malformed = |reason| Error::Value { path: String::new(), reason };
    required::check(bytes, T::DESC).map_err(|error| match error {
        required::Error::Malformed(error) => malformed(error.to_string()),
        required::Error::Missing(missing) => Error::Missing(missing),
    })?;
    T::decode(bytes).map_err(|error| malformed(error.to_string()))
}

/// What every message's `Serialize` does.
pub(crate) fn serialize<S: Serializer>(
    desc: &'static Desc,
    bytes: Vec<u8>,
    to: S,
) -> Result<S::Ok, S::Error> {
    View::of(desc, &bytes, Words::V1).serialize(to)
}

/// What every message's `Deserialize` does.
pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: WireMessage,
    D: Deserializer<'de>,
{
    read(Words::V1, from).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests;
