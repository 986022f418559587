//! The top level of an encoded message, field by field, without knowing its type.
//!
//! A master forwards task descriptions with fields that are newer than itself: it cuts and joins
//! bytes and never encodes again what it did not make. What the fields mean does not live here.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

/// How deep groups (an abandoned protobuf feature that must still be skipped) may nest, as in
/// Google's own decoder.
const DEEPEST: usize = 100;

/// The bytes are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed protobuf at byte {at}: {what}")]
pub struct Error {
    /// The offset of the field that does not parse.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// The value of a field as far as the bytes alone tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    /// Wire type 0: all whole numbers, booleans, enums.
    Varint(u64),
    /// Wire type 1: doubles, fixed 64-bit numbers.
    Fixed64(u64),
    /// Wire type 2: text, bytes, messages, map entries.
    Bytes(&'a [u8]),
    /// Wire types 3 and 4: a group, without its tags.
    Group(&'a [u8]),
    /// Wire type 5: floats, fixed 32-bit numbers.
    Fixed32(u32),
}

impl Raw<'_> {
    /// The number of the wire type in the field's tag.
    pub fn wire_type(&self) -> u8 {
        match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Group(_) => 3,
            Self::Fixed32(_) => 5,
        }
    }
}

/// One occurrence of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct RawField<'a> {
    /// The field number.
    pub number: u32,
    /// The value.
    pub value: Raw<'a>,
    /// Where the whole field stands in the message, tag included.
    pub range: Range<usize>,
}

/// Walks over the fields of a message. After an error it ends.
pub fn fields(message: &[u8]) -> Fields<'_> {
    Fields { message, at: 0 }
}

/// The message without the fields of these numbers.
pub fn without(message: &Bytes, numbers: &[u32]) -> Result<Bytes, Error> {
    keep(message, |number| !numbers.contains(&number))
}

/// The content of the field with this number: a message, text or bytes that share memory with
/// `message`. The last one counts, as for any field that is not repeated.
pub fn content(message: &Bytes, number: u32) -> Result<Option<Bytes>, Error> {
    Ok(contents(message, number)?.pop())
}

/// The contents of all fields with this number, in their order: for a field that is repeated.
pub fn contents(message: &Bytes, number: u32) -> Result<Vec<Bytes>, Error> {
    let mut found = Vec::new();
    for field in fields(message) {
        match field? {
            RawField { number: this, value: Raw::Bytes(content), .. } if this == number => {
                found.push(message.slice_ref(content));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Appends a field that holds bytes, text or an encoded message.
pub fn append(to: &mut BytesMut, number: u32, content: &[u8]) {
    put_varint(to, u64::from(number) << 3 | 2);
    put_varint(to, content.len() as u64);
    to.put_slice(content);
}

/// Writes a number the way protobuf writes lengths and tags.
pub(crate) fn put_varint(to: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        to.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    to.put_u8(value.to_le_bytes()[0]);
}

fn keep(message: &Bytes, wanted: impl Fn(u32) -> bool) -> Result<Bytes, Error> {
    let mut length = 0;
    for field in fields(message) {
        let field = field?;
        length += if wanted(field.number) { field.range.len() } else { 0 };
    }
    if length == message.len() {
        return Ok(message.clone());
    }
    // As large as needed: what is kept of a task is kept as long as the task.
    let mut kept = BytesMut::with_capacity(length);
    for field in fields(message) {
        let field = field?;
        if wanted(field.number) {
            kept.extend_from_slice(&message[field.range]);
        }
    }
    Ok(kept.freeze())
}

/// The fields of a message in their order on the wire; see [`fields`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<RawField<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        if start >= self.message.len() {
            return None;
        }
        match self.field() {
            Ok((number, value)) => Some(Ok(RawField { number, value, range: start..self.at })),
            Err(what) => {
                self.at = self.message.len();
                Some(Err(Error { at: start, what }))
            }
        }
    }
}

impl<'a> Fields<'a> {
    #[inline]
    fn field(&mut self) -> Result<(u32, Raw<'a>), &'static str> {
        let (number, wire_type) = self.tag()?;
        let value = match wire_type {
            3 => Raw::Group(self.group(number)?),
            4 => return Err("a group ends that did not begin"),
            _ => self.value(wire_type)?,
        };
        Ok((number, value))
    }

    #[inline]
    fn tag(&mut self) -> Result<(u32, u8), &'static str> {
        let tag = u32::try_from(self.varint()?).map_err(|_| "the tag is too large")?;
        let number = tag >> 3;
        if number == 0 {
            return Err("the field number is 0");
        }
        Ok((number, tag.to_le_bytes()[0] & 7))
    }

    #[inline]
    fn value(&mut self, wire_type: u8) -> Result<Raw<'a>, &'static str> {
        match wire_type {
            0 => self.varint().map(Raw::Varint),
            1 => self.array().map(|bytes| Raw::Fixed64(u64::from_le_bytes(bytes))),
            2 => {
                let length =
                    usize::try_from(self.varint()?).map_err(|_| "the length is too large")?;
                self.take(length).map(Raw::Bytes)
            }
            5 => self.array().map(|bytes| Raw::Fixed32(u32::from_le_bytes(bytes))),
            _ => Err("the wire type is unknown"),
        }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, &'static str> {
        // Nearly all tags and lengths have one byte.
        match self.message.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0_u64;
        for (index, byte) in self.message[self.at..].iter().take(10).enumerate() {
            if index == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.at += index + 1;
                return Ok(value);
            }
        }
        Err("a number is cut short or too long")
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let taken = self.message[self.at..].get(..length).ok_or("the field is cut short")?;
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| "the field is cut short")
    }

    /// Skips to the end of a group, over groups inside it, and gives what it holds.
    fn group(&mut self, number: u32) -> Result<&'a [u8], &'static str> {
        let start = self.at;
        let mut open = vec![number];
        loop {
            let end = self.at;
            let (number, wire_type) = self.tag()?;
            match wire_type {
                3 if open.len() >= DEEPEST => return Err("groups nest too deeply"),
                3 => open.push(number),
                4 if open.pop() != Some(number) => return Err("a group ends that did not begin"),
                4 if open.is_empty() => return Ok(&self.message[start..end]),
                4 => {}
                _ => {
                    self.value(wire_type)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
