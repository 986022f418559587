//! What `reeve registry fsck` does with a file that is damaged.

use reeve_records::Records;
use reeve_registry::{Error, Store};

use super::Place;

/// After `error`: tells what is damaged, and if asked to puts a file with the rest in the place of the
/// damaged one. Gives what is in the registry then; `None` if that is still what is damaged.
///
/// # Errors
///
/// `error` itself if it tells of no damage, or of so much that nothing can be read.
#[allow(clippy::print_stdout)]
pub(super) fn run(
    place: &Place,
    error: anyhow::Error,
    repair: bool,
) -> anyhow::Result<Option<Records>> {
    let Some(Error::Damaged { path, .. } | Error::Record { path, .. }) = error.downcast_ref()
    else {
        return Err(error);
    };
    let Ok(salvage) = Store::salvage(path) else { return Err(error) };
    println!("{error}");
    for key in &salvage.damaged {
        println!("{key}: damaged");
    }
    if salvage.lost > 0 {
        println!("{} records can't be found any more", salvage.lost);
    }
    if !repair {
        println!(
            "{place}: {} records are whole, {} are not; --repair keeps those that are, and moves the \
             damaged file away. A copy that 'export' wrote may hold more of them",
            salvage.whole.len(),
            salvage.damaged.len() as u64 + salvage.lost,
        );
        return Ok(None);
    }
    let aside = Store::replace(path, &salvage)?;
    println!("{} records were kept; the damaged file is {}", salvage.whole.len(), aside.display());
    Ok(Some(salvage.whole))
}
