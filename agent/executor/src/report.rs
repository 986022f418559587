//! What a wrapper tells of the task that it runs elsewhere, a line each, through a pipe. The lines
//! are part of the modules' interface (`Fragment.wrapper`).

use std::io::{PipeReader, Read};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use crate::sys::{self, Watch};

/// The longest line taken; a longer one is cut.
const MAX_LINE: usize = 16 << 10;

/// What a wrapper says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The task runs, under an IP address of its own if it has one.
    Running(Option<IpAddr>),
    /// It ended because it broke a limit.
    Limit {
        /// Of what.
        resource: String,
        /// What happened, with the numbers.
        message: String,
    },
    /// It could not be started, and why.
    Failed(String),
}

impl Report {
    /// Reads a line; one that is not understood says nothing.
    fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "running" => Some(Self::Running(rest.trim().parse().ok())),
            "limit" => {
                let (resource, message) = rest.split_once(' ')?;
                Some(Self::Limit { resource: resource.to_owned(), message: message.to_owned() })
            }
            "failed" => Some(Self::Failed(rest.to_owned())),
            _ => None,
        }
    }
}

/// The reports of one wrapper.
#[derive(Debug, Default)]
pub struct Reports {
    expected: bool,
    pipe: Option<PipeReader>,
    /// A line that is not whole yet.
    text: Vec<u8>,
}

impl Reports {
    /// Those of a wrapper, or of nobody.
    pub fn new(expected: bool) -> Self {
        Self { expected, ..Self::default() }
    }

    /// Whether there is a wrapper.
    pub fn are_expected(&self) -> bool {
        self.expected
    }

    /// Starts a wrapper with the end of a pipe to write to.
    pub fn opened<T>(
        &mut self,
        start: impl FnOnce(Option<BorrowedFd<'_>>) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        if !self.expected {
            return start(None);
        }
        let (reader, writer) = std::io::pipe()?;
        self.pipe = Some(reader);
        start(Some(writer.as_fd()))
    }

    /// What to wait for.
    pub fn watch(&self) -> Option<Watch> {
        self.pipe.as_ref().map(|pipe| Watch::Read(pipe.as_raw_fd()))
    }

    /// All that was said since the last time.
    pub fn read(&mut self) -> Vec<Report> {
        let mut buffer = [0; 4 << 10];
        while let Some(pipe) = &mut self.pipe {
            let watch = [Some(Watch::Read(pipe.as_raw_fd()))];
            if !matches!(sys::wait_ready(watch, Some(Duration::ZERO)), Ok([true])) {
                break;
            }
            match pipe.read(&mut buffer) {
                Ok(count) if count > 0 => {
                    let room = MAX_LINE.saturating_sub(self.text.len());
                    self.text.extend(&buffer[..count.min(room)]);
                    if count > room {
                        self.text.push(b'\n');
                    }
                }
                _ => self.pipe = None,
            }
        }
        let end = self.text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.text.drain(..end).collect();
        String::from_utf8_lossy(&lines).lines().filter_map(Report::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_read_when_they_are_whole() {
        let mut reports = Reports::new(true);
        let mut told = Vec::new();
        reports
            .opened(|report| {
                let report = report.unwrap().try_clone_to_owned()?;
                told.push(std::fs::File::from(report));
                Ok(())
            })
            .unwrap();
        let mut wrapper = told.remove(0);
        assert_eq!(reports.read(), []);
        write!(wrapper, "running 172.17.0.2\nlimit mem used").unwrap();
        assert_eq!(reports.read(), [Report::Running("172.17.0.2".parse().ok())]);
        write!(wrapper, " 64MB\ngibberish\nrunning\nfailed no such image\n").unwrap();
        drop(wrapper);
        let limit = Report::Limit { resource: "mem".into(), message: "used 64MB".into() };
        let failed = Report::Failed("no such image".into());
        assert_eq!(reports.read(), [limit, Report::Running(None), failed]);
        assert!(reports.watch().is_none());
    }

    #[test]
    fn without_a_wrapper_nobody_reports() {
        let mut reports = Reports::new(false);
        assert!(reports.opened(|report| Ok(report.is_none())).unwrap());
        assert!(reports.watch().is_none() && !reports.are_expected());
    }
}
