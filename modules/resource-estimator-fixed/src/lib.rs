//! The resource estimator `fixed`: the same amounts may be offered as revocable, whatever runs.

use reeve_module_sdk::oversubscription::{AgentUsage, ResourceEstimator, Scalar};
use reeve_module_sdk::{Failed, Module, Parameters};

/// The resource estimator.
#[derive(Debug)]
pub struct Fixed {
    resources: Vec<Scalar>,
}

impl Module for Fixed {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let text = parameters.text("resources").unwrap_or_default();
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        Ok(Self { resources: parts.map(scalar).collect::<Result<_, _>>()? })
    }
}

reeve_module_sdk::module! {
    resource_estimator: Fixed,
    name: "fixed",
    author: "The Reeve authors",
    description: "Offers the same amounts as revocable, whatever runs.",
    parameters: [
        (
            "resources",
            "text",
            "",
            "What may be offered as revocable in all, such as cpus:4;mem:1024."
        ),
    ],
}

impl ResourceEstimator for Fixed {
    fn oversubscribable(&self, _: &AgentUsage) -> Result<Vec<Scalar>, Failed> {
        Ok(self.resources.clone())
    }
}

/// One amount, such as `cpus:0.5`. Mesos counts in thousandths.
fn scalar(text: &str) -> Result<Scalar, Failed> {
    let refused = || {
        Failed::new(format!(
            "parameter 'resources' has '{text}', which is no amount such as cpus:4 or cpus:0.5"
        ))
    };
    let (name, amount) = text.split_once(':').ok_or_else(refused)?;
    let amount: f64 = amount.trim().parse().map_err(|_| refused())?;
    if name.trim().is_empty() || !(0.0..1e12).contains(&amount) {
        return Err(refused());
    }
    // In range, as was just seen.
    #[allow(clippy::cast_possible_truncation)]
    let thousandths = (amount * 1000.0).round() as i64;
    Ok(Scalar { name: name.trim().into(), thousandths })
}

#[cfg(test)]
mod tests {
    use reeve_module_api::v2::{Parameter, ParameterValue};

    use super::*;

    fn fixed(text: &str) -> Result<Fixed, Failed> {
        let value = ParameterValue::Text(text.into());
        Fixed::create(&Parameters::new([Parameter { name: "resources".into(), value }]))
    }

    #[test]
    fn it_says_what_it_was_told() {
        let fixed = fixed("cpus:0.5; mem:1024;").unwrap();
        let told = fixed.oversubscribable(&AgentUsage::default()).unwrap();
        let told: Vec<(&str, i64)> =
            told.iter().map(|one| (one.name.as_str(), one.thousandths)).collect();
        assert_eq!(told, [("cpus", 500), ("mem", 1_024_000)]);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        assert!(fixed("").unwrap().resources.is_empty());
        for text in ["cpus", "cpus:", "cpus:-1", ":4", "ports:[1-2]", "cpus:inf"] {
            let refused = fixed(text).unwrap_err().to_string();
            assert!(refused.contains(&format!("'{text}'")), "{refused}");
        }
    }
}
