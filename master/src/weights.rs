//! `--weights`: what roles weigh where the registry says nothing of any.

use std::collections::BTreeMap;

use reeve_model::Role;

use crate::{Error, MasterSettings};

/// Weights of roles, above 0.
pub type Weights = BTreeMap<Role, f64>;

/// The weights that the settings name.
///
/// # Errors
///
/// If they are not a list of `ROLE=WEIGHT`.
pub fn first(settings: &MasterSettings) -> Result<Weights, Error> {
    let Some(text) = settings.weights.as_deref() else { return Ok(Weights::new()) };
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(parse).collect::<Result<_, _>>().map_err(|why| Error::Setting {
        key: "weights",
        value: text.to_owned(),
        why,
    })
}

fn parse(item: &str) -> Result<(Role, f64), String> {
    let Some((role, weight)) = item.split_once('=') else {
        return Err(format!("'{item}' is not of the form ROLE=WEIGHT"));
    };
    let role = Role::parse(role.trim()).map_err(|why| format!("'{item}': {why}"))?;
    match weight.trim().parse::<f64>() {
        Ok(weight) if weight > 0.0 && weight.is_finite() => Ok((role, weight)),
        _ => Err(format!("'{item}': a weight is a number above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Weights, Error> {
        let layers = reeve_config::Layers::new().set("weights", text);
        first(&layers.build::<MasterSettings>().unwrap())
    }

    #[test]
    fn each_role_has_its_weight() {
        let weights = read("eng=2, ops/web=0.5,").unwrap();
        assert_eq!(weights, [("eng".into(), 2.0), ("ops/web".into(), 0.5)].into());
    }

    #[test]
    fn what_is_no_weight_is_refused_with_its_place() {
        for (text, words) in [
            ("eng", "'eng' is not of the form"),
            ("eng=0", "above 0"),
            ("eng=x", "'eng=x'"),
            ("a b=1", "'a b=1'"),
        ] {
            let why = read(text).unwrap_err().to_string();
            assert!(why.starts_with("weights = ") && why.contains(words), "{why}");
        }
    }
}
