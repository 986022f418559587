//! Anonymous modules at work: each on a thread of its own, shown the daemon's metrics now and
//! then. A daemon never waits for one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use reeve_module_sdk::anonymous::{Anonymous, Figure, Value};

use crate::{Facts, LoadError, LoadedAnonymous, Module, Search, Unusable};

/// The anonymous modules of a daemon. Dropping it ends their threads.
#[derive(Debug)]
pub struct Companions {
    all: Vec<Companion>,
}

/// One of them; no more than one showing waits for it.
#[derive(Debug)]
struct Companion {
    name: String,
    shown: SyncSender<Arc<[Figure]>>,
}

impl Companions {
    /// How often they are shown the metrics.
    pub const PERIOD: Duration = Duration::from_secs(10);

    /// Loads the modules that a setting lists, and says what was loaded.
    ///
    /// # Errors
    ///
    /// If one cannot be used, or the system has no thread left.
    pub fn load(
        search: &Search,
        setting: &'static str,
        names: &[String],
        modules: &reeve_config::Modules,
    ) -> Result<(Self, Vec<Facts>), Unusable> {
        let (mut all, mut facts) = (Vec::new(), Vec::new());
        for name in names {
            let module: Module<LoadedAnonymous> = search.load(setting, name, modules)?;
            facts.push(module.facts);
            all.push(Companion::start(name, module.works).map_err(|error| {
                let (name, why) = (name.clone(), error.to_string());
                Unusable { setting, name: name.clone(), source: LoadError::Create { name, why } }
            })?);
        }
        Ok((Self { all }, facts))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Shows the metrics to all, by their names. One that has not looked at the last ones yet
    /// misses these.
    pub fn show(&self, metrics: &BTreeMap<String, f64>) {
        let figure = |(name, value): (&String, &f64)| Figure {
            name: name.as_str().into(),
            value: Value::Number(*value),
        };
        let figures: Arc<[Figure]> = metrics.iter().map(figure).collect();
        for companion in &self.all {
            match companion.shown.try_send(Arc::clone(&figures)) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    let module = companion.name.as_str();
                    tracing::warn!(module, "still looks at earlier metrics, and misses some");
                }
                Err(TrySendError::Disconnected(_)) => {}
            }
        }
    }
}

impl Companion {
    fn start(name: &str, works: impl Anonymous + 'static) -> std::io::Result<Self> {
        let (shown, showings) = sync_channel(1);
        let thread = std::thread::Builder::new().name(format!("module-{name}"));
        thread.spawn(move || look(&works, &showings))?;
        Ok(Self { name: name.to_owned(), shown })
    }
}

fn look(module: &impl Anonymous, showings: &Receiver<Arc<[Figure]>>) {
    while let Ok(figures) = showings.recv() {
        if let Err(failed) = module.metrics(&figures) {
            tracing::warn!("{failed}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::Sender;

    use reeve_module_sdk::Failed;

    use super::*;

    /// Tells what it is shown, and waits until it may go on.
    struct Slow {
        told: Mutex<Sender<String>>,
        go_on: Mutex<Receiver<()>>,
    }

    impl Anonymous for Slow {
        fn metrics(&self, metrics: &[Figure]) -> Result<(), Failed> {
            let names: Vec<&str> = metrics.iter().map(|figure| figure.name.as_str()).collect();
            self.told.lock().unwrap().send(names.join(",")).unwrap();
            self.go_on.lock().unwrap().recv().map_err(|error| Failed::new(error.to_string()))
        }
    }

    #[test]
    fn one_that_takes_its_time_misses_metrics_and_keeps_nobody_waiting() {
        let (told, tells) = std::sync::mpsc::channel();
        let (release, go_on) = std::sync::mpsc::channel();
        let slow = Slow { told: Mutex::new(told), go_on: Mutex::new(go_on) };
        let companions = Companions { all: vec![Companion::start("slow", slow).unwrap()] };
        let show = |name: &str| companions.show(&BTreeMap::from([(name.to_owned(), 1.0)]));
        show("first");
        assert_eq!(tells.recv().unwrap(), "first");
        for name in ["second", "third", "fourth"] {
            show(name);
        }
        release.send(()).unwrap();
        assert_eq!(tells.recv().unwrap(), "second");
        // Its failure ends nothing.
        drop(release);
        show("fifth");
        assert_eq!(tells.recv().unwrap(), "fifth");
    }
}
