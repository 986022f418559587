//! Archives, told by their name as in Mesos, extracted next to where they are.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::beneath::Root;
use super::copy;

type Abandoned<'a> = &'a (dyn Fn() -> bool + Sync);

/// What the permission bits of an extracted file may be: no set-user-id and the like.
const MODE: u32 = 0o777;

/// The longest text a link in a zip archive may have.
const MAX_LINK: u64 = 4 << 10;

/// Extracts the file at `path` if its name is that of an archive, into the directory it is in.
pub(super) fn extract(root: &Root, path: &Path, abandoned: Abandoned<'_>) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let into = path.parent().unwrap_or(Path::new(""));
    let open = || root.read(path).map(BufReader::new);
    if ends(&[".tar"]) {
        untar(root, into, &mut open()?, abandoned)
    } else if ends(&[".tar.gz", ".tgz"]) {
        untar(root, into, &mut flate2::bufread::MultiGzDecoder::new(open()?), abandoned)
    } else if ends(&[".tar.bz2", ".tbz2"]) {
        untar(root, into, &mut bzip2::bufread::MultiBzDecoder::new(open()?), abandoned)
    } else if ends(&[".tar.xz", ".txz"]) {
        untar(root, into, &mut lzma_rust2::XzReader::new(open()?, true), abandoned)
    } else if ends(&[".zip"]) {
        unzip(root, into, open()?, abandoned)
    } else if ends(&[".gz"]) {
        let mut plain = flate2::bufread::MultiGzDecoder::new(open()?);
        let mut target = root.create(&path.with_extension(""), 0o644)?;
        copy(&mut plain, &mut target, abandoned)
    } else {
        Ok(())
    }
}

fn untar(
    root: &Root,
    into: &Path,
    plain: &mut dyn Read,
    abandoned: Abandoned<'_>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(plain);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = into.join(relative(&entry.path()?));
        let mode = entry.header().mode().unwrap_or(0o644) & MODE;
        let target = entry.link_name()?.map(|target| target.into_owned());
        match (entry.header().entry_type(), target) {
            (EntryType::Directory, _) => root.create_directory(&path)?,
            (EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse, _) => {
                write(root, &path, mode, &mut entry, abandoned)?;
            }
            (EntryType::Symlink, Some(target)) => root.symlink(&path, &target)?,
            (EntryType::Link, Some(target)) => {
                root.hard_link(&path, &into.join(relative(&target)))?;
            }
            // Devices, pipes and notes of the archiver are no files for a task.
            _ => {}
        }
    }
    Ok(())
}

/// Without a leading `/`, which would make a join forget what is before it.
fn relative(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

fn unzip(
    root: &Root,
    into: &Path,
    archive: BufReader<File>,
    abandoned: Abandoned<'_>,
) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(archive).map_err(io::Error::other)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        let path = into.join(relative(Path::new(&name)));
        let mode = entry.unix_mode().unwrap_or(0o644) & MODE;
        if entry.is_dir() {
            root.create_directory(&path)?;
        } else if entry.is_symlink() {
            let mut target = Vec::new();
            entry.by_ref().take(MAX_LINK).read_to_end(&mut target)?;
            root.symlink(&path, Path::new(std::ffi::OsStr::from_bytes(&target)))?;
        } else {
            write(root, &path, mode, &mut entry, abandoned)?;
        }
    }
    Ok(())
}

fn write(
    root: &Root,
    path: &Path,
    mode: u32,
    plain: &mut dyn Read,
    abandoned: Abandoned<'_>,
) -> io::Result<()> {
    let named = |error: io::Error| {
        io::Error::new(error.kind(), format!("{error} (entry '{}')", path.display()))
    };
    let mut target = root.create(path, mode).map_err(named)?;
    copy(plain, &mut target, abandoned).map_err(named)
}
