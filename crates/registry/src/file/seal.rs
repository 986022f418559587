//! What shows that a record is what was written: behind each value a CRC-32C over key and value.

/// How many bytes a seal has.
const LENGTH: usize = 4;

/// How many bytes a value takes with its seal.
pub(super) fn sealed_len(value: &[u8]) -> usize {
    value.len() + LENGTH
}

/// Writes the value with its seal, which fill `place`.
pub(super) fn close(key: &[u8], value: &[u8], place: &mut [u8]) {
    let (start, end) = place.split_at_mut(value.len());
    start.copy_from_slice(value);
    end.copy_from_slice(&sum(key, value));
}

/// The value without its seal; `None` if key or value are not those that were sealed.
pub(super) fn open<'a>(key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (value, seal) = sealed.split_last_chunk::<LENGTH>()?;
    (sum(key, value) == *seal).then_some(value)
}

/// The length of the key is part of it, so that no byte of the key is taken for one of the value.
fn sum(key: &[u8], value: &[u8]) -> [u8; LENGTH] {
    let sum = crc32c::crc32c(&(key.len() as u64).to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(sum, key), value).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_and_no_other_key_is_believed() {
        let mut sealed = vec![0; sealed_len(b"value")];
        close(b"agents/a", b"value", &mut sealed);
        assert_eq!(open(b"agents/a", &sealed), Some(b"value".as_slice()));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(b"agents/a", &flipped), None, "bit {bit}");
        }
        for key in ["agents/b", "agents/", "agents/av", ""] {
            assert_eq!(open(key.as_bytes(), &sealed), None, "{key}");
        }
        assert_eq!(open(b"agents/a", b"val"), None);
    }
}
