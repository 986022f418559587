//! From a message to protobuf bytes that every Mesos peer accepts.
//!
//! prost leaves the value of a map's entry out if it equals the default, also where it has required
//! fields: a limit of 0 becomes an entry without a value, and Mesos's own decoder refuses the whole
//! message. So such values are put back.

use bytes::{BufMut, Bytes, BytesMut};

use crate::desc::{Desc, Kind, Label, WireMessage};
use crate::required::entry;
use crate::splice::{self, Raw, RawField, append, fields};

/// Encodes a message.
pub fn encode<T: WireMessage>(message: &T) -> Bytes {
    let bytes = Bytes::from(message.encode_to_vec());
    if !T::DESC.gaps || !has_gap(&bytes, T::DESC) {
        return bytes;
    }
    // prost's own output always parses.
    filled(&bytes, T::DESC).map(BytesMut::freeze).unwrap_or(bytes)
}

/// What a field holds as far as gaps are concerned.
enum Inside<'a> {
    Nothing,
    /// A map's entry without its value.
    Gap(&'static Desc),
    /// A message that can have gaps; in a map, under this key.
    Message(&'static Desc, &'a [u8], Option<&'a [u8]>),
}

fn inside<'a>(desc: &'static Desc, raw: &RawField<'a>) -> Inside<'a> {
    let field = desc.field(raw.number).map(|field| (field.label, field.kind));
    let (Some((label, Kind::Message(inner))), Raw::Bytes(content)) = (field, raw.value) else {
        return Inside::Nothing;
    };
    match (label, entry(content)) {
        (Label::Map, Ok((_, None))) if inner.demanding => Inside::Gap(inner),
        (Label::Map, Ok((key, Some(Raw::Bytes(value))))) if inner.gaps => {
            Inside::Message(inner, value, Some(key))
        }
        (Label::Map, _) => Inside::Nothing,
        _ if inner.gaps => Inside::Message(inner, content, None),
        _ => Inside::Nothing,
    }
}

fn has_gap(message: &[u8], desc: &'static Desc) -> bool {
    fields(message).map_while(Result::ok).any(|raw| match inside(desc, &raw) {
        Inside::Nothing => false,
        Inside::Gap(_) => true,
        Inside::Message(inner, content, _) => has_gap(content, inner),
    })
}

/// The message with the missing values put in.
fn filled(message: &[u8], desc: &'static Desc) -> Result<BytesMut, splice::Error> {
    let mut out = BytesMut::with_capacity(message.len() + 64);
    for raw in fields(message) {
        let raw = raw?;
        match inside(desc, &raw) {
            Inside::Nothing => out.extend_from_slice(&message[raw.range]),
            Inside::Gap(inner) => {
                let Raw::Bytes(content) = raw.value else { continue };
                let mut whole = BytesMut::from(content);
                append(&mut whole, 2, &zero(inner));
                append(&mut out, raw.number, &whole);
            }
            Inside::Message(inner, content, None) => {
                append(&mut out, raw.number, &filled(content, inner)?);
            }
            Inside::Message(inner, content, Some(key)) => {
                let mut whole = BytesMut::new();
                append(&mut whole, 1, key);
                append(&mut whole, 2, &filled(content, inner)?);
                append(&mut out, raw.number, &whole);
            }
        }
    }
    Ok(out)
}

/// A message whose required fields are all zero.
fn zero(desc: &'static Desc) -> BytesMut {
    let mut out = BytesMut::new();
    for field in desc.fields.iter().filter(|field| field.label == Label::Required) {
        match field.kind {
            Kind::Message(inner) => append(&mut out, field.number, &zero(inner)),
            Kind::String | Kind::Bytes | Kind::Duration => append(&mut out, field.number, &[]),
            Kind::Double => {
                splice::put_varint(&mut out, u64::from(field.number) << 3 | 1);
                out.put_u64_le(0);
            }
            _ => {
                splice::put_varint(&mut out, u64::from(field.number) << 3);
                out.put_u8(0);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
