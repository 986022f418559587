//! What a generation is made of never changes: a module that was built against it must go on
//! loading. The records in `layouts/` say what crosses; a change shows here before it shows at
//! somebody's start-up. With `RECORD=1` they are written anew, which is right only for a generation
//! that no release has had yet.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, missing_docs)]

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::path::Path;

use reeve_module_api::abi_stable::StableAbi;
use reeve_module_api::abi_stable::std_types::UTypeId;
use reeve_module_api::abi_stable::type_layout::{TLData, TypeLayout};
use reeve_module_api::{v1, v2};

#[derive(Default)]
struct Types {
    seen: HashSet<UTypeId>,
    described: BTreeSet<String>,
}

/// Every type that is reached from this one, with its size, fields, variants and functions.
fn describe(layout: &'static TypeLayout, types: &mut Types) {
    if !types.seen.insert(layout.get_utypeid()) {
        return;
    }
    let (name, size) = (layout.full_type(), layout.size());
    let mut text = format!("{name}: {size} bytes, aligned to {}\n", layout.alignment());
    if let TLData::Enum(all) = layout.data() {
        for (name, fields) in all.variant_names_iter().zip(all.field_count.iter()) {
            writeln!(text, "  variant {name} of {fields}").expect("text");
        }
    }
    let fields = layout.get_fields().into_iter().flat_map(|fields| fields.iter());
    let fields: Vec<_> = fields.chain(layout.phantom_fields().iter()).collect();
    for field in &fields {
        writeln!(text, "  {}: {}", field.name(), field.full_type()).expect("text");
        for function in field.function_range().iter() {
            writeln!(text, "    {}", function.to_string().replace('\n', " ")).expect("text");
        }
    }
    types.described.insert(text);
    for field in fields {
        describe(field.layout(), types);
        for function in field.function_range().iter() {
            let given = function.param_type_layouts.iter();
            given.chain(function.return_type_layout()).for_each(|one| describe(one(), types));
        }
    }
}

fn holds(record: &str, layout: &'static TypeLayout) {
    let mut types = Types::default();
    describe(layout, &mut types);
    let text: String = types.described.into_iter().collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts").join(record);
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(&path, &text).expect("the record");
    }
    let recorded = std::fs::read_to_string(&path).expect("a record");
    let differs = text.lines().zip(recorded.lines()).find(|(now, then)| now != then);
    assert!(
        text == recorded,
        "{record} has changed, first at {differs:?}; what is new belongs in a new generation"
    );
}

#[test]
fn generation_1_is_what_it_was() {
    holds("v1.txt", <v1::LibraryRef as StableAbi>::LAYOUT);
}

#[test]
fn generation_2_is_what_it_was() {
    holds("v2.txt", <v2::LibraryRef as StableAbi>::LAYOUT);
}
