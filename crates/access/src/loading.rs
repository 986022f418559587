//! From the names in the settings to modules at work.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_config::{Given, Module as Told, Modules, Origin, Parameter};
use reeve_module_host::{
    Facts, LoadError, LoadedAuthenticator, LoadedAuthorizer, Module, Search, Unusable, Works,
};

use crate::{Authenticator, Calls, Permissions};

/// Loads what the settings name. A name means the same module however often it is named.
#[derive(Debug)]
pub struct Loading<'a> {
    search: Search,
    given: &'a Modules,
    authenticators: BTreeMap<String, Arc<Authenticator>>,
    facts: Vec<Facts>,
}

impl<'a> Loading<'a> {
    /// Looks there, and gives modules what the settings give them.
    pub fn new(search: Search, given: &'a Modules) -> Self {
        Self { search, given, authenticators: BTreeMap::new(), facts: Vec::new() }
    }

    /// The authenticators that a setting lists. `credentials` goes to those that have a parameter
    /// of that name and are not told it otherwise.
    ///
    /// # Errors
    ///
    /// If one cannot be used.
    pub fn authenticators(
        &mut self,
        setting: &'static str,
        names: &[String],
        credentials: Option<&str>,
    ) -> Result<Vec<Arc<Authenticator>>, Unusable> {
        names.iter().map(|name| self.authenticator(setting, name, credentials)).collect()
    }

    fn authenticator(
        &mut self,
        setting: &'static str,
        name: &str,
        credentials: Option<&str>,
    ) -> Result<Arc<Authenticator>, Unusable> {
        if let Some(known) = self.authenticators.get(name) {
            return Ok(Arc::clone(known));
        }
        let told = credentials.map(|file| ("credentials", file));
        let works = self.load::<LoadedAuthenticator>(setting, name, told)?;
        let calls = Calls::start(name, works, LoadedAuthenticator::KIND.deadline());
        let guard = Arc::new(calls.map_err(|error| no_thread(setting, name, &error))?);
        self.authenticators.insert(name.to_owned(), Arc::clone(&guard));
        Ok(guard)
    }

    /// What the authorizer of this name permits; it gets `acls` if it has a parameter of that name
    /// and is not told it otherwise. Mesos's `local` is `acls` where there are any; else everything
    /// is permitted.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub fn authorizer(
        &mut self,
        setting: &'static str,
        name: &str,
        acls: Option<&str>,
    ) -> Result<Permissions, Unusable> {
        let name = match (name, acls) {
            ("local", None) => return Ok(Permissions::default()),
            ("local", Some(_)) => "acls",
            (name, _) => name,
        };
        let told = acls.map(|rules| ("acls", rules));
        let works = Box::new(self.load::<LoadedAuthorizer>(setting, name, told)?);
        Permissions::of(name, works, LoadedAuthorizer::KIND.deadline())
            .map_err(|error| no_thread(setting, name, &error))
    }

    fn load<T: Works>(
        &mut self,
        setting: &'static str,
        name: &str,
        told: Option<(&str, &str)>,
    ) -> Result<T, Unusable> {
        let unusable = |source| Unusable { setting, name: name.to_owned(), source };
        let Module { facts, works } = self.create(name, told).map_err(unusable)?;
        self.facts.push(facts);
        Ok(works)
    }

    fn create<T: Works>(
        &self,
        name: &str,
        told: Option<(&str, &str)>,
    ) -> Result<Module<T>, LoadError> {
        let given = self.given.get(name);
        let library = self.search.library(T::KIND, name, given)?;
        let knows =
            |parameter: &str| library.manifest.parameters.iter().any(|spec| spec.name == parameter);
        let Some((parameter, value)) = told.filter(|(parameter, _)| knows(parameter)) else {
            return library.create(given);
        };
        let mut given = given.cloned().unwrap_or_else(|| Told::named(Origin::Program));
        given.parameters.entry(parameter.to_owned()).or_insert_with(|| Parameter {
            given: Given::One(value.to_owned()),
            origin: Origin::Program,
        });
        library.create(Some(&given))
    }

    /// What was loaded, for those who ask.
    pub fn into_facts(self) -> Vec<Facts> {
        self.facts
    }
}

fn no_thread(setting: &'static str, name: &str, error: &std::io::Error) -> Unusable {
    let (name, why) = (name.to_owned(), format!("there is no thread for it: {error}"));
    Unusable { setting, name: name.clone(), source: LoadError::Create { name, why } }
}
