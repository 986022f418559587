//! Whether an offer has what a task needs, and which of its resources to take.

use reeve_model::{Quantity, Resource, Resources, Value};

/// Takes what is wanted from an offer: of each kind what is reserved first, then the rest. The
/// error says what the offer lacks.
pub fn fit(offered: &Resources, wanted: &Resources) -> Result<Resources, String> {
    let mut taken = Resources::new();
    for want in wanted.iter() {
        taken += &take(offered, want)?;
    }
    Ok(taken)
}

fn take(offered: &Resources, want: &Resource) -> Result<Resources, String> {
    let mut candidates: Vec<&Resource> = offered
        .iter()
        .filter(|one| {
            one.name == want.name && !one.revocable && !one.shared && !one.is_persistent()
        })
        .collect();
    candidates.sort_by_key(|one| !one.is_reserved());
    match &want.value {
        Value::Scalar(amount) => scalar(&candidates, want, *amount),
        Value::Ranges(_) | Value::Set(_) => candidates
            .iter()
            .find(|one| one.value.contains(&want.value))
            .map(|one| one_of(one, want.value.clone()))
            .ok_or_else(|| format!("{} is not offered", one_text(want))),
    }
}

fn scalar(
    candidates: &[&Resource],
    want: &Resource,
    amount: Quantity,
) -> Result<Resources, String> {
    let (mut taken, mut left) = (Resources::new(), amount);
    let mut available = Quantity::ZERO;
    for one in candidates {
        let Value::Scalar(has) = one.value else { continue };
        available = available.checked_add(has).unwrap_or(Quantity::MAX);
        let part = has.min(left);
        taken += &one_of(one, Value::Scalar(part));
        left = left.checked_sub(part).unwrap_or_default();
    }
    if left > Quantity::ZERO {
        let (name, amount, has) = (want.name.as_str(), amount.to_f64(), available.to_f64());
        return Err(format!("it needs {name}:{amount} and at most {name}:{has} is offered"));
    }
    Ok(taken)
}

fn one_of(resource: &Resource, value: Value) -> Resources {
    std::iter::once(Resource { value, ..resource.clone() }).collect()
}

fn one_text(resource: &Resource) -> String {
    std::iter::once(resource.clone()).collect::<Resources>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_model::Role;

    fn resources(text: &str) -> Resources {
        Resources::parse(text, &Role::any()).expect("resources")
    }

    #[test]
    fn what_fits_is_taken_and_no_more() {
        let offered = resources("cpus:2;mem:1000;ports:[31000-32000]");
        let wanted = resources("cpus:0.5;mem:128;ports:[31010-31011]");
        assert_eq!(fit(&offered, &wanted).expect("it fits"), wanted);
    }

    #[test]
    fn reserved_resources_go_first() {
        let taken = fit(&resources("cpus:2;cpus(prod):1"), &resources("cpus:1.5"));
        assert_eq!(taken.expect("it fits"), resources("cpus(prod):1;cpus:0.5"));
    }

    #[test]
    fn what_is_short_is_named_with_both_amounts() {
        let error = fit(&resources("cpus:2;mem:1000"), &resources("cpus:9999")).expect_err("no");
        assert_eq!(error, "it needs cpus:9999 and at most cpus:2 is offered");
        let error = fit(&resources("cpus:2"), &resources("ports:[80-80]")).expect_err("no");
        assert!(error.contains("ports:[80-80]"), "{error}");
    }
}
