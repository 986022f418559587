//! Names: what a library calls by name and is called by, how they are looked up, and their versions.

use std::collections::BTreeSet;
use std::ops::Range;

use object::Endianness;
use object::elf::{self, GnuHashHeader, Sym64, Vernaux, Verneed};
use object::endian::{U16, U32};
use object::pod::Pod;
use object::read::elf::Dyn;

use super::tables::{Checked, Tables};

const DAMAGED: &str = "its symbols are damaged";

/// Longer chains no library has.
const LONGEST: usize = 1 << 16;

/// Checks the symbols, which are in this range of addresses, and counts them.
pub(super) fn check(tables: &Tables<'_>, symbols: Range<u64>) -> Checked<u32> {
    check_all(tables, symbols).ok_or(DAMAGED)
}

fn check_all(tables: &Tables<'_>, symbols: Range<u64>) -> Option<u32> {
    let order = tables.order;
    let strings = tables.bytes(tables.value(elf::DT_STRTAB)?, tables.value(elf::DT_STRSZ)?)?;
    strings.last().filter(|last| **last == 0)?;
    let is_text = |offset: u64| offset < strings.len() as u64;
    let needed = tables.dynamic.iter().filter(|entry| entry.tag(order) == elf::DT_NEEDED);
    let needed = needed.map(|entry| entry.val(order)).all(is_text);
    let starts = tables.value(elf::DT_SYMTAB) == Some(symbols.start);
    let all: &[Sym64<Endianness>] =
        tables.array(symbols.start, symbols.end.checked_sub(symbols.start)?)?;
    let lawful = |one: &Sym64<Endianness>| {
        let (value, name) = (one.st_value.get(order), one.st_name.get(order));
        // A thread's own variable has a place in its block, what is called elsewhere has none.
        let placed = one.st_shndx.get(order) != elf::SHN_UNDEF && one.st_type() != elf::STT_TLS;
        is_text(name.into()) && (!placed || tables.find(value, 0).is_some())
    };
    let count = u32::try_from(all.len()).ok()?;
    let sound = needed && starts && all.iter().all(lawful);
    (sound && hash(tables, count)? && versions(tables, count, &is_text)?).then_some(count)
}

/// The table by which the loader finds symbols.
fn hash(tables: &Tables<'_>, symbols: u32) -> Option<bool> {
    let order = tables.order;
    let mut at = tables.value(elf::DT_GNU_HASH)?;
    let size = size_of::<GnuHashHeader<Endianness>>() as u64;
    let header: &GnuHashHeader<Endianness> = one(tables, at)?;
    let (buckets, base) = (header.bucket_count.get(order), header.symbol_base.get(order));
    let bloom = header.bloom_count.get(order);
    let bounded = bloom.is_power_of_two() && header.bloom_shift.get(order) < 64 && buckets > 0;
    at = at.checked_add(size + u64::from(bloom) * 8)?;
    let heads: &[U32<Endianness>] = tables.array(at, u64::from(buckets) * 4)?;
    let chains = u64::from(symbols.checked_sub(base)?) * 4;
    let chains: &[U32<Endianness>] = tables.array(at + u64::from(buckets) * 4, chains)?;
    let leads = |head: &U32<Endianness>| {
        let head = head.get(order);
        head == 0 || (base..symbols).contains(&head)
    };
    // The last symbol ends its chain, and so each that runs into it.
    let ends = chains.last().is_none_or(|last| last.get(order) & 1 == 1);
    Some(bounded && heads.iter().all(leads) && ends)
}

/// The versions that symbols are wanted in: each symbol names one that is listed.
fn versions(tables: &Tables<'_>, symbols: u32, is_text: &dyn Fn(u64) -> bool) -> Option<bool> {
    let Some(at) = tables.value(elf::DT_VERSYM) else { return Some(true) };
    let named: &[U16<Endianness>] = tables.array(at, u64::from(symbols) * 2)?;
    // None, and the library's own.
    let mut known = BTreeSet::from([0, 1]);
    let mut next = tables.value(elf::DT_VERNEED);
    for _ in 0..LONGEST {
        let Some(at) = next else { break };
        let library: &Verneed<Endianness> = one(tables, at)?;
        let mut of = at.checked_add(library.vn_aux.get(tables.order).into())?;
        if !is_text(library.vn_file.get(tables.order).into()) {
            return Some(false);
        }
        for _ in 0..library.vn_cnt.get(tables.order) {
            let version: &Vernaux<Endianness> = one(tables, of)?;
            if !is_text(version.vna_name.get(tables.order).into()) {
                return Some(false);
            }
            known.insert(version.vna_other.get(tables.order).0 & 0x7fff);
            of = of.checked_add(version.vna_next.get(tables.order).into())?;
        }
        let step = library.vn_next.get(tables.order);
        next = if step == 0 { None } else { at.checked_add(step.into()) };
    }
    let listed = named.iter().all(|one| known.contains(&(one.get(tables.order) & 0x7fff)));
    // A library that has versions of its own names these too.
    Some(next.is_none() && (listed || tables.value(elf::DT_VERDEF).is_some()))
}

fn one<'a, T: Pod>(tables: &Tables<'a>, at: u64) -> Option<&'a T> {
    tables.array(at, size_of::<T>() as u64)?.first()
}
