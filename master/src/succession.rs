//! Who leads when: the one place where terms begin and end.

use reeve_model::MasterInfo;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::office::{Holder, Office};
use crate::term::Terms;

/// A master that nobody else contends with: it leads from its start to its end.
///
/// # Errors
///
/// If it cannot begin.
pub async fn alone(
    mut terms: Terms,
    office: Office,
    stop: CancellationToken,
) -> Result<oneshot::Receiver<Option<String>>, Error> {
    let mut incumbency = terms.begin().await?;
    office.pass_to(Holder::Own(incumbency.term().clone()));
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let why = tokio::select! {
            () = stop.cancelled() => None,
            why = incumbency.fails() => Some(why),
        };
        office.pass_to(Holder::Nobody);
        incumbency.end().await;
        // Whoever started the master may not wait for its end.
        let _ = end.send(why);
    });
    Ok(ended)
}
