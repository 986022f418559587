use bytes::Bytes;

use super::reading::{self, Unusable};
use super::records::{self, Flaw, Records};
use super::*;

fn bytes(path: &Path) -> Option<Bytes> {
    reading::whole(path).unwrap()
}

#[test]
fn a_file_is_replaced_whole_and_leaves_no_draft() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/slave.info");
    let store = Store::default();
    assert_eq!(bytes(&path), None);
    store.write(&path, b"old").unwrap();
    store.write(&path, b"new").unwrap();
    assert_eq!(bytes(&path).unwrap().as_ref(), b"new");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("taken");
    std::fs::create_dir(&path).unwrap();
    let error = Store::default().write(&path, b"x").unwrap_err();
    assert!(error.to_string().contains("taken"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn records_have_the_layout_of_mesos() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slave.info");
    Store::default().write_record(&path, b"abc").unwrap();
    let whole = bytes(&path).unwrap();
    assert_eq!(whole[..4], 3_u32.to_ne_bytes());
    assert_eq!(&whole[4..7], b"abc");
    assert_eq!(reading::record(&path).unwrap().unwrap().as_ref(), b"abc");
    // As Mesos writes it, without a checksum.
    std::fs::write(&path, &whole[..7]).unwrap();
    assert_eq!(reading::record(&path).unwrap().unwrap().as_ref(), b"abc");
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    for record in ["1", "two", "a longer record"] {
        let sealed = records::sealed(record.as_bytes()).unwrap();
        for place in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            assert!(records::single(&flipped.into()).is_err(), "bit {place} of {record}");
        }
    }
    let (one, two) = (records::logged(b"one").unwrap(), records::logged(b"two").unwrap());
    let place = 5;
    let mut log = [one, two].concat();
    log[place] ^= 1;
    let found = records::cut(&log.into());
    assert_eq!(found.records, [Err(Flaw::Sum), Ok(Bytes::from_static(b"two"))]);
    assert_eq!(found.end, None, "what follows is not lost");
}

/// A log that ends anywhere keeps every record that is whole, and says what the rest is.
#[test]
fn a_log_torn_at_any_byte_keeps_its_whole_records() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("task.updates");
    let mut store = Store::default();
    let mut ends = vec![0];
    for record in ["one", "three", "4"] {
        store.append(&path, record.as_bytes()).unwrap();
        ends.push(bytes(&path).unwrap().len());
    }
    let all = bytes(&path).unwrap();
    for length in 0..=all.len() {
        let found = records::cut(&all.slice(..length));
        let whole = ends.iter().filter(|&&end| end <= length).count() - 1;
        assert_eq!(found.records.len(), whole, "cut at {length}");
        let torn = found.end.map(Flaw::is_torn_write);
        assert_eq!(torn, (!ends.contains(&length)).then_some(true), "cut at {length}");
    }
}

#[test]
fn what_is_no_record_has_a_name() {
    let flaw = |bytes: &'static [u8]| records::single(&Bytes::from_static(bytes)).unwrap_err();
    assert_eq!(flaw(b""), Flaw::Empty);
    assert_eq!(flaw(&[0; 64]), Flaw::Length(0));
    assert_eq!(flaw(&[255; 64]), Flaw::Length(u32::MAX));
    assert_eq!(flaw(&[1, 0]), Flaw::Short { has: 2, wants: 4 });
    assert_eq!(flaw(&[1, 0, 0, 0, 7, 7]), Flaw::Tail);
    let zeros = records::cut(&Bytes::from_static(&[0; 4096]));
    assert_eq!(zeros, Records { records: Vec::new(), end: Some(Flaw::Length(0)) });
}

#[test]
fn what_is_no_file_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slave.info");
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(reading::record(&path), Err(Unusable::NoFile)));
    std::fs::remove_dir(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(reading::record(&path), Err(Unusable::NoFile)));
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    assert!(matches!(reading::record(&path), Err(Unusable::Unreadable(_))));
}

#[test]
fn a_link_is_made_and_moved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slaves/latest");
    let store = Store::default();
    store.link(&path, Path::new("S0")).unwrap();
    store.link(&path, Path::new("S1")).unwrap();
    assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("S1"));
    store.remove(&path).unwrap();
    store.remove(&path).unwrap();
    assert!(path.symlink_metadata().is_err());
}

/// A disk on which cutting back fails as well once writing has failed.
#[derive(Debug)]
struct Failing(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Failing {
    fn check(&self) -> io::Result<()> {
        if self.0.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        Ok(())
    }
}

impl Medium for Failing {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        FileSystem.make_directory(path)
    }
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        FileSystem.write(path, bytes)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        FileSystem.append(path, bytes)
    }
    fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        self.check()?;
        FileSystem.cut(path, length)
    }
    fn flush(&self, path: &Path) -> io::Result<()> {
        self.check()?;
        FileSystem.flush(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        FileSystem.rename(from, to)
    }
    fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        FileSystem.link(path, target)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        FileSystem.remove(path)
    }
}

#[test]
fn what_was_not_written_whole_is_cut_off_before_anything_follows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("task.updates");
    let fails = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut store = Store::on(Box::new(Failing(std::sync::Arc::clone(&fails))));
    store.append(&path, b"one").unwrap();
    fails.store(true, std::sync::atomic::Ordering::Relaxed);
    store.append(&path, b"refused").unwrap_err();
    store.append(&path, b"refused").unwrap_err();
    fails.store(false, std::sync::atomic::Ordering::Relaxed);
    store.append(&path, b"two").unwrap();
    let found = reading::all(&path).unwrap();
    assert_eq!(found.records, [Ok(Bytes::from_static(b"one")), Ok(Bytes::from_static(b"two"))]);
}
