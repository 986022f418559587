use super::*;

#[test]
fn a_file_is_replaced_whole_and_leaves_no_draft() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/slave.info");
    assert_eq!(read(&path).unwrap(), None);
    write(&path, b"old").unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(read(&path).unwrap().unwrap().as_ref(), b"new");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("taken");
    std::fs::create_dir(&path).unwrap();
    assert!(write(&path, b"x").unwrap_err().to_string().contains("taken"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn records_have_the_layout_of_mesos() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slave.info");
    write_record(&path, b"abc").unwrap();
    let bytes = read(&path).unwrap().unwrap();
    assert_eq!(bytes[..4], 3_u32.to_ne_bytes());
    assert_eq!(&bytes[4..], b"abc");
}

/// A log that ends anywhere keeps every record that is whole, loses the torn one, and grows on.
#[test]
fn a_tail_torn_at_any_byte_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let records: [&[u8]; 4] = [b"one", b"", b"three", b"4"];
    let path = dir.path().join("task.updates");
    let (mut log, _) = RecordLog::open(&path).unwrap();
    log.append(records).unwrap();
    let all = read(&path).unwrap().unwrap();
    let mut ends = vec![0];
    ends.extend(records.iter().scan(0, |end, record| {
        *end += 4 + record.len();
        Some(*end)
    }));
    for length in 0..=all.len() {
        std::fs::write(&path, &all[..length]).unwrap();
        let whole = ends.iter().filter(|&&end| end <= length).count() - 1;
        let (mut log, found) = RecordLog::open(&path).unwrap();
        assert_eq!(found.records, &records[..whole], "cut at {length}");
        assert_eq!(found.torn, !ends.contains(&length), "cut at {length}");
        log.append([b"next".as_slice()]).unwrap();
        let (_, found) = RecordLog::open(&path).unwrap();
        assert_eq!(found.records.len(), whole + 1, "cut at {length}");
        assert_eq!(found.records[whole], b"next".as_slice());
        assert!(!found.torn);
    }
}

#[test]
fn a_length_beyond_reason_is_a_torn_tail() {
    let found = parse_records(&Bytes::from_static(&[255; 64]));
    assert_eq!(found, Records { torn: true, ..Records::default() });
}

#[test]
fn a_link_is_made_and_moved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slaves/latest");
    link(&path, Path::new("S0")).unwrap();
    link(&path, Path::new("S1")).unwrap();
    assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("S1"));
}
