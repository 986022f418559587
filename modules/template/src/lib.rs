//! An isolator that tells every program which site it runs at, and limits its open files.

use reeve_module_sdk::isolator::{Container, Fragment, Isolator, Rlimit};
use reeve_module_sdk::{Failed, Module, Parameters};

/// The kernel's number of `RLIMIT_NOFILE` on Linux.
const OPEN_FILES: u32 = 7;

struct Site {
    name: String,
    open_files: Option<u64>,
}

impl Module for Site {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let name = parameters.text("name").unwrap_or_default().to_owned();
        let open_files = match parameters.integer("open_files") {
            None => None,
            Some(number) => Some(u64::try_from(number).map_err(|_| {
                Failed::new(format!("open_files is {number}; no program opens less than none"))
            })?),
        };
        Ok(Self { name, open_files })
    }
}

impl Isolator for Site {
    fn prepare(&self, _container: &Container) -> Result<Fragment, Failed> {
        let mut fragment = Fragment::default();
        fragment.set("SITE", self.name.as_str());
        if let Some(most) = self.open_files {
            fragment.rlimits.push(Rlimit { resource: OPEN_FILES, soft: most, hard: most });
        }
        Ok(fragment)
    }
}

reeve_module_sdk::module! {
    isolator: Site,
    name: "site",
    author: "Somebody <somebody@example.com>",
    description: "Tells every program which site it runs at, and limits its open files",
    parameters: [
        ("name", "text", "unnamed", "The site's name, as programs see it in SITE."),
        ("open_files", "integer", "The most files that a program may have open."),
    ],
}
