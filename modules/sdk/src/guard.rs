//! Nothing unwinds across the boundary: a panic becomes a [`Fault`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use reeve_module_api::abi_stable::std_types::{RErr, ROk, RResult};
use reeve_module_api::v2::Fault;

use crate::Failed;

/// Runs a call of the author's.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, Failed>) -> RResult<T, Fault> {
    // What the panic left behind is the host's concern: it is told, and does not call again
    // where that could matter.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => ROk(value),
        Ok(Err(failed)) => RErr(Fault { message: failed.0.into(), panicked: false }),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let message = format!("it panicked: {}", text.unwrap_or("it does not say why"));
            RErr(Fault { message: message.into(), panicked: true })
        }
    }
}
