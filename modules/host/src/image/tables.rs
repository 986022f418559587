//! What the system's loader follows without looking: the segments that it maps, and the tables in
//! them that lead it to relocations, symbols and initialisers. A library in which one of them
//! leads elsewhere would bring the daemon down while it is opened.

use std::ops::Range;

use object::Endianness;
use object::elf::{self, Dyn64, ProgramHeader64, Rela64};
use object::pod::{Pod, slice_from_all_bytes};
use object::read::elf::{Dyn, ProgramHeader, Rela};

use super::symbols;

/// The error says which part is damaged.
pub(super) type Checked<T = ()> = Result<T, &'static str>;

/// A relocation's type that adds an address of the library itself; the others name a symbol.
#[cfg(target_arch = "x86_64")]
const RELATIVE: elf::RelocationType = elf::R_X86_64_RELATIVE;
#[cfg(target_arch = "aarch64")]
const RELATIVE: elf::RelocationType = elf::R_AARCH64_RELATIVE;

/// The others that modules have: addresses of symbols, and of threads' own variables.
#[cfg(target_arch = "x86_64")]
const KNOWN: [elf::RelocationType; 6] = [
    elf::R_X86_64_64,
    elf::R_X86_64_GLOB_DAT,
    elf::R_X86_64_JUMP_SLOT,
    elf::R_X86_64_DTPMOD64,
    elf::R_X86_64_DTPOFF64,
    elf::R_X86_64_TPOFF64,
];
#[cfg(target_arch = "aarch64")]
const KNOWN: [elf::RelocationType; 7] = [
    elf::R_AARCH64_ABS64,
    elf::R_AARCH64_GLOB_DAT,
    elf::R_AARCH64_JUMP_SLOT,
    elf::R_AARCH64_TLS_DTPMOD,
    elf::R_AARCH64_TLS_DTPREL,
    elf::R_AARCH64_TLS_TPREL,
    elf::R_AARCH64_TLSDESC,
];

/// More memory than any module takes.
const MOST_MEMORY: u64 = 1 << 32;

/// A segment that is mapped.
pub(super) struct Segment<'a> {
    start: u64,
    memory: u64,
    bytes: &'a [u8],
    flags: elf::ProgramFlags,
}

/// A library as the loader would see it.
pub(super) struct Tables<'a> {
    pub(super) order: Endianness,
    segments: Vec<Segment<'a>>,
    pub(super) dynamic: &'a [Dyn64<Endianness>],
}

/// Checks all of it. `symbols` is the address and the size of the symbols, which the loader itself
/// is not told.
pub(super) fn check(
    file: &[u8],
    order: Endianness,
    headers: &[ProgramHeader64<Endianness>],
    symbols: Range<u64>,
) -> Checked {
    let segments = segments(file, order, headers)?;
    let tables = Tables { order, dynamic: dynamic(file, order, headers)?, segments };
    for header in headers.iter().filter(|one| within_others(one.p_type(order))) {
        let start = header.p_vaddr(order);
        tables
            .find(start, header.p_memsz(order))
            .ok_or("a segment lies outside of what is mapped")?;
    }
    tables.code()?;
    let symbols = symbols::check(&tables, symbols)?;
    tables.relocations(elf::DT_RELA, elf::DT_RELASZ, symbols)?;
    tables.relocations(elf::DT_JMPREL, elf::DT_PLTRELSZ, symbols)
}

/// Segments that are parts of those that are mapped.
fn within_others(kind: elf::ProgramType) -> bool {
    [elf::PT_DYNAMIC, elf::PT_GNU_RELRO, elf::PT_PHDR, elf::PT_NOTE].contains(&kind)
}

fn segments<'a>(
    file: &'a [u8],
    order: Endianness,
    headers: &[ProgramHeader64<Endianness>],
) -> Checked<Vec<Segment<'a>>> {
    let mut all: Vec<Segment<'a>> = Vec::new();
    for header in headers.iter().filter(|one| one.p_type(order) == elf::PT_LOAD) {
        let bytes = header.data(order, file).map_err(|()| "it is cut short")?;
        let (start, memory) = (header.p_vaddr(order), header.p_memsz(order));
        let (align, offset) = (header.p_align(order).max(1), header.p_offset(order));
        let end = start.checked_add(memory).filter(|end| *end <= MOST_MEMORY);
        let after = all.last().map_or(0, |last| last.start + last.memory);
        let lawful = align.is_power_of_two()
            && start % align == offset % align
            && bytes.len() as u64 <= memory
            && after <= start;
        if end.is_none() || !lawful {
            return Err("its segments are damaged");
        }
        all.push(Segment { start, memory, bytes, flags: header.p_flags(order) });
    }
    Ok(all)
}

fn dynamic<'a>(
    file: &'a [u8],
    order: Endianness,
    headers: &[ProgramHeader64<Endianness>],
) -> Checked<&'a [Dyn64<Endianness>]> {
    let damaged = "its dynamic section is damaged";
    let mut found = headers.iter().filter_map(|one| one.dynamic(order, file).transpose());
    let (Some(Ok(all)), None) = (found.next(), found.next()) else { return Err(damaged) };
    let end = all.iter().position(|entry| entry.tag(order) == elf::DT_NULL).ok_or(damaged)?;
    all.get(..end).ok_or(damaged)
}

impl<'a> Tables<'a> {
    /// The segment that has all of a range.
    pub(super) fn find(&self, start: u64, length: u64) -> Option<&Segment<'a>> {
        let end = start.checked_add(length)?;
        self.segments.iter().find(|one| one.start <= start && end <= one.start + one.memory)
    }

    /// Bytes of a range that the file has.
    pub(super) fn bytes(&self, start: u64, length: u64) -> Option<&'a [u8]> {
        let segment = self.find(start, length)?;
        let start = usize::try_from(start - segment.start).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        segment.bytes.get(start..end)
    }

    /// An array that the file has.
    pub(super) fn array<T: Pod>(&self, start: u64, length: u64) -> Option<&'a [T]> {
        slice_from_all_bytes(self.bytes(start, length)?).ok()
    }

    pub(super) fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        let mut own = self.dynamic.iter().filter(|entry| entry.tag(self.order) == tag);
        own.next_back().map(|entry| entry.val(self.order))
    }

    fn is_code(&self, address: u64) -> bool {
        self.find(address, 1).is_some_and(|segment| segment.flags & elf::PF_X == elf::PF_X)
    }

    /// What runs when the library is opened is code, and is reached through relocations.
    fn code(&self) -> Checked {
        for tag in [elf::DT_INIT, elf::DT_FINI] {
            if self.value(tag).is_some_and(|address| !self.is_code(address)) {
                return Err("its initialiser is no code");
            }
        }
        for tags in
            [(elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ), (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ)]
        {
            let Some(range) = self.range(tags)? else { continue };
            for entry in range.step_by(8) {
                if !self.code_is_put_at(entry) {
                    return Err("its initialisers are damaged");
                }
            }
        }
        Ok(())
    }

    /// The addresses of a table, if there is one.
    fn range(&self, (at, size): (elf::DynamicTag, elf::DynamicTag)) -> Checked<Option<Range<u64>>> {
        let Some(start) = self.value(at) else { return Ok(None) };
        let length = self.value(size).filter(|length| length % 8 == 0);
        let length = length.ok_or("a table has no size")?;
        self.bytes(start, length).ok_or("a table lies outside of the file")?;
        Ok(Some(start..start + length))
    }

    fn code_is_put_at(&self, place: u64) -> bool {
        let all = self.rela(elf::DT_RELA, elf::DT_RELASZ).unwrap_or_default();
        let mut here = all.iter().filter(|one| one.r_offset(self.order) == place);
        here.next().is_some_and(|one| {
            let target = u64::try_from(one.r_addend(self.order)).unwrap_or(u64::MAX);
            one.r_type(self.order, false) == RELATIVE && self.is_code(target)
        })
    }

    fn rela(&self, at: elf::DynamicTag, size: elf::DynamicTag) -> Option<&'a [Rela64<Endianness>]> {
        self.array(self.value(at)?, self.value(size)?)
    }

    /// Every relocation writes to what can be written, and speaks of a symbol that there is, or
    /// of an address in the library.
    fn relocations(&self, at: elf::DynamicTag, size: elf::DynamicTag, symbols: u32) -> Checked {
        let damaged = "its relocations are damaged";
        if self.value(at).is_none() {
            return Ok(());
        }
        let all = self.rela(at, size).ok_or(damaged)?;
        let lawful = |one: &Rela64<Endianness>| {
            let target = u64::try_from(one.r_addend(self.order)).unwrap_or(u64::MAX);
            let kind = one.r_type(self.order, false);
            let leads = match kind {
                RELATIVE => self.find(target, 0).is_some(),
                _ => KNOWN.contains(&kind) && one.r_sym(self.order, false) < symbols,
            };
            let place = self.find(one.r_offset(self.order), 8);
            leads && place.is_some_and(|segment| segment.flags & elf::PF_W == elf::PF_W)
        };
        let relative = |one: &&Rela64<Endianness>| one.r_type(self.order, false) == RELATIVE;
        // The loader takes the first so many for relative ones.
        let first = if at == elf::DT_RELA { self.value(elf::DT_RELACOUNT).unwrap_or(0) } else { 0 };
        let counted = all.iter().take_while(relative).count() as u64;
        if first > counted || !all.iter().all(lawful) {
            return Err(damaged);
        }
        Ok(())
    }
}
