//! What the service manager hears of a daemon: that it is ready, that it stops, and, where the unit
//! has `WatchdogSec`, that it lives. Without a service manager nobody hears.

use sd_notify::NotifyState;

/// Tells that a daemon is ready. From then on, as often as the manager wants it, tells that it lives,
/// each time when `beat` has come to its end: one that hangs is not alive.
pub fn ready<F>(status: &str, beat: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    tokio::spawn(async move {
        loop {
            beat().await;
            tell(&[NotifyState::Watchdog]);
            tokio::time::sleep(within / 3).await;
        }
    });
}

/// Tells that a daemon is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}
