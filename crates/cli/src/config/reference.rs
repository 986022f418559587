//! `reeve config reference`: every setting of the daemons as a page of docs, from the same lists that
//! make the flags, and what Mesos has in their place.

use std::fmt::Write as _;

use clap::Command;
use reeve_config::{Shape, Spec};

use super::{DAEMONS, import};

/// The widest line.
const WIDTH: usize = 100;

/// What stands before the settings.
const HEAD: &str = "\
# Configuration

Every setting of the daemons. This page is made by the program, which knows best:
`reeve config reference`.

A setting has one name. It can be given, from the strongest to the weakest, as

- a flag: `--name=VALUE`, also with dashes for underscores. A switch is `--name` or `--no-name`; a list
  has commas between its elements or is given more than once.
- a variable of the environment: `REEVE_NAME`, or `MESOS_NAME` as Mesos calls it.
- a key of a TOML file: `/etc/reeve/master.toml` or `agent.toml`, then the files of `master.toml.d/` or
  `agent.toml.d/` that end in `.toml`, in the order of their names; a later one wins. `--config=FILE`
  names another file.

A value `file:///PATH` stands for what is in that file; not so for names that end in `_dir` or `_file`.
Durations are numbers with `ns`, `us`, `ms`, `secs`, `mins`, `hrs`, `days` or `weeks`; sizes have `B`,
`KB`, `MB`, `GB` or `TB`.

`reeve config check` finds mistakes, `reeve config show --effective` tells each value and where it
comes from, `reeve config show master --template` writes a file with all defaults. At SIGHUP a daemon
reads its settings again: it takes up those that say so below, and names the others that have changed.
";

/// Where a setting is not what Mesos 1.11 has under its name: daemon, setting, what Mesos has. Names
/// with `slave` for `agent` are not told here: they follow from the name.
const IN_MESOS: &[(&str, &str, &str)] = &[
    ("master", "ip", "one address."),
    ("master", "zk_tls_ca_file", NONE),
    ("master", "zk_tls_cert_file", NONE),
    ("master", "zk_tls_key_file", NONE),
    ("master", "registry", "`replicated_log` or `in_memory`."),
    ("master", "allocator", "`hierarchical` by default."),
    ("master", "allocator_fallback", NONE),
    ("master", "allocator_timeout", NONE),
    ("master", "http_authenticators", "one of them."),
    ("master", "anonymous_modules", NO_NAMES),
    ("agent", "work_dir", "it has no default."),
    ("agent", "runtime_dir", "`/var/run/mesos` by default."),
    ("agent", "zk_tls_ca_file", NONE),
    ("agent", "zk_tls_cert_file", NONE),
    ("agent", "zk_tls_key_file", NONE),
    ("agent", "isolation", "`posix/cpu,posix/mem` by default."),
    ("agent", "containers_cgroup", "`cgroups_root`, a name below `cgroups_hierarchy`."),
    ("agent", "launcher_dir", "the directory of its own programs."),
    ("agent", "strict", "`true` by default."),
    ("agent", "reconfiguration_policy", "`equal` by default; it does not know `any`."),
    ("agent", "http_authenticators", "one of them."),
    ("agent", "anonymous_modules", NO_NAMES),
];

const NONE: &str = "no such flag.";
const NO_NAMES: &str = "no such flag; it starts each module of that kind which is loaded.";

/// The subcommand `reference`.
pub(super) fn command() -> Command {
    Command::new("reference").about("Print a page about every setting (docs/configuration.md)")
}

/// The page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for daemon in &DAEMONS {
        let _written = write!(page, "\n## {}.toml\n", daemon.name);
        daemon.specs.iter().for_each(|spec| entry(&mut page, daemon.name, spec));
    }
    page.push_str(
        "\n## Flags of Mesos that are left out\n\n\
         `reeve config import` writes down what Mesos's packages left in `/etc`, and says of each flag \
         that\nis not known here. Of these it also says what to do:\n\n\
         | flag | why, and what instead |\n| --- | --- |\n",
    );
    for (name, why) in import::LEFT_OUT {
        let _written = writeln!(page, "| `{name}` | {why} |");
    }
    page
}

/// A setting: what it is for, what it takes, how else it is given, and what Mesos has.
fn entry(page: &mut String, daemon: &str, spec: &Spec) {
    let _written = write!(page, "\n### {}\n\n{}\n\n", spec.name, folded(spec.doc.trim(), ""));
    let wanted = spec.wanted.replacen("a list", "a list with commas, or an array in TOML", 1);
    let default = match spec.default {
        Some(default) => format!("`{default}` if not given"),
        None => "not set by default".to_owned(),
    };
    let reload = if spec.reload { "; taken up at SIGHUP" } else { "" };
    point(page, &format!("Takes {wanted}; {default}{reload}."));
    let negation = match spec.shape {
        Shape::Switch => format!(" or `--no-{}`", spec.name),
        _ => String::new(),
    };
    let (flag, variable) = (spec.name, spec.name.to_uppercase());
    point(page, &format!("Flag `--{flag}`{negation}, environment `REEVE_{variable}`."));
    if let Some(old) = spec.old_name() {
        point(page, &format!("Also understood as `{old}`."));
    }
    let differs = IN_MESOS.iter().find(|(of, name, _)| (*of, *name) == (daemon, spec.name));
    if let Some((.., has)) = differs {
        point(page, &format!("Mesos: {has}"));
    }
}

fn point(page: &mut String, text: &str) {
    page.push_str(&folded(&format!("- {text}"), "  "));
    page.push('\n');
}

/// A text broken between words; lines after the first begin with `indent`.
fn folded(text: &str, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = |line: &String| line.chars().count() + 1 + word.chars().count() > WIDTH;
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if !full(line) => {
                let _written = write!(line, " {word}");
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_that_of_this_program() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let hint = "docs/configuration.md is out of date: \
                    reeve config reference > docs/configuration.md";
        assert!(text == page(), "{hint}");
    }

    #[test]
    fn what_is_told_of_mesos_is_told_of_settings() {
        for (daemon, name, _) in IN_MESOS {
            let daemon = DAEMONS.iter().find(|one| one.name == *daemon).expect("a daemon");
            assert!(daemon.specs.iter().any(|spec| spec.name == *name), "{name}");
        }
    }
}
