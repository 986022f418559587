//! How many processes and threads there may be. A container that meets the limit is not killed:
//! it just cannot start more.

use super::Write;
use crate::settings::Settings;

/// What to write once.
pub(crate) fn writes(settings: &Settings) -> Vec<Write> {
    let most = settings.pids_max.map(|most| Write::new(&["pids.max"], most));
    most.into_iter().collect()
}
