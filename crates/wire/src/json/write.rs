//! Writing: an encoded message, seen as JSON.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use super::{Words, duration};
use crate::desc::{Default, Desc, EnumDesc, Field, Kind, Label};
use crate::required::entry;
use crate::splice::{Raw, fields};
use crate::v0;

/// The known fields of a message in the order of declaration: the place of the field, its value.
type Known<'a> = SmallVec<[(usize, Raw<'a>); 12]>;

/// A message as JSON. The bytes must be those of an encoder: what does not parse is left out.
pub(super) struct View<'a> {
    desc: &'static Desc,
    bytes: &'a [u8],
    words: Words,
}

impl<'a> View<'a> {
    pub(super) fn of(desc: &'static Desc, bytes: &'a [u8], words: Words) -> Self {
        Self { desc, bytes, words }
    }

    fn collect(&self, known: &mut Known<'a>) {
        let (mut last, mut sorted) = (0, true);
        for raw in fields(self.bytes).map_while(Result::ok) {
            if let Some(place) = self.desc.place(raw.number) {
                sorted &= last <= place;
                last = place;
                known.push((place, raw.value));
            }
        }
        if !sorted {
            known.sort_by_key(|(place, _)| *place);
        }
    }

    fn name(&self, field: &'static Field) -> &'static str {
        match self.words {
            Words::V1 => field.name,
            Words::V0 => v0::field(self.desc.name, field.name),
        }
    }

    fn put<M: SerializeMap>(
        &self,
        field: &'static Field,
        values: &[(usize, Raw<'a>)],
        to: &mut M,
    ) -> Result<(), M::Error> {
        let (kind, words) = (field.kind, self.words);
        let leaf = match (field.label, values) {
            (Label::Repeated | Label::Map, []) => return Ok(()),
            (Label::Repeated, _) => {
                return to.serialize_entry(self.name(field), &List { kind, words, values });
            }
            (Label::Map, _) => {
                return to.serialize_entry(self.name(field), &Map { kind, words, values });
            }
            (_, [.., (_, raw)]) => Leaf { kind, words, raw: *raw },
            // prost leaves a map's value out if it is all zero, required fields included.
            (Label::Required, []) => Leaf { kind, words, raw: zero(kind) },
            (Label::Optional, []) => match field.default {
                Some(default) if !field.deprecated => {
                    return put_default(kind, default, words, self.name(field), to);
                }
                _ => return Ok(()),
            },
        };
        if leaf.nameless() {
            return Ok(());
        }
        to.serialize_entry(self.name(field), &leaf)
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut known = Known::new();
        self.collect(&mut known);
        let mut rest = &known[..];
        let mut map = to.serialize_map(None)?;
        for (place, field) in self.desc.fields.iter().enumerate() {
            let count = rest.iter().take_while(|(this, _)| *this == place).count();
            if count == 0 && field.label != Label::Required && field.default.is_none() {
                continue;
            }
            let (values, after) = rest.split_at(count);
            rest = after;
            self.put(field, values, &mut map)?;
        }
        map.end()
    }
}

fn put_default<M: SerializeMap>(
    kind: Kind,
    default: Default,
    words: Words,
    name: &'static str,
    to: &mut M,
) -> Result<(), M::Error> {
    let raw = match default {
        Default::Bool(value) => Raw::Varint(value.into()),
        Default::Int(value) => Raw::Varint(value.cast_unsigned()),
        Default::Double(value) => Raw::Fixed64(value.to_bits()),
        Default::Text(value) => Raw::Bytes(value.as_bytes()),
        Default::Enum(value) => Raw::Varint(i64::from(value).cast_unsigned()),
    };
    to.serialize_entry(name, &Leaf { kind, words, raw })
}

fn zero(kind: Kind) -> Raw<'static> {
    match kind {
        Kind::Double => Raw::Fixed64(0),
        Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Duration => Raw::Bytes(&[]),
        _ => Raw::Varint(0),
    }
}

/// A repeated field.
struct List<'a, 'b> {
    kind: Kind,
    words: Words,
    values: &'b [(usize, Raw<'a>)],
}

impl Serialize for List<'_, '_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for (_, raw) in self.values {
            let leaf = Leaf { kind: self.kind, words: self.words, raw: *raw };
            if !leaf.nameless() {
                list.serialize_element(&leaf)?;
            }
        }
        list.end()
    }
}

/// A map field, as an object.
struct Map<'a, 'b> {
    kind: Kind,
    words: Words,
    values: &'b [(usize, Raw<'a>)],
}

impl Serialize for Map<'_, '_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (_, raw) in self.values {
            let Raw::Bytes(content) = raw else { continue };
            let Ok((key, value)) = entry(content) else { continue };
            let raw = value.unwrap_or(zero(self.kind));
            let leaf = Leaf { kind: self.kind, words: self.words, raw };
            map.serialize_entry(&String::from_utf8_lossy(key), &leaf)?;
        }
        map.end()
    }
}

/// A single value.
struct Leaf<'a> {
    kind: Kind,
    words: Words,
    raw: Raw<'a>,
}

impl Leaf<'_> {
    /// Whether it is an enum's value for which JSON has no name.
    fn nameless(&self) -> bool {
        match (self.kind, self.raw) {
            (Kind::Enum(desc), Raw::Varint(number)) => {
                value_name(desc, number, self.words).is_none()
            }
            _ => false,
        }
    }
}

impl Serialize for Leaf<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.kind, self.raw) {
            (Kind::Bool, Raw::Varint(value)) => to.serialize_bool(value != 0),
            (Kind::Int32, Raw::Varint(value)) => to.serialize_i32(low(value).cast_signed()),
            (Kind::Int64, Raw::Varint(value)) => to.serialize_i64(value.cast_signed()),
            (Kind::Uint32, Raw::Varint(value)) => to.serialize_u32(low(value)),
            (Kind::Uint64, Raw::Varint(value)) => to.serialize_u64(value),
            (Kind::Double, Raw::Fixed64(bits)) => double(f64::from_bits(bits), to),
            (Kind::String, Raw::Bytes(text)) => match std::str::from_utf8(text) {
                Ok(text) => to.serialize_str(text),
                Err(_) => to.serialize_str(&String::from_utf8_lossy(text)),
            },
            (Kind::Bytes, Raw::Bytes(bytes)) => {
                to.collect_str(&Base64Display::new(bytes, &STANDARD))
            }
            (Kind::Enum(desc), Raw::Varint(number)) => {
                to.serialize_str(value_name(desc, number, self.words).unwrap_or_default())
            }
            (Kind::Message(desc), Raw::Bytes(bytes)) => {
                View::of(desc, bytes, self.words).serialize(to)
            }
            (Kind::Duration, Raw::Bytes(bytes)) => to.serialize_str(&duration_text(bytes)),
            _ => to.serialize_unit(),
        }
    }
}

/// The low half of a number: 32-bit numbers travel as 64 bits.
fn low(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn double<S: Serializer>(value: f64, to: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        to.serialize_f64(value)
    } else if value.is_nan() {
        to.serialize_str("NaN")
    } else {
        to.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    }
}

fn value_name(desc: &'static EnumDesc, number: u64, words: Words) -> Option<&'static str> {
    let value = desc.by_number(low(number).cast_signed())?;
    match words {
        Words::V1 => (!value.silent).then_some(value.name),
        Words::V0 => Some(v0::value(desc.name, value.name)),
    }
}

fn duration_text(bytes: &[u8]) -> String {
    let (mut seconds, mut nanos) = (0, 0);
    for raw in fields(bytes).map_while(Result::ok) {
        match (raw.number, raw.value) {
            (1, Raw::Varint(value)) => seconds = value.cast_signed(),
            (2, Raw::Varint(value)) => nanos = low(value).cast_signed(),
            _ => {}
        }
    }
    duration::write(seconds, nanos)
}
