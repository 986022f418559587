//! The module's parameters, read and checked.

use std::time::Duration;

use reeve_allocation_engine::Class;
use reeve_module_sdk::{Failed, Parameters};

/// How classes are told apart, and what is done for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name of the label that says a framework's class.
    pub label: String,
    /// The names of the classes, the highest first.
    pub classes: Vec<String>,
    /// The class of who has none otherwise.
    pub default_class: Class,
    /// Classes of roles; a role without an entry has that of its parent.
    pub roles: Vec<(String, Class)>,
    /// What is kept free for each class, in thousandths of the cluster.
    pub reserves: Vec<i64>,
    /// Who waits so long rises by one class; zero: nobody does.
    pub ageing: Duration,
    /// Taking back what lower classes hold, if that is switched on.
    pub preemption: Option<Preemption>,
}

/// When and how resources are taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// How long a framework waits before something is taken back for it.
    pub patience: Duration,
    /// How long a task has to end by itself.
    pub grace: Duration,
}

impl Settings {
    /// These classes, the last of which is the default; nothing else is switched on.
    pub fn new(classes: &[&str]) -> Self {
        Self {
            label: "priority".to_owned(),
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
            default_class: classes.len().saturating_sub(1),
            roles: Vec::new(),
            reserves: vec![0; classes.len()],
            ageing: Duration::ZERO,
            preemption: None,
        }
    }

    /// From what the module was configured with.
    ///
    /// # Errors
    ///
    /// The first parameter whose value makes no sense, and why.
    pub fn read(parameters: &Parameters) -> Result<Self, Failed> {
        let mut settings = Self::new(&classes(parameters)?);
        if let Some(label) = parameters.text("label") {
            label.clone_into(&mut settings.label);
        }
        if let Some(name) = parameters.text("default_class").filter(|name| !name.is_empty()) {
            settings.default_class = settings.find("default_class", name)?;
        }
        for entry in parameters.list("roles") {
            let (role, name) = pair("roles", entry, "eng=high")?;
            settings.roles.push((role.to_owned(), settings.find("roles", name)?));
        }
        for entry in parameters.list("reserve") {
            let (name, share) = pair("reserve", entry, "high=10%")?;
            let class = settings.find("reserve", name)?;
            settings.reserves[class] = thousandths(entry, share)?;
        }
        if settings.reserves.iter().sum::<i64>() > 1000 {
            return Err(Failed::new("reserve: the shares of all classes are more than 100%"));
        }
        settings.ageing = parameters.duration("ageing").unwrap_or_default();
        settings.preemption = parameters.switch("preemption").then(|| Preemption {
            patience: parameters.duration("patience").unwrap_or(Duration::from_secs(10)),
            grace: parameters.duration("grace").unwrap_or(Duration::from_secs(30)),
        });
        Ok(settings)
    }

    fn find(&self, parameter: &str, name: &str) -> Result<Class, Failed> {
        self.classes.iter().position(|known| known == name).ok_or_else(|| {
            let known = self.classes.join(", ");
            Failed::new(format!("{parameter}: there is no class '{name}'; there are {known}"))
        })
    }

    /// The class that the value of a label means: a name, or a number that counts from the lowest
    /// class up.
    pub(crate) fn class_of_label(&self, value: &str) -> Option<Class> {
        let by_name = self.classes.iter().position(|name| name == value);
        by_name.or_else(|| {
            let number: i64 = value.trim().parse().ok()?;
            let lowest = self.classes.len() - 1;
            Some(lowest.saturating_sub(usize::try_from(number.max(0)).unwrap_or(lowest)))
        })
    }

    /// The class of a role: its own entry, or that of the nearest role above it.
    pub(crate) fn class_of_role(&self, role: &str) -> Option<Class> {
        let mut at = role;
        loop {
            if let Some((_, class)) = self.roles.iter().find(|(name, _)| name == at) {
                return Some(*class);
            }
            at = at.rsplit_once('/')?.0;
        }
    }
}

fn classes(parameters: &Parameters) -> Result<Vec<&str>, Failed> {
    let names = match parameters.list("classes") {
        names if names.is_empty() => vec!["high", "normal", "low"],
        names => names,
    };
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() || names[..at].contains(name) {
            return Err(Failed::new(format!("classes: '{name}' is empty or there twice")));
        }
    }
    Ok(names)
}

fn pair<'a>(parameter: &str, entry: &'a str, example: &str) -> Result<(&'a str, &'a str), Failed> {
    let wanted = || Failed::new(format!("{parameter}: '{entry}' is not such as '{example}'"));
    let (left, right) = entry.split_once('=').ok_or_else(wanted)?;
    let (left, right) = (left.trim(), right.trim());
    if left.is_empty() || right.is_empty() { Err(wanted()) } else { Ok((left, right)) }
}

/// A share of the cluster: `10%`, or `0.1`.
fn thousandths(entry: &str, share: &str) -> Result<i64, Failed> {
    let (number, unit) = match share.strip_suffix('%') {
        Some(percent) => (percent, 10.0),
        None => (share, 1000.0),
    };
    let thousandths = number.trim().parse::<f64>().ok().map(|number| (number * unit).round());
    match thousandths {
        Some(thousandths) if (0.0..=1000.0).contains(&thousandths) => Ok(thousandths as i64),
        _ => Err(Failed::new(format!("reserve: '{entry}' is not a share from 0% to 100%"))),
    }
}

#[cfg(test)]
mod tests;
