//! Settings written as TOML: what is in force and where it comes from, and a file to start with.

use std::fmt::Write as _;

use crate::{Error, Value};
use crate::{Given, Layers, Module, Modules, Origin, Settings, Shape, Spec};

/// Where comments start, for lines that are short enough.
const COLUMN: usize = 40;

/// The widest line of a doc comment.
const WIDTH: usize = 90;

/// A line `key = value` for a text as flags give it.
pub fn setting(spec: &Spec, text: &str) -> String {
    let value = match spec.shape {
        Shape::Switch | Shape::Number if !text.is_empty() => text.trim().to_owned(),
        Shape::List => {
            let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
            list(elements)
        }
        _ => quoted(text),
    };
    format!("{} = {value}", spec.name)
}

/// The table `[modules.NAME]` of a module, line by line, each with its place.
pub fn module<'a>(name: &str, module: &'a Module) -> Vec<(String, &'a Origin)> {
    let head = (format!("[modules.{}]", key(name)), &module.origin);
    let library = module
        .library
        .iter()
        .map(|path| (format!("library = {}", quoted(&path.to_string_lossy())), &module.origin));
    let parameters = module.parameters.iter().map(|(name, parameter)| {
        let value = match &parameter.given {
            Given::One(text) => quoted(text),
            Given::Many(texts) => list(texts.iter().map(String::as_str)),
        };
        (format!("{} = {value}", key(name)), &parameter.origin)
    });
    std::iter::once(head).chain(library).chain(parameters).collect()
}

/// What is in force, each value with its source; without `all` only what was given somewhere.
///
/// # Errors
///
/// If something is wrong with a value.
pub fn show<S: Settings>(layers: &Layers, all: bool) -> Result<String, Error> {
    let (values, flags) = (layers.values::<S>()?, layers.build::<S>()?.flags());
    let mut lines = String::new();
    for spec in S::SPECS.iter().filter(|spec| spec.shape != Shape::Modules) {
        let shown = flags.iter().find(|(name, _)| *name == spec.name).map(|(_, text)| text);
        match (values.get(spec.name), shown) {
            (Some((given, origin)), shown) => {
                let text = shown.map_or(given, String::as_str);
                line(&mut lines, &setting(spec, text), &origin.to_string());
            }
            (None, Some(text)) if all => line(&mut lines, &setting(spec, text), "default"),
            (None, None) if all => line(&mut lines, &format!("#{} =", spec.name), "not set"),
            _ => {}
        }
    }
    for spec in S::SPECS.iter().filter(|spec| spec.shape == Shape::Modules) {
        for (name, given) in Modules::read(&values, spec.name, spec.default)?.iter() {
            lines.push('\n');
            for (text, origin) in module(name, given) {
                line(&mut lines, &text, &origin.to_string());
            }
        }
    }
    Ok(lines)
}

/// The file that a daemon is installed with: every setting, what it is for, and its default,
/// commented out.
pub fn template<S: Settings>() -> String {
    let mut text = format!(
        "# Settings of the {daemon}: /etc/reeve/{daemon}.toml\n\
         #\n\
         # The lines that are commented out show the defaults; a setting without one ends in =.\n\
         # The files of {daemon}.toml.d/ that end in .toml are read after this one, in the order of\n\
         # their names. REEVE_NAME in the environment and --name on the command line win over files.\n\
         # `reeve config check {daemon}` finds mistakes; `reeve config show {daemon} --effective` tells\n\
         # each value and where it comes from.\n",
        daemon = S::DAEMON
    );
    for spec in S::SPECS.iter().filter(|spec| spec.shape != Shape::Modules) {
        text.push('\n');
        text.push_str(&doc(spec));
        match (spec.default, spec.shape) {
            (Some(default), _) => text.push_str(&format!("#{}\n", setting(spec, default))),
            (None, Shape::List) => text.push_str(&format!("#{} = []\n", spec.name)),
            (None, _) => text.push_str(&format!("#{} =\n", spec.name)),
        }
    }
    // Tables come last: what follows one belongs to it.
    for spec in S::SPECS.iter().filter(|spec| spec.shape == Shape::Modules) {
        text.push('\n');
        text.push_str(&doc(spec));
        text.push_str(
            "#[modules.NAME]\n#library = \"/path/of/a/module.so\"\n#parameter = \"value\"\n",
        );
    }
    text
}

/// What a setting is for and what it takes, as comments.
fn doc(spec: &Spec) -> String {
    let mut sentences = format!("{} Takes {}", spec.doc.trim(), spec.wanted);
    if spec.default.is_none() && !matches!(spec.shape, Shape::List | Shape::Modules) {
        sentences.push_str("; not set by default");
    }
    sentences.push_str(if spec.reload { "; reloaded at SIGHUP." } else { "." });
    comment(&sentences)
}

/// A text as comments, broken between words.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = "#".to_owned();
        }
        let _written = write!(line, " {word}");
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

fn line(lines: &mut String, text: &str, source: &str) {
    let _written = writeln!(lines, "{text:COLUMN$} # {source}");
}

fn list<'a>(elements: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", elements.map(quoted).collect::<Vec<_>>().join(", "))
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

/// A text in quotes, on one line whatever it holds.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _written = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
