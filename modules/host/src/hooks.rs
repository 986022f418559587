//! The hooks of a daemon, asked one after the other. One that fails changes nothing.

use std::sync::Arc;

use reeve_module_sdk::Failed;
use reeve_module_sdk::hook::{Hook, Label, Place, Variable};

use crate::{Facts, LoadedHook, Module, Search, Timely, Unusable, Works};

/// The hooks of a daemon, in order. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    all: Arc<[Timely<dyn Hook>]>,
    facts: Arc<[Facts]>,
}

impl Hooks {
    /// Loads the hooks that the setting `hooks` names.
    ///
    /// # Errors
    ///
    /// If one is not there, or does not start.
    pub fn load(
        search: &Search,
        names: &[String],
        modules: &reeve_config::Modules,
    ) -> Result<Self, Unusable> {
        let (mut all, mut facts) = (Vec::new(), Vec::new());
        for name in names {
            let module: Module<LoadedHook> = search.load("hooks", name, modules)?;
            let works: Arc<dyn Hook> = Arc::new(module.works);
            all.push(Timely::new(name, LoadedHook::KIND.deadline(), works));
            facts.push(module.facts);
        }
        Ok(Self { all: all.into(), facts: facts.into() })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What each of them is, and how it is set.
    pub fn facts(&self) -> &[Facts] {
        &self.facts
    }

    /// The labels that a task shall have in place of its own, or nothing to leave them. `task`
    /// gives the encoded TaskInfo, with these labels in place of its own if there are any;
    /// `framework` is the encoded FrameworkInfo, empty if it is not known.
    pub async fn labels(
        &self,
        place: Place,
        framework: &[u8],
        task: impl Fn(Option<&[Label]>) -> Vec<u8>,
    ) -> Option<Vec<Label>> {
        let framework: Arc<[u8]> = framework.into();
        let mut labels: Option<Vec<Label>> = None;
        for hook in self.all.iter() {
            let (task, framework) = (task(labels.as_deref()), Arc::clone(&framework));
            let answer = hook.ask(move |hook| hook.labels(place, &task, &framework)).await;
            labels = told(answer).flatten().or(labels);
        }
        labels
    }

    /// Variables for the environment of an executor, whose encoded ExecutorInfo this is. Where
    /// several hooks set one, the last of them counts.
    pub async fn environment(&self, executor: &[u8]) -> Vec<Variable> {
        let executor: Arc<[u8]> = executor.into();
        let mut variables = Vec::new();
        for hook in self.all.iter() {
            let executor = Arc::clone(&executor);
            let answer = hook.ask(move |hook| hook.environment(&executor)).await;
            variables.extend(told(answer).unwrap_or_default());
        }
        variables
    }

    /// An agent is unreachable, gone, or was removed.
    pub async fn agent_lost(&self, agent: String) {
        for hook in self.all.iter() {
            let agent = agent.clone();
            told(hook.ask(move |hook| hook.agent_lost(&agent)).await);
        }
    }

    /// An executor has ended, and its container is gone.
    pub async fn executor_ended(&self, framework: String, executor: String) {
        for hook in self.all.iter() {
            let (framework, executor) = (framework.clone(), executor.clone());
            told(hook.ask(move |hook| hook.executor_ended(&framework, &executor)).await);
        }
    }
}

fn told<T>(answer: Result<T, Failed>) -> Option<T> {
    answer.inspect_err(|failed| tracing::warn!("a hook failed and changes nothing: {failed}")).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Tells how many bytes it saw, or fails.
    struct Counting(&'static str);

    impl Hook for Counting {
        fn labels(&self, _: Place, task: &[u8], _: &[u8]) -> Result<Option<Vec<Label>>, Failed> {
            match self.0 {
                "fails" => Err(Failed::new("told to")),
                "silent" => Ok(None),
                name => {
                    let value = task.len().to_string();
                    Ok(Some(vec![Label { key: name.into(), value: value.into() }]))
                }
            }
        }

        fn environment(&self, executor: &[u8]) -> Result<Vec<Variable>, Failed> {
            let labels = self.labels(Place::Agent, executor, &[])?.unwrap_or_default();
            Ok(labels.into_iter().map(|one| Variable { name: one.key, value: one.value }).collect())
        }
    }

    fn hooks(names: &[&'static str]) -> Hooks {
        let one = |name: &&'static str| {
            let works: Arc<dyn Hook> = Arc::new(Counting(name));
            Timely::new(name, Duration::from_secs(60), works)
        };
        Hooks { all: names.iter().map(one).collect(), facts: Arc::default() }
    }

    #[tokio::test]
    async fn each_sees_what_the_one_before_it_left() {
        let task = |labels: Option<&[Label]>| vec![0; labels.map_or(5, |labels| labels.len() * 7)];
        let all = hooks(&["fails", "first", "silent", "second"]);
        let labels = all.labels(Place::Master, &[], task).await.unwrap();
        assert_eq!(labels, [Label { key: "second".into(), value: "7".into() }]);
        assert_eq!(hooks(&["fails", "silent"]).labels(Place::Agent, &[], task).await, None);
        let variables = hooks(&["first", "fails", "second"]).environment(&[0; 3]).await;
        let names: Vec<&str> = variables.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["first", "second"]);
    }
}
