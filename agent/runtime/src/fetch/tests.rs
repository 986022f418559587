//! Fetching from files and from a small server, archives of every kind, and attempts to get out.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::*;

struct Rig {
    dir: TempDir,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sandbox")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn sandbox(&self, name: &str) -> PathBuf {
        self.path("sandbox").join(name)
    }

    /// A source file, and its URI.
    fn source(&self, name: &str, bytes: &[u8]) -> Uri {
        std::fs::write(self.path(name), bytes).unwrap();
        Uri::new(format!("file://{}", self.path(name).display()))
    }

    fn fetch(&self, uris: &[Uri]) -> Result<(), String> {
        self.fetch_as(uris, None)
    }

    fn fetch_as(&self, uris: &[Uri], user: Option<&User>) -> Result<(), String> {
        let sandbox = self.path("sandbox");
        let stall = Duration::from_millis(300);
        let fetch = Fetch { sandbox: &sandbox, user, stall, abandoned: &|| false };
        fetch.all(uris).map_err(|error| crate::causes::in_one_line(&error))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.sandbox(name)).unwrap()
    }
}

/// Type, name, and content or link target.
type Entry<'a> = (EntryKind, &'a str, &'a str);

/// A tar archive.
fn tarred(entries: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name, content) in entries {
        let mut header = tar::Header::new_gnu();
        // Written past the builder, which would refuse what a villain would write.
        let field = &mut header.as_gnu_mut().unwrap().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o4755);
        match kind {
            EntryKind::File => {
                header.set_size(content.len() as u64);
                header.set_cksum();
                builder.append(&header, content.as_bytes()).unwrap();
            }
            EntryKind::Symlink | EntryKind::Link => {
                let symlink = matches!(kind, EntryKind::Symlink);
                header.set_entry_type(if symlink {
                    tar::EntryType::Symlink
                } else {
                    tar::EntryType::Link
                });
                header.set_size(0);
                let field = &mut header.as_gnu_mut().unwrap().linkname;
                field[..content.len()].copy_from_slice(content.as_bytes());
                header.set_cksum();
                builder.append(&header, std::io::empty()).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

#[derive(Clone, Copy)]
enum EntryKind {
    File,
    Symlink,
    Link,
}
use EntryKind::{File as Plain, Link, Symlink};

/// Packs bytes with a program of the host; none if the host does not have it.
fn packed(program: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut child = std::process::Command::new(program)
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(bytes).ok()?;
    let output = child.wait_with_output().ok()?;
    Some(output.stdout)
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zipped(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn files_come_under_their_names() {
    let rig = Rig::new();
    let plain = rig.source("plain.txt", b"text");
    let path = Uri::new(rig.path("plain.txt").display().to_string());
    let renamed = Uri { output_file: Some("conf/app.txt".into()), ..plain.clone() };
    let tool = Uri { executable: true, ..rig.source("tool", b"#!/bin/sh\n") };
    rig.fetch(&[plain, path, renamed, tool]).unwrap();
    assert_eq!(rig.read("plain.txt"), "text");
    assert_eq!(rig.read("conf/app.txt"), "text");
    let mode = |name: &str| rig.sandbox(name).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("plain.txt"), mode("tool")), (0o644, 0o755));
}

#[test]
fn archives_of_every_kind_are_extracted() {
    let rig = Rig::new();
    let tar = tarred(&[(Plain, "./dir/file", "content"), (Symlink, "link", "dir/file")]);
    let kinds = [
        ("a.tar", Some(tar.clone())),
        ("a.tar.gz", Some(gzipped(&tar))),
        ("a.tgz", Some(gzipped(&tar))),
        ("a.tar.bz2", packed("bzip2", &tar)),
        ("a.tbz2", packed("bzip2", &tar)),
        ("a.tar.xz", packed("xz", &tar)),
        ("a.txz", packed("xz", &tar)),
        ("a.zip", Some(zipped(&[("dir/file", "content"), ("link", "content")]))),
    ];
    for (name, bytes) in kinds {
        let Some(bytes) = bytes else {
            println!("no program to make {name}: not tested");
            continue;
        };
        rig.fetch(&[rig.source(name, &bytes)]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rig.read("dir/file"), "content", "{name}");
        assert_eq!(rig.read("link"), "content", "{name}");
        let mode = rig.sandbox("dir/file").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755, "{name}: executable, but not set-user-id");
        assert!(rig.sandbox(name).exists(), "the archive stays, as in Mesos");
        std::fs::remove_dir_all(rig.sandbox("dir")).unwrap();
        std::fs::remove_file(rig.sandbox("link")).unwrap();
    }
    rig.fetch(&[rig.source("data.csv.gz", &gzipped(b"1,2"))]).unwrap();
    assert_eq!(rig.read("data.csv"), "1,2");
}

#[test]
fn what_is_not_to_be_extracted_is_not() {
    let rig = Rig::new();
    let tar = rig.source("a.tar", &tarred(&[(Plain, "file", "x")]));
    rig.fetch(&[Uri { extract: false, ..tar.clone() }]).unwrap();
    rig.fetch(&[Uri { executable: true, ..tar }]).unwrap();
    assert!(!rig.sandbox("file").exists());
}

#[test]
fn nothing_gets_out_of_the_sandbox() {
    let villains: [(&str, &[Entry]); 6] = [
        ("dots", &[(Plain, "../out", "x")]),
        ("dots within", &[(Plain, "a/../../out", "x")]),
        ("directory link", &[(Symlink, "d", ".."), (Plain, "d/out", "x")]),
        ("long way", &[(Symlink, "d", "."), (Symlink, "d/e", ".."), (Plain, "e/out", "x")]),
        ("hard link", &[(Link, "h", "../victim"), (Plain, "h", "x")]),
        ("link through link", &[(Symlink, "d", ".."), (Link, "h", "d/victim")]),
    ];
    for (what, entries) in villains {
        let rig = Rig::new();
        std::fs::write(rig.path("victim"), "safe").unwrap();
        let error = rig.fetch(&[rig.source("a.tar", &tarred(entries))]).unwrap_err();
        assert!(error.contains("outside of the sandbox"), "{what}: {error}");
        assert!(!rig.path("out").exists(), "{what}");
        assert_eq!(std::fs::read_to_string(rig.path("victim")).unwrap(), "safe", "{what}");
    }
}

#[test]
fn a_link_is_replaced_and_not_written_through() {
    let rig = Rig::new();
    std::fs::write(rig.path("victim"), "safe").unwrap();
    let victim = rig.path("victim").display().to_string();
    // An absolute path stays inside, as with tar.
    let archive = tarred(&[(Symlink, "link", &victim), (Plain, "link", "x"), (Plain, "/abs", "y")]);
    rig.fetch(&[rig.source("a.tar", &archive)]).unwrap();
    assert_eq!(std::fs::read_to_string(rig.path("victim")).unwrap(), "safe");
    assert_eq!((rig.read("link"), rig.read("abs")), ("x".to_owned(), "y".to_owned()));

    let first = rig.source("b.tar", &tarred(&[(Symlink, "next", &victim)]));
    let second = Uri { output_file: Some("next".into()), ..rig.source("plain", b"z") };
    rig.fetch(&[first, second]).unwrap();
    assert_eq!(std::fs::read_to_string(rig.path("victim")).unwrap(), "safe");

    let zip = zipped(&[("../out", "x")]);
    assert!(rig.fetch(&[rig.source("c.zip", &zip)]).unwrap_err().contains("outside"));
    assert!(!rig.path("out").exists());
}

#[test]
fn what_cannot_be_fetched_is_named() {
    let rig = Rig::new();
    let refused = |value: &str| rig.fetch(&[Uri::new(value)]).unwrap_err();
    assert!(refused("file:///no/such/file").contains("'file:///no/such/file'"));
    assert!(refused("relative/path").contains("absolute"));
    assert!(refused("hdfs://host/file").contains("hdfs://"));
    assert!(refused("https://127.0.0.1:1/file").contains("refused"));
    assert!(refused("http://host:port/file").contains("host and port"));
    assert!(refused("file:///etc/..").contains("no name for a file"));
    assert!(refused("file:///dev/zero").contains("not a plain file"));
    let torn = rig.source("a.tar.gz", &gzipped(&tarred(&[(Plain, "f", "x")]))[..30]);
    assert!(rig.fetch(&[torn]).unwrap_err().contains("a.tar.gz"));
    for name in ["/etc/x", "../x", "a/../../x", "", "."] {
        let uri = Uri { output_file: Some(name.into()), ..rig.source("plain", b"x") };
        assert!(rig.fetch(&[uri]).unwrap_err().contains("output_file"), "{name:?}");
    }
}

#[test]
fn only_what_the_user_may_read_is_fetched_and_it_owns_it() {
    let rig = Rig::new();
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("not root: becoming another user is not tested");
        return;
    }
    let nobody = User { uid: 65_534, gid: 65_534, groups: vec![65_534] };
    std::fs::set_permissions(rig.dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(rig.path("sandbox"), Some(65_534), Some(65_534)).unwrap();
    let secret = rig.source("secret", b"s");
    std::fs::set_permissions(rig.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    let archive = rig.source("a.tar", &tarred(&[(Plain, "d/f", "x")]));
    rig.fetch_as(&[archive], Some(&nobody)).unwrap();
    for name in ["a.tar", "d", "d/f"] {
        let owner = rig.sandbox(name).metadata().unwrap();
        assert_eq!((owner.uid(), owner.gid()), (65_534, 65_534), "{name}");
    }
    let error = rig.fetch_as(std::slice::from_ref(&secret), Some(&nobody)).unwrap_err();
    assert!(error.contains("ermission denied"), "{error}");
    // This thread still is who it was.
    rig.fetch(&[secret]).unwrap();
}

fn serve(mut socket: &std::net::TcpStream, answers: &[(&str, &str)]) {
    let mut first = String::new();
    let mut input = BufReader::new(socket);
    input.read_line(&mut first).unwrap();
    let mut line = String::new();
    while input.read_line(&mut line).is_ok_and(|count| count > 2) {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap();
    let answer = answers.iter().find(|(known, _)| *known == path);
    let answer = answer.map_or("HTTP/1.1 404 Not Found\r\n\r\n", |(_, answer)| answer);
    socket.write_all(answer.as_bytes()).unwrap();
    if path == "/stalls" {
        // Silent until the client gives up.
        drop(input.read(&mut [0]));
    }
}

/// A server that gives one answer to each path, and then closes.
fn server(answers: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&socket, answers));
        }
    });
    format!("http://{address}")
}

#[test]
fn http_bodies_of_every_layout_come_whole_or_not_at_all() {
    let rig = Rig::new();
    let base = server(&[
        ("/sized", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext"),
        (
            "/chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nte\r\n2\r\nxt\r\n0\r\n\r\n",
        ),
        ("/closed", "HTTP/1.0 200 OK\r\n\r\ntext"),
        ("/moved/here", "HTTP/1.1 302 Found\r\nLocation: ../sized\r\n\r\n"),
        ("/moved/there", "HTTP/1.1 301 Moved\r\nLocation: /sized\r\n\r\n"),
        ("/moved/../sized", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext"),
        ("/short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntext"),
        ("/torn", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nte"),
        ("/stalls", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntext"),
        ("/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n"),
        ("/away", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"),
    ]);
    for path in ["sized", "chunked", "closed", "moved/here", "moved/there"] {
        rig.fetch(&[Uri::new(format!("{base}/{path}"))]).unwrap();
        assert_eq!(rig.read(path.rsplit('/').next().unwrap()), "text", "{path}");
    }
    let refused = |path: &str| rig.fetch(&[Uri::new(format!("{base}/{path}"))]).unwrap_err();
    assert!(refused("absent").contains("404 Not Found"));
    assert!(refused("short").contains("5 bytes early"));
    assert!(refused("torn").contains("2 bytes early"));
    assert!(refused("stalls").contains("not a byte arrived"));
    assert!(refused("loop").contains("redirects"));
    assert!(refused("away").contains("redirects to 'file:///etc/passwd'"));
    assert!(refused("absent").contains(&base), "the URI is named");
}

#[test]
fn a_fetch_that_nobody_waits_for_ends() {
    let rig = Rig::new();
    let base = server(&[("/stalls", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntext")]);
    let asked = AtomicBool::new(false);
    let abandoned = || asked.swap(true, Ordering::SeqCst);
    let sandbox = rig.path("sandbox");
    let stall = Duration::from_secs(60);
    let fetch = Fetch { sandbox: &sandbox, user: None, stall, abandoned: &abandoned };
    let error = fetch.all(&[Uri::new(format!("{base}/stalls"))]).unwrap_err();
    assert!(crate::causes::in_one_line(&error).contains("destroyed"));
}
