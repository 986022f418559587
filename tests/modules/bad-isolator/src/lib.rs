//! An isolator that errs on purpose, for containers whose framework it is told.

use std::time::Duration;

use reeve_module_sdk::isolator::{Container, Fragment, Isolator};
use reeve_module_sdk::{Failed, Module, Parameters};

struct Bad {
    how: String,
}

impl Module for Bad {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        Ok(Self { how: parameters.text("how").unwrap_or_default().to_owned() })
    }
}

impl Isolator for Bad {
    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        let task = container.task.as_ref().map(|task| task.as_str()).unwrap_or_default();
        if !task.starts_with("unlucky") {
            return Ok(Fragment::default());
        }
        match self.how.as_str() {
            "panic" => panic!("{task} is unlucky"),
            "hang" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            _ => Err(Failed::new(format!("{task} is unlucky"))),
        }
    }
}

reeve_module_sdk::module! {
    isolator: Bad,
    name: "bad",
    author: "Somebody <somebody@example.com>",
    description: "Errs on purpose",
    parameters: [
        ("how", "fail|panic|hang", "fail", "What it does wrong."),
    ],
}
