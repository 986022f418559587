//! SIGTERM, handed on to the container as the signal that its image wants to be stopped by, and
//! SIGQUIT, which kills it.
//!
//! How long the container may take in between is the affair of whoever sends them: the executor
//! knows the task's grace period.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::engine::{Engine, EngineError};
use crate::shim::say;

/// The exit code of a container that was stopped before it began: that of SIGTERM.
pub(super) const STOPPED: u8 = 143;

/// The pause between two tries to tell an engine that is away.
const PAUSE: Duration = Duration::from_millis(500);

fn signals() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT].into_iter().collect()
}

/// Holds the signals back, so that [`Stop::listen`] can take them.
pub(super) fn block() -> nix::Result<()> {
    signals().thread_block()
}

/// Whether the container has begun, and whether it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It has not begun.
    Before,
    /// It is to end as soon as it has begun.
    Unwanted(How),
    /// It has begun.
    Running,
}

/// How a container is to end, the stronger way last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// By the signal that its image wants.
    Asked,
    /// At once.
    Killed,
}

/// A thread that waits for signals.
pub(super) struct Stop {
    target: Arc<Target>,
}

struct Target {
    engine: Arc<Engine>,
    name: String,
    phase: Mutex<Phase>,
}

impl Stop {
    /// Begins to listen.
    pub(super) fn listen(engine: Arc<Engine>, name: String) -> Self {
        let target = Arc::new(Target { engine, name, phase: Mutex::new(Phase::Before) });
        let listening = Arc::clone(&target);
        std::thread::spawn(move || {
            while let Ok(signal) = signals().wait() {
                let how = if signal == Signal::SIGQUIT { How::Killed } else { How::Asked };
                listening.hear(how);
            }
        });
        Self { target }
    }

    /// Whether the container may still be started.
    pub(super) fn may_start(&self) -> bool {
        *self.target.phase() == Phase::Before
    }

    /// The container has been started.
    pub(super) fn started(&self) {
        let before = std::mem::replace(&mut *self.target.phase(), Phase::Running);
        if let Phase::Unwanted(how) = before {
            let target = Arc::clone(&self.target);
            std::thread::spawn(move || target.tell(how));
        }
    }
}

impl Target {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(self: &Arc<Self>, how: How) {
        let mut phase = self.phase();
        match *phase {
            Phase::Before => *phase = Phase::Unwanted(how),
            // Signals that wait together do not come in the order in which they were sent.
            Phase::Unwanted(earlier) => *phase = Phase::Unwanted(earlier.max(how)),
            Phase::Running => {
                // On a thread of its own: the engine may be away, and there may be more to hear.
                let target = Arc::clone(self);
                std::thread::spawn(move || target.tell(how));
            }
        }
    }

    /// Tells the container, once its engine can be reached.
    fn tell(&self, how: How) {
        while let Err(error) = self.try_to_tell(how) {
            // There is nothing left to tell.
            if matches!(error.status(), Some(404 | 409)) {
                return;
            }
            say(&format_args!("{error}; trying again"));
            std::thread::sleep(PAUSE);
        }
    }

    fn try_to_tell(&self, how: How) -> Result<(), EngineError> {
        let container = self.engine.container(&self.name);
        if how == How::Killed {
            return container.signal("SIGKILL");
        }
        let state = container.inspect()?;
        let own = state["Config"]["StopSignal"].as_str().filter(|signal| !signal.is_empty());
        container.signal(own.unwrap_or("SIGTERM"))
    }
}
