//! Random messages, made from the tables: whatever a message can hold, it will.

use reeve_wire::desc::{Desc, EnumDesc, Field, Kind, Label};

/// Where choices come from. When it runs dry every choice is the smallest, so that a failing case
/// shrinks to a small message.
pub struct Entropy<'a>(pub &'a [u8]);

impl Entropy<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    fn word(&mut self) -> u64 {
        let bytes = std::array::from_fn(|_| self.byte());
        // Small numbers as often as large ones.
        u64::from_le_bytes(bytes) >> (8 * self.below(8))
    }
}

/// Which optional fields a random message has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Any.
    Any,
    /// Any, and all that have a default which JSON would write: so JSON adds nothing.
    Defaults,
}

/// The bytes of a random message that has all its required fields.
pub fn message(
    desc: &'static Desc,
    fill: Fill,
    entropy: &mut Entropy<'_>,
    depth: usize,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for field in desc.fields {
        let shown = field.default.is_some() && !field.deprecated && fill == Fill::Defaults;
        let count = match field.label {
            Label::Required => 1,
            _ if shown => 1,
            _ if depth == 0 => 0,
            Label::Optional => entropy.below(2),
            Label::Repeated | Label::Map => entropy.below(3),
        };
        match field.oneof {
            Some(oneof) if count > 0 && taken.contains(&oneof) => continue,
            Some(oneof) if count > 0 => taken.push(oneof),
            _ => {}
        }
        for index in 0..count {
            put(&mut bytes, field, index, fill, entropy, depth.saturating_sub(1));
        }
    }
    bytes
}

fn put(
    bytes: &mut Vec<u8>,
    field: &'static Field,
    index: usize,
    fill: Fill,
    entropy: &mut Entropy<'_>,
    depth: usize,
) {
    if field.label != Label::Map {
        return value(bytes, field.number, field.kind, fill, entropy, depth);
    }
    let mut entry = Vec::new();
    content(&mut entry, 1, format!("{}{index}", text(entropy)).as_bytes());
    value(&mut entry, 2, field.kind, fill, entropy, depth);
    content(bytes, field.number, &entry);
}

fn value(
    bytes: &mut Vec<u8>,
    number: u32,
    kind: Kind,
    fill: Fill,
    entropy: &mut Entropy<'_>,
    depth: usize,
) {
    match kind {
        Kind::Bool => whole(bytes, number, u64::from(entropy.byte() & 1)),
        Kind::Int32 => {
            let value = i32::from_le_bytes(std::array::from_fn(|_| entropy.byte()));
            whole(bytes, number, i64::from(value).cast_unsigned());
        }
        Kind::Uint32 => whole(bytes, number, entropy.word() >> 32),
        Kind::Int64 | Kind::Uint64 => whole(bytes, number, entropy.word()),
        Kind::Double => {
            varint(bytes, u64::from(number) << 3 | 1);
            bytes.extend_from_slice(&double(entropy).to_le_bytes());
        }
        Kind::String => content(bytes, number, text(entropy).as_bytes()),
        Kind::Bytes => {
            let length = entropy.below(5);
            let random: Vec<u8> = (0..length).map(|_| entropy.byte()).collect();
            content(bytes, number, &random);
        }
        Kind::Enum(desc) => whole(bytes, number, i64::from(choice(desc, entropy)).cast_unsigned()),
        Kind::Message(desc) => {
            let inner = message(desc, fill, entropy, depth);
            content(bytes, number, &inner);
        }
        Kind::Duration => {
            let mut inner = Vec::new();
            whole(&mut inner, 1, entropy.word() >> 1);
            whole(&mut inner, 2, entropy.word() % 1_000_000_000);
            content(bytes, number, &inner);
        }
    }
}

fn choice(desc: &'static EnumDesc, entropy: &mut Entropy<'_>) -> i32 {
    let named: Vec<i32> =
        desc.values.iter().filter(|value| !value.silent).map(|value| value.number).collect();
    named[entropy.below(named.len())]
}

/// Any double but NaN, which is not equal to itself.
fn double(entropy: &mut Entropy<'_>) -> f64 {
    match entropy.below(6) {
        0 => 0.0,
        1 => f64::from(entropy.byte()) / 8.0,
        2 => f64::INFINITY,
        3 => f64::NEG_INFINITY,
        4 => -f64::from(entropy.byte()) * 1e300,
        _ => Some(f64::from_bits(entropy.word())).filter(|value| !value.is_nan()).unwrap_or(0.1),
    }
}

fn text(entropy: &mut Entropy<'_>) -> String {
    const LETTERS: [char; 12] =
        ['a', 'Z', '0', '.', '/', '"', '\\', '\n', '\0', 'ü', '\u{2028}', '🦀'];
    (0..entropy.below(4)).map(|_| LETTERS[entropy.below(LETTERS.len())]).collect()
}

fn whole(bytes: &mut Vec<u8>, number: u32, value: u64) {
    varint(bytes, u64::from(number) << 3);
    varint(bytes, value);
}

fn content(bytes: &mut Vec<u8>, number: u32, content: &[u8]) {
    varint(bytes, u64::from(number) << 3 | 2);
    varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}
