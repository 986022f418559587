//! A module's file, looked at without opening it as a library: the loader of the system trusts
//! what a file says of itself, and dies of one that lies.

mod symbols;
mod tables;

use object::Endianness;
use object::elf::{ET_DYN, FileHeader64, SHT_DYNSYM};
use object::read::elf::{FileHeader, SectionHeader};
use reeve_module_api::MANIFEST_SECTION;

/// This machine's number in ELF files.
#[cfg(target_arch = "x86_64")]
const MACHINE: object::elf::Machine = object::elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: object::elf::Machine = object::elf::EM_AARCH64;

/// The bytes of the manifest's section in a library for this machine, all of which is there.
pub(crate) fn manifest(file: &[u8]) -> Result<&[u8], String> {
    let bad = |error: object::read::Error| format!("it is no library: {error}");
    let header = FileHeader64::<Endianness>::parse(file)
        .map_err(|_| "it is no ELF file of 64 bits".to_owned())?;
    let order = header.endian().map_err(bad)?;
    if header.e_type(order) != ET_DYN {
        return Err("it is an ELF file, but no shared library".to_owned());
    }
    if header.e_machine(order) != MACHINE {
        return Err("it was built for another kind of machine".to_owned());
    }
    let segments = header.program_headers(order, file).map_err(bad)?;
    let sections = header.sections(order, file).map_err(bad)?;
    let (_, section) = sections
        .section_by_name(order, MANIFEST_SECTION.as_bytes())
        .ok_or_else(|| format!("it has no section {MANIFEST_SECTION}: it is no Reeve module"))?;
    let found = section.data(order, file).map_err(bad)?;
    let symbols = sections.iter().find(|one| one.sh_type(order) == SHT_DYNSYM);
    let symbols = symbols.map_or(0..0, |one| {
        let start = one.sh_addr(order);
        start..start.saturating_add(one.sh_size(order))
    });
    tables::check(file, order, segments, symbols)?;
    Ok(found)
}

#[cfg(test)]
mod tests;
