use std::cell::Cell;
use std::fs;

use prost::Message;
use reeve_module_api::v2::{Parameter, ParameterValue};

use super::rotate::Rotated;
use super::settings::{CommandInfo, Environment, Variable};
use super::*;

fn logger(prefix: &str) -> Logrotate {
    let text = |name: &str, value: &str| Parameter {
        name: name.into(),
        value: ParameterValue::Text(value.into()),
    };
    let parameters =
        Parameters::new([text("program", "/bin/sh"), text("environment_variable_prefix", prefix)]);
    Logrotate::create(&parameters).unwrap()
}

fn container(variables: &[(&str, &str)]) -> Container {
    let variable = |(name, value): &(&str, &str)| Variable {
        name: (*name).to_owned(),
        value: Some((*value).to_owned()),
    };
    let variables = variables.iter().map(variable).collect();
    let command = CommandInfo { environment: Some(Environment { variables }) };
    Container { command_info: command.encode_to_vec().into(), ..Container::default() }
}

fn words(sink: Sink) -> String {
    match sink {
        Sink::Program(words) => words.join(" "),
        Sink::File(path) => panic!("it is a file: {path}"),
    }
}

#[test]
fn a_program_takes_each_stream_within_its_limits() {
    let streams = logger("CONTAINER_LOGGER_").streams(&container(&[])).unwrap();
    assert_eq!(words(streams.stdout), "/bin/sh stdout 10485760 5");
    let own = container(&[
        ("CONTAINER_LOGGER_MAX_STDOUT_SIZE", "5KB"),
        ("CONTAINER_LOGGER_MAX_FILES", "0"),
        ("MAX_STDERR_SIZE", "nonsense"),
    ]);
    let streams = logger("CONTAINER_LOGGER_").streams(&own).unwrap();
    assert_eq!(words(streams.stdout), "/bin/sh stdout 5120 0");
    assert_eq!(words(streams.stderr), "/bin/sh stderr 10485760 0");
    let streams = logger("").streams(&own).unwrap();
    assert_eq!(words(streams.stdout), "/bin/sh stdout 10485760 5");
}

#[test]
fn wrong_limits_are_refused_by_name() {
    for value in ["5", "5 XB", "1KB", "-1MB", "99999999999TB"] {
        let own = container(&[("CONTAINER_LOGGER_MAX_STDERR_SIZE", value)]);
        let refused = logger("CONTAINER_LOGGER_").streams(&own).unwrap_err().to_string();
        assert!(refused.contains("'CONTAINER_LOGGER_MAX_STDERR_SIZE' must be"), "{refused}");
    }
    let small = ParameterValue::Integer(10);
    let small = Parameter { name: "max_stdout_size".into(), value: small };
    let program = ParameterValue::Text("/bin/sh".into());
    let program = Parameter { name: "program".into(), value: program };
    let refused = Logrotate::create(&Parameters::new([program, small])).unwrap_err().to_string();
    assert!(refused.contains("'max_stdout_size' must be"), "{refused}");
}

#[test]
fn a_missing_program_is_told() {
    let refused = program(Some("/no/such/program")).unwrap_err().to_string();
    assert!(refused.contains("/no/such/program") && refused.contains("'program'"), "{refused}");
}

#[test]
fn this_code_knows_its_file() {
    assert_eq!(library(), std::env::current_exe().ok());
}

/// A stream that comes in pieces of 1000 bytes.
struct Pieces(Vec<u8>);

impl std::io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(1000).min(self.0.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0.drain(..length);
        Ok(length)
    }
}

#[test]
fn files_are_rotated_and_nothing_of_what_is_kept_is_torn_or_lost() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stdout");
    fs::write(&file, "from before\n").unwrap();
    let lines: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    let mut rotated = Rotated::new(&file, 8192, 2);
    rotated.take(Pieces(lines.clone().into_bytes()), |error| panic!("{error}")).unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let kept = [read("stdout.2"), read("stdout.1"), read("stdout")].concat();
    assert!(lines.ends_with(&kept), "the newest are kept, in order");
    assert!(kept.len() > 2 * 7192);
    for name in ["stdout", "stdout.1", "stdout.2"] {
        assert!(read(name).len() <= 8192);
    }
    assert!(!dir.path().join("stdout.3").exists());
}

#[test]
fn a_stream_that_cannot_be_kept_is_read_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (file, elsewhere) = (dir.path().join("stdout"), dir.path().join("elsewhere"));
    fs::write(&elsewhere, "").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let told = Cell::new(0);
    let mut rotated = Rotated::new(&file, 8192, 0);
    rotated.take(Pieces(vec![b'x'; 10_000]), |_| told.set(told.get() + 1)).unwrap();
    assert_eq!(told.get(), 1, "once for a row of failures");
    assert_eq!(fs::read(&elsewhere).unwrap(), b"", "links are not followed");
}

#[test]
fn without_older_files_the_file_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stderr");
    Rotated::new(&file, 4096, 0).take(Pieces(vec![b'x'; 9000]), |_| ()).unwrap();
    assert!(fs::metadata(&file).unwrap().len() <= 4096);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
