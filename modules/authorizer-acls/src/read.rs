//! From JSON to rules. What is wrong is told with its place: `run_tasks[1].users`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::Acls;
use crate::actions::{ACTIONS, Action, ROLE};
use crate::rules::{Entity, Rule, Value};

/// How unlike a name may be to be proposed.
const ALIKE: f64 = 0.7;

/// Reads all rules.
pub(crate) fn acls(text: &str) -> Result<Acls, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Json::Object(fields) = json else {
        return Err("must be an object such as {\"permissive\": false, …}".to_owned());
    };
    let (mut permissive, mut rules) = (true, BTreeMap::new());
    for (key, value) in &fields {
        if key == "permissive" {
            permissive = value.as_bool().ok_or("permissive: must be true or false")?;
            continue;
        }
        let action = ACTIONS.iter().find(|action| action.name == key).ok_or_else(|| {
            let names = ACTIONS.iter().map(|action| action.name).chain(["permissive"]);
            format!("unknown key '{key}'{}", proposal(key, names))
        })?;
        let list = value.as_array().ok_or_else(|| format!("{key}: must be a list of rules"))?;
        let rule = |(number, json)| rule(action, &format!("{key}[{number}]"), json);
        let list: Result<Vec<Rule>, String> = list.iter().enumerate().map(rule).collect();
        rules.insert(action.name, (action, list?));
    }
    Ok(Acls { permissive, rules })
}

fn rule(action: &Action, place: &str, json: &Json) -> Result<Rule, String> {
    let names = ["principals", action.objects];
    let fields = object(place, json, &names)?;
    let side = |name: &str| {
        let place = format!("{place}.{name}");
        let json = fields.get(name).ok_or_else(|| format!("{place}: is missing"))?;
        entity(&place, json, name == action.objects && action.fact == ROLE)
    };
    Ok(Rule { principals: side("principals")?, objects: side(action.objects)? })
}

fn entity(place: &str, json: &Json, roles: bool) -> Result<Entity, String> {
    let fields = object(place, json, &["type", "values"])?;
    match fields.get("type").map(|name| name.as_str().unwrap_or_default()) {
        Some("ANY") => return Ok(Entity::Any),
        Some("NONE") => return Ok(Entity::None),
        Some("SOME") | None => {}
        Some(_) => return Err(format!("{place}.type: must be \"ANY\", \"NONE\" or \"SOME\"")),
    }
    let wrong = || format!("{place}.values: must be a list of texts");
    let values = fields.get("values").and_then(Json::as_array).ok_or_else(wrong)?;
    let value = |json: &Json| {
        let text = json.as_str().ok_or_else(wrong)?;
        Ok(match text.strip_suffix('%').filter(|prefix| roles && prefix.ends_with('/')) {
            Some(prefix) => Value::Below(prefix.to_owned()),
            None => Value::Is(text.to_owned()),
        })
    };
    Ok(Entity::Some(values.iter().map(value).collect::<Result<_, String>>()?))
}

/// An object that has no other fields than these.
fn object<'a>(
    place: &str,
    json: &'a Json,
    names: &[&str],
) -> Result<&'a Map<String, Json>, String> {
    let fields = json.as_object().ok_or_else(|| format!("{place}: must be an object"))?;
    match fields.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(fields),
        Some(key) => {
            let known = names.join("' and '");
            Err(format!("{place}: unknown key '{key}'; there are '{known}'"))
        }
    }
}

fn proposal<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> String {
    let likeness = |name: &&str| strsim::normalized_damerau_levenshtein(key, name);
    let nearest = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|name| likeness(name) >= ALIKE);
    nearest.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}
