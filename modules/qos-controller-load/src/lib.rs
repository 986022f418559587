//! The QoS controller `load`: when the host is too busy, all revocable work of the agent ends.

use reeve_module_sdk::oversubscription::{AgentUsage, Correction, QosController};
use reeve_module_sdk::{Failed, Module, Parameters};

/// The QoS controller.
#[derive(Debug)]
pub struct Load {
    /// The load averages of 5 and of 15 minutes that are too much.
    thresholds: [(&'static str, Option<f64>); 2],
}

impl Module for Load {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let threshold = |name| parameters.number(name);
        let five = threshold("load_threshold_5min");
        let fifteen = threshold("load_threshold_15min");
        if five.or(fifteen).is_none() {
            let why = "set load_threshold_5min or load_threshold_15min, or both";
            return Err(Failed::new(why));
        }
        Ok(Self { thresholds: [("5", five), ("15", fifteen)] })
    }
}

reeve_module_sdk::module! {
    qos_controller: Load,
    name: "load",
    author: "The Reeve authors",
    description: "Ends revocable work when the load average of the host is too high.",
    parameters: [
        ("load_threshold_5min", "number", "The load average of 5 minutes that is the most."),
        ("load_threshold_15min", "number", "The load average of 15 minutes that is the most."),
    ],
}

impl QosController for Load {
    fn corrections(&self, usage: &AgentUsage) -> Result<Vec<Correction>, Failed> {
        let text = std::fs::read_to_string("/proc/loadavg")
            .map_err(|error| Failed::new(format!("/proc/loadavg cannot be read: {error}")))?;
        let loads = averages(&text)
            .ok_or_else(|| Failed::new(format!("/proc/loadavg says '{}'", text.trim())))?;
        Ok(self.judge(loads, usage))
    }
}

impl Load {
    fn judge(&self, loads: [f64; 2], usage: &AgentUsage) -> Vec<Correction> {
        let exceeded = self.thresholds.iter().zip(loads).find_map(|((minutes, most), load)| {
            let most = most.filter(|most| load > *most)?;
            Some(format!("the load average of {minutes} minutes is {load}, above {most}"))
        });
        let Some(reason) = exceeded else { return Vec::new() };
        let revocable = usage.executors.iter().filter(|one| !one.revocable.is_empty());
        revocable
            .map(|one| Correction {
                framework: one.framework.clone(),
                executor: one.executor.clone(),
                container: one.container.clone(),
                reason: reason.as_str().into(),
            })
            .collect()
    }
}

/// The load averages of 5 and of 15 minutes.
fn averages(text: &str) -> Option<[f64; 2]> {
    let mut numbers = text.split_ascii_whitespace().skip(1).map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

#[cfg(test)]
mod tests {
    use reeve_module_api::v2::{Parameter, ParameterValue};
    use reeve_module_sdk::oversubscription::{ExecutorUsage, Scalar};

    use super::*;

    fn load(five: Option<f64>, fifteen: Option<f64>) -> Result<Load, Failed> {
        let number = |(name, number): (&str, f64)| Parameter {
            name: name.into(),
            value: ParameterValue::Number(number),
        };
        let five = five.map(|number| ("load_threshold_5min", number));
        let fifteen = fifteen.map(|number| ("load_threshold_15min", number));
        Load::create(&Parameters::new(five.into_iter().chain(fifteen).map(number)))
    }

    fn usage() -> AgentUsage {
        let scalars = vec![Scalar { name: "cpus".into(), thousandths: 1000 }];
        let executor = |id: &str| ExecutorUsage {
            executor: id.into(),
            container: format!("container of {id}").into(),
            ..ExecutorUsage::default()
        };
        let firm = ExecutorUsage { granted: scalars.clone().into(), ..executor("firm") };
        let revocable = ExecutorUsage { revocable: scalars.into(), ..executor("revocable") };
        AgentUsage { executors: vec![firm, revocable].into(), ..AgentUsage::default() }
    }

    #[test]
    fn above_a_threshold_revocable_work_ends_and_no_other() {
        let load = load(Some(4.0), Some(2.0)).unwrap();
        assert_eq!(load.judge([4.0, 2.0], &usage()), []);
        for (loads, why) in [([4.5, 0.0], "5 minutes is 4.5, above 4"), ([0.0, 2.25], "15 minutes")]
        {
            let corrections = load.judge(loads, &usage());
            assert_eq!(corrections.len(), 1);
            assert_eq!(corrections[0].container, "container of revocable");
            assert!(corrections[0].reason.contains(why), "{}", corrections[0].reason);
        }
    }

    #[test]
    fn a_threshold_that_is_not_set_is_none() {
        assert!(load(None, None).is_err());
        assert_eq!(load(Some(1.0), None).unwrap().judge([0.5, 99.0], &usage()), []);
    }

    #[test]
    fn the_kernels_words_are_understood() {
        assert_eq!(averages("0.50 1.25 2.75 2/345 6789\n"), Some([1.25, 2.75]));
        assert_eq!(averages("0.50 1.25"), None);
        assert!(load(Some(1e9), None).unwrap().corrections(&usage()).unwrap().is_empty());
    }
}
