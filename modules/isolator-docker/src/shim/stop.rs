//! SIGTERM, handed on to the container as the signal that its image wants to be stopped by.
//!
//! How long the container may take, and what comes then, is the affair of whoever sent SIGTERM:
//! the executor knows the task's grace period and kills the shim after it.

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
    [Signal::SIGTERM, Signal::SIGINT].into_iter().collect()
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
    Unwanted,
    /// It has begun.
    Running,
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
            while signals().wait().is_ok() {
                listening.hear();
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
        if before == Phase::Unwanted {
            let target = Arc::clone(&self.target);
            std::thread::spawn(move || target.tell());
        }
    }
}

impl Target {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self) {
        let phase = {
            let mut phase = self.phase();
            if *phase == Phase::Before {
                *phase = Phase::Unwanted;
            }
            *phase
        };
        if phase == Phase::Running {
            self.tell();
        }
    }

    /// Tells the container, once its engine can be reached.
    fn tell(&self) {
        while let Err(error) = self.try_to_tell() {
            // There is nothing left to tell.
            if matches!(error.status(), Some(404 | 409)) {
                return;
            }
            say(&format_args!("{error}; trying again"));
            std::thread::sleep(PAUSE);
        }
    }

    fn try_to_tell(&self) -> Result<(), EngineError> {
        let container = self.engine.container(&self.name);
        let state = container.inspect()?;
        let own = state["Config"]["StopSignal"].as_str().filter(|signal| !signal.is_empty());
        container.signal(own.unwrap_or("SIGTERM"))
    }
}
