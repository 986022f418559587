//! The check that an encoded message has all its required fields.
//!
//! prost fills a missing required field with zero; Mesos refuses the message. The check walks the
//! bytes beside the message's table, before anything is built.

use std::fmt;

use crate::desc::{Desc, Kind, Label};
use crate::splice::{self, Raw, fields};

/// How deep messages may nest, as in prost and in Google's own decoder.
const DEEPEST: usize = 100;

/// How many missing fields are named; a hostile message may lack any number.
const NAMED: usize = 16;

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no protobuf message, or nest too deeply.
    #[error("{0}")]
    Malformed(splice::Error),
    /// Required fields are missing.
    #[error("{0}")]
    Missing(Missing),
}

/// The paths of the required fields that are missing, such as `subscribe.framework_info.user`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Vec<String>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Missing required fields: {}", self.0.join(", "))
    }
}

/// Checks an encoded message against its table.
///
/// A map's value that is absent counts as the empty value: protobuf writers may leave it out.
pub fn check(message: &[u8], desc: &'static Desc) -> Result<(), Error> {
    check_around(message, desc, &[])
}

/// As [`check`], but for what is inside the fields of these numbers, which somebody else checks.
pub fn check_around(message: &[u8], desc: &'static Desc, inside: &[u32]) -> Result<(), Error> {
    if complete(message, desc, inside, DEEPEST).map_err(Error::Malformed)? {
        return Ok(());
    }
    let mut missing = Vec::new();
    name(message, desc, &mut String::new(), DEEPEST, &mut missing).map_err(Error::Malformed)?;
    Err(Error::Missing(Missing(missing)))
}

/// Whether nothing is missing. The walk that every incoming message takes: no paths, no memory.
fn complete(
    message: &[u8],
    desc: &'static Desc,
    passed_over: &[u32],
    depth: usize,
) -> Result<bool, splice::Error> {
    let mut seen = [0_u64; 4];
    for raw in fields(message) {
        let raw = raw?;
        let Some(place) = desc.place(raw.number) else { continue };
        seen[place / 64 % 4] |= 1 << (place % 64);
        if passed_over.contains(&raw.number) {
            continue;
        }
        let field = &desc.fields[place];
        let Some((inner, content)) = inner(field.kind, field.label, raw.value)? else { continue };
        let depth = depth.checked_sub(1);
        let depth = depth.ok_or(splice::Error { at: 0, what: "messages nest too deeply" })?;
        if !complete(content, inner, &[], depth)? {
            return Ok(false);
        }
    }
    let unseen = |place: usize| seen[place / 64 % 4] & 1 << (place % 64) == 0;
    let mut places = desc.fields.iter().enumerate();
    Ok(!places.any(|(place, field)| field.label == Label::Required && unseen(place)))
}

/// The message inside a field, if it can lack anything.
fn inner(
    kind: Kind,
    label: Label,
    value: Raw<'_>,
) -> Result<Option<(&'static Desc, &[u8])>, splice::Error> {
    let (Kind::Message(inner), Raw::Bytes(content)) = (kind, value) else { return Ok(None) };
    if !inner.demanding {
        return Ok(None);
    }
    if label != Label::Map {
        return Ok(Some((inner, content)));
    }
    Ok(entry(content)?.1.and_then(|value| match value {
        Raw::Bytes(value) => Some((inner, value)),
        _ => None,
    }))
}

/// The key and the value of a map's entry.
pub(crate) fn entry(entry: &[u8]) -> Result<(&[u8], Option<Raw<'_>>), splice::Error> {
    let (mut key, mut value): (&[u8], _) = (&[], None);
    for raw in fields(entry) {
        match raw? {
            splice::RawField { number: 1, value: Raw::Bytes(text), .. } => key = text,
            splice::RawField { number: 2, value: found, .. } => value = Some(found),
            _ => {}
        }
    }
    Ok((key, value))
}

/// Collects the paths of what is missing, in a message that was found wanting.
fn name(
    message: &[u8],
    desc: &'static Desc,
    path: &mut String,
    depth: usize,
    missing: &mut Vec<String>,
) -> Result<(), splice::Error> {
    let mut counts = vec![0_usize; desc.fields.len()];
    for raw in fields(message) {
        let raw = raw?;
        let Some(place) = desc.place(raw.number) else { continue };
        let (field, index) = (&desc.fields[place], counts[place]);
        counts[place] += 1;
        let Some((inner, content)) = inner(field.kind, field.label, raw.value)? else { continue };
        let length = path.len();
        path.push_str(field.name);
        match (field.label, raw.value) {
            (Label::Repeated, _) => path.push_str(&format!("[{index}]")),
            (Label::Map, Raw::Bytes(content)) => {
                let key = String::from_utf8_lossy(entry(content)?.0);
                path.push_str(&format!("[{key}]"));
            }
            _ => {}
        }
        path.push('.');
        if depth > 0 {
            name(content, inner, path, depth - 1, missing)?;
        }
        path.truncate(length);
    }
    for (field, count) in desc.fields.iter().zip(&counts) {
        if field.label == Label::Required && *count == 0 && missing.len() < NAMED {
            missing.push(format!("{path}{}", field.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
