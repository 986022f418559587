//! Whether a file may become part of a daemon: nobody but the daemon's own user, and root, may be
//! able to write it or to put another in its place. Only where the daemon is not root's, its group
//! is trusted too: with some systems' defaults all that a user makes is writable for it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who runs, as far as trust goes.
fn me() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|own| own.uid())
}

/// Checks the file and its directory; what is wrong, and how to mend it.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let Some(me) = me() else { return Err("/proc is not there to tell who this is".to_owned()) };
    judge(path, &metadata(path)?, me)?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(directory) => judge(directory, &metadata(directory)?, me),
        None => judge(Path::new("."), &metadata(Path::new("."))?, me),
    }
}

fn metadata(path: &Path) -> Result<Metadata, String> {
    std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn judge(path: &Path, metadata: &Metadata, me: u32) -> Result<(), String> {
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let shown = path.display();
    if owner != 0 && owner != me {
        return Err(format!(
            "{shown} belongs to user {owner}, who could change it under the daemon; \
             let root own it (chown root {shown})"
        ));
    }
    // In a sticky directory others add files but do not replace ours.
    let sticky = metadata.is_dir() && mode & 0o1000 != 0;
    let others = if me == 0 { 0o022 } else { 0o002 };
    if mode & others != 0 && !sticky {
        return Err(format!(
            "{shown} has mode {:o}: others than its owner may write it (chmod go-w {shown})",
            mode & 0o7777
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_may_write_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("libx.so");
        std::fs::write(&file, "").unwrap();
        set(&file, 0o644);
        assert_eq!(check(&file), Ok(()));
        set(&file, 0o646);
        assert!(check(&file).unwrap_err().contains("chmod go-w"), "a file that all may write");
        set(&file, 0o644);
        set(dir.path(), 0o777);
        assert!(check(&file).unwrap_err().contains("mode 777"), "a directory that all may write");
        set(dir.path(), 0o1777);
        assert_eq!(check(&file), Ok(()), "a sticky directory");
    }

    #[test]
    fn root_does_not_trust_groups_or_other_owners() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("libx.so");
        std::fs::write(&file, "").unwrap();
        set(&file, 0o664);
        let metadata = std::fs::metadata(&file).unwrap();
        assert!(judge(&file, &metadata, 0).is_err());
        let owner = metadata.uid();
        assert!(owner == 0 || judge(&file, &metadata, owner).is_ok());
        assert!(owner == 0 || judge(&file, &metadata, owner + 1).unwrap_err().contains("chown"));
    }
}
