//! Where a container's output goes, if a container logger has a say.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;

use reeve_module_sdk::container_logger::{Container, Sink};

use super::Logger;
use crate::sandbox::Outputs;
use crate::users::User;

/// Programs that take the output, by their words; none where it goes to a file.
#[derive(Debug, Default)]
pub(crate) struct Takers {
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

impl Takers {
    /// Whether there is any.
    pub(crate) fn are_there(&self) -> bool {
        !self.stdout.is_empty() || !self.stderr.is_empty()
    }
}

/// Asks the logger, and opens the files that it names in place of those of the sandbox.
pub(crate) fn take(
    logger: &Logger,
    container: &Container,
    user: Option<&User>,
    outputs: &mut Outputs,
) -> Result<Takers, String> {
    let named = |why: String| format!("container logger '{}': {why}", logger.name);
    let streams = logger.works.streams(container).map_err(|failed| named(failed.to_string()))?;
    let stdout = settle(streams.stdout, user, &mut outputs.stdout).map_err(named)?;
    let stderr = settle(streams.stderr, user, &mut outputs.stderr).map_err(named)?;
    Ok(Takers { stdout, stderr })
}

fn settle(sink: Sink, user: Option<&User>, output: &mut File) -> Result<Vec<String>, String> {
    let whole = |path: &str| match Path::new(path).is_absolute() {
        true => Ok(()),
        false => Err(format!("'{path}' is not a whole path")),
    };
    match sink {
        Sink::Program(words) => {
            whole(words.first().map_or("", |word| word.as_str()))?;
            Ok(words.into_iter().map(Into::into).collect())
        }
        Sink::File(path) => {
            whole(&path)?;
            let mut how = OpenOptions::new();
            let how = how.append(true).create(true).mode(0o644).custom_flags(libc::O_NOFOLLOW);
            let opened = how.open(&*path).and_then(|file| {
                user.map_or(Ok(()), |user| fchown(&file, Some(user.uid), Some(user.gid)))?;
                Ok(file)
            });
            *output = opened.map_err(|error| format!("'{path}' cannot be opened: {error}"))?;
            Ok(Vec::new())
        }
    }
}
