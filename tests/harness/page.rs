//! A page of docs, and somebody who does what it says.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::daemon::Daemon;
use crate::processes;
use crate::room::Room;

/// The programs whose commands are done. Others need packages, systemd, or a reader.
const OURS: [&str; 6] = ["reeve ", "mesos-execute ", "curl ", "install ", "cat >", "vagrant "];

/// Those that are told by `--master` whom to ask; by themselves they ask on port 5050.
const BY_FLAG: [&str; 2] = ["reeve agent ", "reeve maintenance "];

/// Reads a page, and runs its commands in a room. Daemons that the commands are about stand in for
/// those of the page: a test says which words mean them.
#[derive(Debug)]
pub struct Reader<'a> {
    room: &'a Room,
    text: String,
    commands: Vec<(String, String)>,
    words: Vec<(String, String)>,
    master: Option<SocketAddr>,
    read: Vec<usize>,
}

impl<'a> Reader<'a> {
    /// Takes a page, such as `docs/handbook.md`.
    pub fn new(room: &'a Room, page: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
        let text = std::fs::read_to_string(path).expect("a page of docs");
        for name in ["reeve", "mesos-execute"] {
            room.tool(name);
        }
        let commands = commands(&text);
        Self { room, text, commands, words: Vec::new(), master: None, read: Vec::new() }
    }

    /// Knows what a word of the page stands for; of several that fit, the first counts first.
    pub fn knows(&mut self, word: impl Into<String>, meaning: impl Into<String>) {
        self.words.push((word.into(), meaning.into()));
    }

    /// Says which master is meant where a command names none.
    pub fn asks(&mut self, master: SocketAddr) {
        self.master = Some(master);
    }

    /// Does the next command that was not done yet and begins so, which must succeed. Returns what it
    /// says.
    pub fn does(&mut self, start: &str) -> String {
        let at = self.next(start);
        self.run(&self.commands[at].1)
    }

    /// Starts the next command that was not done yet and begins so, and lets it run. `name` is for its
    /// files.
    pub fn starts(&mut self, start: &str, name: &str) -> Daemon {
        let at = self.next(start);
        let command = self.filled(&self.commands[at].1);
        Daemon::start(self.room, name, &mut self.shell(&format!("exec {command}")))
    }

    /// The commands, as they stand there.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().map(|(_, command)| command.as_str())
    }

    /// The files that the page shows with their names in the first line, such as `# /etc/reeve/agent.toml`.
    pub fn files(&self, name: &str) -> Vec<String> {
        let parts = self.text.split("\n# /etc/reeve/").skip(1);
        let parts = parts.filter_map(|part| part.strip_prefix(name)?.strip_prefix('\n'));
        parts.map(|part| self.filled(part.split("\n```").next().unwrap_or(part))).collect()
    }

    fn next(&mut self, start: &str) -> usize {
        let mut fitting = self.commands.iter().enumerate();
        let next = fitting
            .find(|(at, (_, command))| !self.read.contains(at) && command.starts_with(start));
        let (at, _) = next.unwrap_or_else(|| panic!("the page has no (other) command '{start}…'"));
        self.read.push(at);
        at
    }

    /// Does everything below a heading that was not done yet, in order.
    pub fn follows(&mut self, heading: &str) -> Vec<String> {
        let below = |at: &usize| self.commands[*at].0 == heading && !self.read.contains(at);
        let all: Vec<usize> = (0..self.commands.len()).filter(below).collect();
        assert!(!all.is_empty(), "nothing is to be done below '{heading}'");
        self.read.extend(&all);
        all.into_iter().map(|at| self.run(&self.commands[at].1)).collect()
    }

    /// Leaves out what begins so, for a reason.
    pub fn passes(&mut self, start: &str, why: &str) {
        eprintln!("left out: {start}…: {why}");
        let commands = self.commands.iter().enumerate();
        self.read.extend(commands.filter(|(_, one)| one.1.starts_with(start)).map(|(at, _)| at));
    }

    /// Asserts that everything was done.
    pub fn is_through(&self) {
        let left = self.commands.iter().enumerate().filter(|(at, _)| !self.read.contains(at));
        let left: Vec<&str> = left.map(|(_, (_, command))| command.as_str()).collect();
        assert!(left.is_empty(), "the page says more than the test does: {left:#?}");
    }

    fn run(&self, command: &str) -> String {
        let command = self.addressed(self.filled(command));
        let output = processes::run(self.shell(&command).stdin(Stdio::null()));
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{command}: {}\n{said}", output.status);
        said
    }

    /// The text with what its words stand for.
    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (word, meaning): &(String, String)| text.replace(word, meaning);
        self.words.iter().fold(text.to_owned(), fill)
    }

    /// The command, told which master is meant.
    fn addressed(&self, command: String) -> String {
        match self.master {
            Some(master) if command.starts_with("reeve framework list") => {
                format!("{command} {master}")
            }
            Some(master) if BY_FLAG.iter().any(|start| command.starts_with(start)) => {
                format!("{command} --master={master}")
            }
            _ => command,
        }
    }

    fn shell(&self, command: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell.args(["-ec", command]).current_dir(self.room.path());
        shell.env("PATH", format!("{}:{path}", self.room.path().display()));
        shell
    }
}

/// The commands of a page, each with the heading it stands below: lines that are set in or fenced, and
/// pieces of code in the text. Pieces that end in … are no whole commands.
fn commands(text: &str) -> Vec<(String, String)> {
    let (mut heading, mut fenced) = (String::new(), false);
    let mut found = Vec::new();
    let text = text.replace("\\\n", "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && let Some(words) = line.strip_prefix('#') {
            heading = words.trim_start_matches('#').trim().to_owned();
        }
        let pieces: Vec<String> = if fenced || line.starts_with("    ") {
            vec![whole(line.trim(), &mut lines)]
        } else {
            line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let ours = |piece: &String| OURS.iter().any(|start| piece.starts_with(start));
        let complete = pieces.into_iter().filter(ours).filter(|piece| !piece.ends_with(" …"));
        found.extend(complete.map(|command| (heading.clone(), command)));
    }
    found
}

/// A command with the lines that it goes on in: to the end of what is quoted, or to a line END.
fn whole<'a>(line: &str, more: &mut impl Iterator<Item = &'a str>) -> String {
    let mut command = line.split("  #").next().unwrap_or(line).trim_end().to_owned();
    if !OURS.iter().any(|start| line.starts_with(start)) {
        return command;
    }
    let document = command.ends_with("<<'END'");
    while document && !command.ends_with("\nEND")
        || !document && command.matches('\'').count() % 2 == 1
    {
        let Some(line) = more.next() else { break };
        command = format!("{command}\n{line}");
    }
    command
}
