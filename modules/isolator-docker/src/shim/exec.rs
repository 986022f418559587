//! Another program in a container that runs.

use serde_json::{Value, json};

use super::follow::Follower;
use super::{FAILED, ShimError, read};
use crate::engine::Call;

/// What to run.
#[derive(Debug, PartialEq, Eq)]
struct Wanted<'a> {
    spec: &'a str,
    variables: Vec<&'a str>,
    words: &'a [String],
}

impl<'a> Wanted<'a> {
    fn parse(arguments: &'a [String]) -> Option<Self> {
        let (spec, mut rest) = arguments.split_first()?;
        let mut variables = Vec::new();
        while let [flag, variable, more @ ..] = rest
            && flag == "-e"
        {
            variables.push(variable.as_str());
            rest = more;
        }
        let (dashes, words) = rest.split_first()?;
        (dashes == "--" && !words.is_empty()).then_some(Self { spec, variables, words })
    }
}

/// Runs it to its end and gives its exit code.
pub(super) fn run(arguments: &[String]) -> Result<u8, ShimError> {
    let Wanted { spec, variables, words } = Wanted::parse(arguments).ok_or(ShimError::Usage)?;
    let spec = read(spec)?;
    let engine = spec.engine();
    let body = json!({
        "AttachStdout": true, "AttachStderr": true, "Cmd": words, "Env": variables,
    });
    let what = "run a program in the container";
    let target = format!("/containers/{}/exec", spec.name);
    let post = |target, body| Call { what, method: "POST", target, body, ..Call::default() };
    let made = engine.ask(post(&target, Some(&body)))?;
    let id = made["Id"].as_str().unwrap_or_default();
    let body = json!({ "Detach": false, "Tty": false });
    let output = engine.send_for(post(&format!("/exec/{id}/start"), Some(&body)))?;
    Follower::begin(output, false).finish_when_it_ends();
    let target = format!("/exec/{id}/json");
    let ended = engine.ask(Call { what, method: "GET", target: &target, ..Call::default() })?;
    Ok(exit_code(&ended))
}

fn exit_code(ended: &Value) -> u8 {
    ended["ExitCode"].as_u64().and_then(|code| u8::try_from(code & 0xff).ok()).unwrap_or(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_before_the_words() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let whole = words("/s -e A=1 -e B=2 -- sh -c true");
        let wanted = Wanted::parse(&whole).unwrap();
        assert_eq!((wanted.spec, &wanted.variables[..]), ("/s", &["A=1", "B=2"][..]));
        assert_eq!(wanted.words, ["sh", "-c", "true"]);
        for bad in ["", "/s", "/s --", "/s -e", "/s sh", "/s -e A=1"] {
            assert_eq!(Wanted::parse(&words(bad)), None, "{bad}");
        }
    }
}
