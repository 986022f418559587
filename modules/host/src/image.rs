//! A module's file, looked at without opening it as a library: the loader of the system trusts
//! what a file says of itself, and dies of one that lies.

use object::Endianness;
use object::elf::{ET_DYN, FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
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
    for segment in segments.iter().filter(|segment| segment.p_type(order) == PT_LOAD) {
        let end = segment.p_offset(order).checked_add(segment.p_filesz(order));
        if end.is_none_or(|end| end > file.len() as u64) {
            return Err("it is cut short".to_owned());
        }
    }
    let sections = header.sections(order, file).map_err(bad)?;
    let (_, section) = sections
        .section_by_name(order, MANIFEST_SECTION.as_bytes())
        .ok_or_else(|| format!("it has no section {MANIFEST_SECTION}: it is no Reeve module"))?;
    section.data(order, file).map_err(bad)
}
