//! What text may name a thing (T-7 for ids that become directories, R-11 for roles).

/// Longest id a framework may choose, in bytes: it becomes a directory name.
const LONGEST: usize = 255;

/// Why a text may not name a thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("ID must not be empty")]
    Empty,
    /// Too long for a directory name.
    #[error("ID must not be greater than {LONGEST} characters")]
    TooLong,
    /// `.` and `..` are directories already.
    #[error("'{0}' is disallowed")]
    Dots(String),
    /// A separator of paths, a blank where none may be, or a control character.
    #[error("'{text}' contains invalid characters")]
    Character {
        /// The whole text.
        text: String,
    },
    /// A role that breaks a rule of roles.
    #[error("invalid role '{role}': {rule}")]
    Role {
        /// The whole text.
        role: String,
        /// The rule.
        rule: &'static str,
    },
}

/// Ids of which a directory is made.
pub(super) fn path_safe(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > LONGEST {
        return Err(IdError::TooLong);
    }
    if text == "." || text == ".." {
        return Err(IdError::Dots(text.to_owned()));
    }
    if text.bytes().any(|byte| byte < 0x20 || matches!(byte, 0x7f | b'/' | b'\\')) {
        return Err(IdError::Character { text: text.to_owned() });
    }
    Ok(())
}

/// Text that only has to be there.
pub(super) fn present(text: &str) -> Result<(), IdError> {
    if text.is_empty() { Err(IdError::Empty) } else { Ok(()) }
}

/// A role: parts between slashes, each a name; `*` stands alone.
pub(super) fn role(text: &str) -> Result<(), IdError> {
    if text == "*" {
        return Ok(());
    }
    let broken = |rule| Err(IdError::Role { role: text.to_owned(), rule });
    if text.is_empty() {
        return broken("must not be empty");
    }
    if text.starts_with('/') || text.ends_with('/') {
        return broken("must not start or end with a slash");
    }
    for part in text.split('/') {
        match part {
            "" => return broken("must not contain two adjacent slashes"),
            "." | ".." => return broken("must not contain the parts '.' or '..'"),
            "*" => return broken("must not contain the part '*'"),
            _ if part.starts_with('-') => return broken("no part may start with a dash"),
            _ => {}
        }
    }
    // Tab, line feed, vertical tab, form feed, carriage return, space, and backspace.
    if text.bytes().any(|byte| matches!(byte, 0x08..=0x0d | b' ' | 0x7f)) {
        return broken("must not contain whitespace or backspace");
    }
    Ok(())
}
