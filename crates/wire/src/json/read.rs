//! Reading: JSON into an encoded message.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess};
use serde::de::{Unexpected, Visitor};

use super::{Words, duration};
use crate::desc::{Desc, EnumDesc, Field, Kind, Label};
use crate::splice::put_varint;
use crate::v0;

/// A step from a message into it.
enum Step {
    Field(&'static str),
    Index(usize),
    Key(String),
}

/// What the reading of one text has come to.
pub(super) struct Root {
    out: Vec<u8>,
    /// Where reading stands, and after an error where it failed.
    path: Vec<Step>,
    words: Words,
}

impl Root {
    pub(super) fn new(words: Words) -> Self {
        Self { out: Vec::new(), path: Vec::new(), words }
    }

    pub(super) fn seed(&mut self, desc: &'static Desc) -> Message<'_> {
        Message { desc, root: self }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Where reading failed, such as `accept.offer_ids[0].value`.
    pub(super) fn path(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) if text.is_empty() => text.push_str(name),
                Step::Field(name) => text.push_str(&format!(".{name}")),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Key(key) => text.push_str(&format!("[{key}]")),
            }
        }
        text
    }

    fn tag(&mut self, number: u32, wire_type: u64) {
        put_varint(&mut self.out, u64::from(number) << 3 | wire_type);
    }

    fn varint(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        put_varint(&mut self.out, value);
    }

    fn content(&mut self, number: u32, content: &[u8]) {
        self.tag(number, 2);
        put_varint(&mut self.out, content.len() as u64);
        self.out.extend_from_slice(content);
    }

    fn open(&mut self, number: u32) -> usize {
        self.tag(number, 2);
        self.out.len()
    }

    /// Puts the length before what was written since `open`.
    fn close(&mut self, start: usize) {
        let mut length = [0_u8; 10];
        let mut rest = &mut length[..];
        put_varint(&mut rest, (self.out.len() - start) as u64);
        let unused = rest.len();
        let length = &length[..10 - unused];
        self.out.splice(start..start, length.iter().copied());
    }
}

/// Reads an object as a message.
pub(super) struct Message<'r> {
    desc: &'static Desc,
    root: &'r mut Root,
}

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", self.desc.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { desc, root } = self;
        let mut next = 0;
        while let Some(place) = map.next_key_seed(Key { desc, next, words: root.words })? {
            let Some(place) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let field = &desc.fields[place];
            root.path.push(Step::Field(field.name));
            map.next_value_seed(Slot::of(field, root))?;
            root.path.pop();
            next = place + 1;
        }
        Ok(())
    }
}

/// Reads a name as the place of a field; `None` for a name the message does not have.
struct Key {
    desc: &'static Desc,
    /// Where the search begins: objects mostly follow the order of declaration.
    next: usize,
    words: Words,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let fields = self.desc.fields;
        let is = |place: &usize| match self.words {
            Words::V1 => fields[*place].name == name,
            Words::V0 => v0::field(self.desc.name, fields[*place].name) == name,
        };
        Ok((self.next..fields.len()).chain(0..self.next).find(is))
    }
}

/// Reads the value of a field. The outcome says whether anything was written: `null` and unknown
/// names of enums write nothing.
struct Slot<'r> {
    number: u32,
    label: Label,
    kind: Kind,
    root: &'r mut Root,
}

impl<'r> Slot<'r> {
    fn of(field: &'static Field, root: &'r mut Root) -> Self {
        Self { number: field.number, label: field.label, kind: field.kind, root }
    }

    fn whole<E: Error>(self, value: i128, found: Unexpected<'_>) -> Result<bool, E> {
        let encoded = match self.kind {
            Kind::Int32 => i32::try_from(value).ok().map(|value| i64::from(value).cast_unsigned()),
            Kind::Int64 => i64::try_from(value).ok().map(i64::cast_unsigned),
            Kind::Uint32 => u32::try_from(value).ok().map(u64::from),
            Kind::Uint64 => u64::try_from(value).ok(),
            Kind::Enum(desc) => {
                let known = i32::try_from(value).ok().filter(|n| desc.by_number(*n).is_some());
                return match known {
                    Some(number) => {
                        self.root.varint(self.number, i64::from(number).cast_unsigned());
                        Ok(true)
                    }
                    None => self.unknown(desc, &value),
                };
            }
            _ => return Err(E::invalid_type(found, &self)),
        };
        let Some(encoded) = encoded else { return Err(E::invalid_value(found, &self)) };
        self.root.varint(self.number, encoded);
        Ok(true)
    }

    fn double<E: Error>(self, value: f64, found: Unexpected<'_>) -> Result<bool, E> {
        if let Kind::Double = self.kind {
            self.root.tag(self.number, 1);
            self.root.out.extend_from_slice(&value.to_le_bytes());
            return Ok(true);
        }
        // A whole number may be written with a fraction of zero, or in powers of ten.
        let whole = value.fract() == 0.0 && value.abs() < 1e19;
        match whole.then(|| format!("{value:.0}").parse().ok()).flatten() {
            Some(value) => self.whole(value, found),
            None => Err(E::invalid_type(found, &self)),
        }
    }

    fn text<E: Error>(self, text: &str) -> Result<bool, E> {
        let found = Unexpected::Str(text);
        match self.kind {
            Kind::String => self.root.content(self.number, text.as_bytes()),
            Kind::Bytes => match STANDARD.decode(text) {
                Ok(bytes) => self.root.content(self.number, &bytes),
                Err(_) => return Err(E::invalid_value(found, &self)),
            },
            Kind::Enum(desc) => {
                let value = desc.values.iter().find(|value| match self.root.words {
                    Words::V1 => value.name == text,
                    Words::V0 => v0::value(desc.name, value.name) == text,
                });
                let Some(value) = value else { return self.unknown(desc, &text) };
                self.root.varint(self.number, i64::from(value.number).cast_unsigned());
            }
            Kind::Duration => match duration::read(text) {
                Some((seconds, nanos)) => {
                    let start = self.root.open(self.number);
                    self.root.varint(1, seconds.cast_unsigned());
                    self.root.varint(2, i64::from(nanos).cast_unsigned());
                    self.root.close(start);
                }
                None => return Err(E::invalid_value(found, &self)),
            },
            Kind::Bool | Kind::Message(_) => return Err(E::invalid_type(found, &self)),
            Kind::Double => match text.parse() {
                Ok(value) => return self.double(value, found),
                Err(_) => return Err(E::invalid_value(found, &self)),
            },
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => {
                return match (text.parse::<i128>(), text.parse::<f64>()) {
                    (Ok(value), _) => self.whole(value, found),
                    (_, Ok(value)) => self.double(value, found),
                    _ => Err(E::invalid_value(found, &self)),
                };
            }
        }
        Ok(true)
    }

    /// An enum's value that this build does not know: a newer peer's, unless the field cannot do
    /// without.
    fn unknown<E: Error>(
        self,
        desc: &'static EnumDesc,
        value: &dyn fmt::Display,
    ) -> Result<bool, E> {
        match self.label {
            Label::Required => Err(E::custom(format!("{} has no value {value}", desc.name))),
            _ => Ok(false),
        }
    }

    fn entries<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let before = self.root.out.len();
            let start = self.root.open(self.number);
            self.root.content(1, key.as_bytes());
            self.root.path.push(Step::Key(key));
            let (label, kind) = (Label::Optional, self.kind);
            let value = Slot { number: 2, label, kind, root: &mut *self.root };
            if map.next_value_seed(value)? {
                self.root.close(start);
            } else {
                self.root.out.truncate(before);
            }
            self.root.path.pop();
        }
        Ok(true)
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.label == Label::Repeated {
            f.write_str("a list, each element ")?;
        }
        if self.label == Label::Map {
            f.write_str("an object, each value ")?;
        }
        match self.kind {
            Kind::Bool => f.write_str("true or false"),
            Kind::Int32 => f.write_str("a whole number of 32 bits"),
            Kind::Int64 => f.write_str("a whole number of 64 bits"),
            Kind::Uint32 => f.write_str("a whole number of 32 bits, not negative"),
            Kind::Uint64 => f.write_str("a whole number of 64 bits, not negative"),
            Kind::Double => f.write_str("a number"),
            Kind::String => f.write_str("text"),
            Kind::Bytes => f.write_str("text in base64"),
            Kind::Enum(desc) => write!(f, "the name of a value of {}", desc.name),
            Kind::Message(desc) => write!(f, "an object ({})", desc.name),
            Kind::Duration => f.write_str("a duration such as \"600s\""),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        let (Kind::Bool, true) = (self.kind, self.label != Label::Map) else {
            return Err(E::invalid_type(Unexpected::Bool(value), &self));
        };
        self.root.varint(self.number, value.into());
        Ok(true)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        let found = Unexpected::Signed(value);
        match (self.label, self.kind) {
            (Label::Map, _) => Err(E::invalid_type(found, &self)),
            (_, Kind::Double) => self.double(value as f64, found),
            _ => self.whole(value.into(), found),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        let found = Unexpected::Unsigned(value);
        match (self.label, self.kind) {
            (Label::Map, _) => Err(E::invalid_type(found, &self)),
            (_, Kind::Double) => self.double(value as f64, found),
            _ => self.whole(value.into(), found),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        let found = Unexpected::Float(value);
        match self.label {
            Label::Map => Err(E::invalid_type(found, &self)),
            _ => self.double(value, found),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        match self.label {
            Label::Map => Err(E::invalid_type(Unexpected::Str(text), &self)),
            _ => self.text(text),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        if self.label != Label::Repeated {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let Self { number, label, kind, root } = self;
        for index in 0.. {
            root.path.push(Step::Index(index));
            let element = Slot { number, label, kind, root: &mut *root };
            if list.next_element_seed(element)?.is_none() {
                root.path.pop();
                break;
            }
            root.path.pop();
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        match self.kind {
            _ if self.label == Label::Map => self.entries(map),
            Kind::Message(desc) => {
                let start = self.root.open(self.number);
                Message { desc, root: &mut *self.root }.visit_map(map)?;
                self.root.close(start);
                Ok(true)
            }
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}
