//! What the documents tell to do, so that it is done as it is written there.

/// A step that a text tells to take.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// A command, for the shell.
    Run(String),
    /// A file with that in it.
    Write { path: String, text: String },
}

/// The steps below a heading of a text. Commands are lines that are set in; a block that begins with a
/// path in a comment is a file.
pub fn steps(text: &str, heading: &str) -> Vec<Step> {
    let part = text.split("\n## ").find(|part| part.starts_with(heading));
    let mut lines = part.expect("the heading is in the text").lines();
    let mut steps = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("    ") {
            steps.push(Step::Run(command.to_owned()));
        } else if line.starts_with("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let path = block[0].strip_prefix("# ").expect("a file's path");
            steps.push(Step::Write { path: path.to_owned(), text: block.join("\n") });
        }
    }
    assert!(!steps.is_empty(), "nothing is to be done below '{heading}'");
    steps
}
