//! Damaged files: each is refused or read, and none brings the reader down.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::Manifest;

/// A library with all that the loader follows: relocations of data and of threads' variables, an
/// initialiser, versions, a symbol of its own.
const SOURCE: &str = r#"
#include <stdlib.h>
static const char manifest[] __attribute__((section(".reeve.module"), used)) =
    "reeve-module=1\0generation=1\0kind=isolator\0name=small\0version=1\0author=us\0"
    "description=nothing\0parameter=p\0type=text\0meaning=none";
__thread int own;
static int number;
int *numbers[] = { &number, &number };
__attribute__((constructor)) static void first(void) { number = abs(-1); }
int entry(void) { own += number; return own; }
"#;

fn library(room: &Path) -> PathBuf {
    let (source, file) = (room.join("small.c"), room.join("small.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([&file, &source]);
    assert!(compiler.status().unwrap().success(), "{compiler:?}");
    file
}

/// The manifest of a file's bytes, or why not.
fn read(file: &[u8]) -> Result<Manifest, String> {
    Manifest::parse(manifest(file)?).map_err(|error| error.to_string())
}

/// What damage puts somewhere.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        any::<u32>().prop_map(|number| number.to_le_bytes().to_vec()),
        any::<u64>().prop_map(|number| number.to_le_bytes().to_vec()),
        prop::sample::select(vec![0, 1, 0x7fff_ffff_ffff_ffff, u64::MAX, 1 << 63, 0x1000])
            .prop_map(|number: u64| number.to_le_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..64),
    ]
}

fn runner(cases: u32) -> proptest::test_runner::TestRunner {
    proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(cases))
}

#[test]
fn ten_thousand_damaged_files_are_refused_or_read() {
    let room = tempfile::tempdir().unwrap();
    let whole = std::fs::read(library(room.path())).unwrap();
    assert_eq!(read(&whole).unwrap().name, "small");
    let places = prop::collection::vec((any::<Index>(), bytes()), 1..4);
    // Half of the damage is where the file says what is where.
    let tables = tables(&whole);
    let cut = prop::option::weighted(0.1, any::<Index>());
    let damage = (places, any::<bool>(), cut);
    let outcome = runner(10_000).run(&damage, |(places, in_tables, cut)| {
        let mut file = whole.clone();
        for (index, bytes) in &places {
            let at = if in_tables { *index.get(&tables) } else { index.index(file.len()) };
            let end = (at + bytes.len()).min(file.len());
            file[at..end].copy_from_slice(&bytes[..end - at]);
        }
        file.truncate(cut.map_or(file.len(), |cut| cut.index(file.len())));
        let _refused_or_read = read(&file);
        Ok(())
    });
    outcome.unwrap();
}

/// The places of the headers of the file, its segments and sections, and its dynamic section.
fn tables(file: &[u8]) -> Vec<usize> {
    let header = FileHeader64::<Endianness>::parse(file).unwrap();
    let order = header.endian().unwrap();
    let (segments, sections) = (header.e_phoff.get(order), header.e_shoff.get(order));
    let counts = (header.e_phnum.get(order), header.e_shnum.get(order));
    let mut places: Vec<u64> = (0..64).collect();
    places.extend(segments..segments + u64::from(counts.0) * 56);
    places.extend(sections..sections + u64::from(counts.1) * 64);
    for one in header.sections(order, file).unwrap().iter() {
        let kinds = [object::elf::SHT_DYNAMIC, object::elf::SHT_RELA, SHT_DYNSYM];
        if kinds.contains(&one.sh_type(order)) || one.sh_type(order) == object::elf::SHT_GNU_HASH {
            places.extend(one.sh_offset(order)..one.sh_offset(order) + one.sh_size(order));
        }
    }
    places.into_iter().map(|place| usize::try_from(place).unwrap()).collect()
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let room = tempfile::tempdir().unwrap();
    let whole = std::fs::read(library(room.path())).unwrap();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "the first {length} bytes");
    }
}

#[test]
fn what_leads_elsewhere_is_named() {
    let room = tempfile::tempdir().unwrap();
    let file = library(room.path());
    let whole = std::fs::read(&file).unwrap();
    let header = FileHeader64::<Endianness>::parse(&*whole).unwrap();
    let order = header.endian().unwrap();
    let sections = header.sections(order, &*whole).unwrap();
    let cases = [
        (".rela.plt", 0, "its relocations are damaged"),
        (".dynsym", 24, "its symbols are damaged"),
        (".gnu.hash", 0, "its symbols are damaged"),
        (".dynamic", 8, "its symbols are damaged"),
    ];
    for (name, at, why) in cases {
        let (_, section) = sections.section_by_name(order, name.as_bytes()).unwrap();
        let at = usize::try_from(section.sh_offset(order)).unwrap() + at;
        let mut damaged = whole.clone();
        damaged[at..at + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(read(&damaged).unwrap_err(), why, "{name}");
    }
}
