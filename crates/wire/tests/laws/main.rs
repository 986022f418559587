//! Laws of the encodings, on random messages and on random bytes: what is written is read back
//! the same, and no input makes a decoder panic.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod random;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use random::{Entropy, Fill};
use reeve_wire::desc::{Desc, Label, messages};
use reeve_wire::recordio::{self, Decoder};
use reeve_wire::{WireMessage, decode, encode, internal, json, required, splice, v0, v1};

fn random<T: WireMessage>(fill: Fill, choices: &[u8]) -> T {
    let bytes = random::message(T::DESC, fill, &mut Entropy(choices), 5);
    decode(&bytes.into()).expect("a random message is well-formed")
}

/// Both encodings of a message give it back, and JSON only adds declared defaults.
fn comes_back<T: WireMessage + PartialEq + std::fmt::Debug>(choices: &[u8]) {
    let message: T = random(Fill::Defaults, choices);
    assert_eq!(decode::<T>(&encode(&message)).as_ref(), Ok(&message));
    for words in [json::Words::V1, json::Words::V0] {
        let text = json::to_vec_in(words, &message);
        assert_eq!(json::from_slice_in::<T>(words, &text).as_ref(), Ok(&message));
    }
    assert_eq!(json::from_value::<T>(&json::to_value(&message)).as_ref(), Ok(&message));

    let message: T = random(Fill::Any, choices);
    let text = json::to_vec(&message);
    let read: T = json::from_slice(&text).expect("what is written can be read");
    assert_eq!(json::to_vec(&read), text);
}

/// No bytes make a decoder of this message panic.
fn survives<T: WireMessage>(bytes: &[u8]) {
    let _ = decode::<T>(&Bytes::copy_from_slice(bytes));
    let _ = required::check(bytes, T::DESC);
    let _ = json::from_slice::<T>(bytes);
    let _ = json::from_slice_in::<T>(json::Words::V0, bytes);
    if let Ok(message) = T::decode(bytes) {
        let _ = json::to_vec(&message);
    }
}

macro_rules! for_each_message {
    ($law:ident, $input:expr) => {
        $law::<v1::Offer>($input);
        $law::<v1::TaskInfo>($input);
        $law::<v1::TaskStatus>($input);
        $law::<v1::ContainerId>($input);
        $law::<v1::scheduler::Call>($input);
        $law::<v1::scheduler::Event>($input);
        $law::<v1::executor::Call>($input);
        $law::<v1::executor::Event>($input);
        $law::<v1::master::Call>($input);
        $law::<v1::master::Response>($input);
        $law::<v1::agent::Call>($input);
        $law::<v1::agent::Response>($input);
        $law::<v1::quota::QuotaConfig>($input);
        $law::<v0::scheduler::Call>($input);
        $law::<internal::RunTaskMessage>($input);
        $law::<internal::ReregisterSlaveMessage>($input);
        $law::<internal::UpdateSlaveMessage>($input);
    };
}

fn any_table() -> impl Strategy<Value = &'static Desc> {
    (0..messages().len()).prop_map(|index| messages()[index])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(choices in vec(any::<u8>(), 0..600)) {
        for_each_message!(comes_back, &choices);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..300)) {
        for_each_message!(survives, &bytes);
    }

    #[test]
    fn no_damage_makes_a_decoder_panic(
        choices in vec(any::<u8>(), 0..400),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let damaged = |mut bytes: Vec<u8>| {
            for (place, byte) in damage.iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            bytes
        };
        let offer: v1::Offer = random(Fill::Any, &choices);
        let call: v1::scheduler::Call = random(Fill::Any, &choices);
        for bytes in [
            damaged(encode(&offer).to_vec()),
            damaged(json::to_vec(&offer)),
            damaged(encode(&call).to_vec()),
            damaged(json::to_vec(&call)),
        ] {
            survives::<v1::Offer>(&bytes);
            survives::<v1::scheduler::Call>(&bytes);
        }
    }

    #[test]
    fn no_text_makes_the_json_reader_panic(text in "[\\[\\]{}\":,0-9a-z_eE+.\\\\-]{0,80}") {
        let text = format!("{{\"subscribe\":{text}");
        survives::<v1::scheduler::Call>(text.as_bytes());
    }
}

proptest! {
    #[test]
    fn every_missing_required_field_is_named(
        desc in any_table(),
        choices in vec(any::<u8>(), 0..200),
        victim in any::<prop::sample::Index>(),
    ) {
        let bytes = Bytes::from(random::message(desc, Fill::Any, &mut Entropy(&choices), 4));
        prop_assert_eq!(required::check(&bytes, desc), Ok(()));
        let needed: Vec<_> =
            desc.fields.iter().filter(|field| field.label == Label::Required).collect();
        if !needed.is_empty() {
            let field = victim.get(&needed);
            let without = splice::without(&bytes, &[field.number]).unwrap();
            let missing = required::Missing(vec![field.name.to_owned()]);
            prop_assert_eq!(
                required::check(&without, desc),
                Err(required::Error::Missing(missing))
            );
        }
    }

    #[test]
    fn a_cut_message_lacks_what_was_cut_and_nothing_else(
        desc in any_table(),
        choices in vec(any::<u8>(), 0..200),
        numbers in vec(0..30_u32, 0..5),
    ) {
        let bytes = Bytes::from(random::message(desc, Fill::Any, &mut Entropy(&choices), 3));
        let without = splice::without(&bytes, &numbers).unwrap();
        let cut: usize = splice::fields(&bytes)
            .map(|field| field.unwrap())
            .filter(|field| numbers.contains(&field.number))
            .map(|field| field.range.len())
            .sum();
        prop_assert_eq!(cut + without.len(), bytes.len());
        for field in splice::fields(&without) {
            prop_assert!(!numbers.contains(&field.unwrap().number));
        }
    }

    #[test]
    fn splicing_survives_any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        let _ = splice::content(&bytes, 1);
        let walked = splice::fields(&bytes).map_while(Result::ok).last();
        let kept = splice::without(&bytes, &[1]);
        prop_assert!(kept.is_err() || walked.map_or(0, |field| field.range.end) == bytes.len());
    }

    #[test]
    fn records_come_back_from_any_stream(
        records in vec(vec(any::<u8>(), 0..50), 0..10),
        cuts in vec(1..20_usize, 1..10),
    ) {
        let stream: Vec<u8> = records.iter().flat_map(|record| recordio::encode(record)).collect();
        let (mut decoder, mut found, mut rest) = (Decoder::new(50), Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            let (part, after) = rest.split_at((*cut).min(rest.len()));
            decoder.push(part);
            while let Some(record) = decoder.pop().unwrap() {
                found.push(record.to_vec());
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, records);
        prop_assert!(decoder.is_empty());
    }

    #[test]
    fn a_stream_of_anything_ends_in_records_or_an_error(
        parts in vec(vec(prop_oneof![Just(b'\n'), b'0'..=b'9', any::<u8>()], 0..30), 0..10),
    ) {
        let mut decoder = Decoder::new(20);
        for part in parts {
            decoder.push(&part);
            while let Ok(Some(record)) = decoder.pop() {
                prop_assert!(record.len() <= 20);
            }
        }
    }
}
