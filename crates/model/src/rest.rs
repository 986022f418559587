//! The part of an encoded message that this room does not look into, kept as it came.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::encoding::{DecodeContext, WireType, decode_key, encode_key, skip_field};
use prost::{DecodeError, Message};

/// The message without its top-level fields of these numbers.
pub(crate) fn without(bytes: &[u8], numbers: &[u32]) -> Result<Bytes, DecodeError> {
    let mut kept = BytesMut::with_capacity(bytes.len());
    each_field(bytes, |number, _, whole| {
        if !numbers.contains(&number) {
            kept.extend_from_slice(whole);
        }
    })?;
    Ok(kept.freeze())
}

/// The last message in field `number`, undecoded.
pub(crate) fn message(bytes: &Bytes, number: u32) -> Result<Option<Bytes>, DecodeError> {
    let mut found = None;
    each_field(bytes, |at, payload, _| {
        if at == number {
            found = payload.map(|payload| bytes.slice_ref(payload));
        }
    })?;
    Ok(found)
}

/// Calls `see` with each field's number, its payload if it has a length, and all of its bytes.
fn each_field<'a>(
    bytes: &'a [u8],
    mut see: impl FnMut(u32, Option<&'a [u8]>, &'a [u8]),
) -> Result<(), DecodeError> {
    let mut left = bytes;
    while left.has_remaining() {
        let start = left;
        let (number, kind) = decode_key(&mut left)?;
        let mut value = left;
        skip_field(kind, number, &mut left, DecodeContext::default())?;
        let payload = if kind == WireType::LengthDelimited {
            prost::encoding::decode_varint(&mut value)?;
            Some(&value[..value.len() - left.len()])
        } else {
            None
        };
        see(number, payload, &start[..start.len() - left.len()]);
    }
    Ok(())
}

/// Appends `message` as field `number`.
pub(crate) fn put_message(number: u32, message: &impl Message, into: &mut BytesMut) {
    encode_key(number, WireType::LengthDelimited, into);
    prost::encoding::encode_varint(message.encoded_len() as u64, into);
    message.encode_raw(into);
}

/// Appends bytes as field `number`.
pub(crate) fn put_bytes(number: u32, payload: &[u8], into: &mut BytesMut) {
    encode_key(number, WireType::LengthDelimited, into);
    prost::encoding::encode_varint(payload.len() as u64, into);
    into.put_slice(payload);
}
