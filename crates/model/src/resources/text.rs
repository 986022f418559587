//! Resources as operators write them: `cpus:2;mem(prod):512;ports:[1-5,7-9];tags:{a,b}`, or a
//! JSON array of resources. Errors say where and what was expected.

use std::fmt;

use super::{
    Quantities, Quantity, Ranges, Reservation, Reservations, Resource, ResourceName, Resources,
    Set, Value,
};
use crate::ids::Role;

/// Why a text is no list of resources, quantities or attributes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text leaves the grammar.
    #[error("column {}: expected {expected}, found {found}", position + 1)]
    Text {
        /// Where, in bytes from the beginning.
        position: usize,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The JSON does not describe resources.
    #[error("{0}")]
    Json(String),
}

impl ParseError {
    /// Where the text leaves the grammar, in bytes from the beginning, as far as it is known.
    pub fn position(&self) -> Option<usize> {
        match self {
            Self::Text { position, .. } => Some(*position),
            Self::Json(_) => None,
        }
    }
}

/// What a scalar, a range and a set look like, for errors.
const VALUE: &str = "an amount such as 2.5, ranges such as [1-5,7-9] or a set such as {a,b}";

/// A text and how much of it has been read.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not blank.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let left = &self.text[self.at..];
        self.at += left.len() - left.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips blanks and separators; whether something follows.
    pub(crate) fn skip_blanks_and(&mut self, separator: u8) -> bool {
        while self.peek() == Some(separator) {
            self.at += 1;
        }
        self.at < self.text.len()
    }

    /// The error that something else was expected here.
    pub(crate) fn expected<T>(&self, expected: &str) -> Result<T, ParseError> {
        Err(self.expected_at(self.at, expected))
    }

    fn expected_at(&self, position: usize, expected: &str) -> ParseError {
        let left = self.text.get(position..).unwrap_or_default();
        let word: String =
            left.chars().take_while(|c| !c.is_whitespace() && *c != ';').take(24).collect();
        let found = match (left.is_empty(), word.is_empty()) {
            (true, _) => "the end".to_owned(),
            (false, true) => format!("'{}'", left.chars().next().unwrap_or(' ')),
            (false, false) => format!("'{word}'"),
        };
        ParseError::Text { position, expected: expected.to_owned(), found }
    }

    pub(crate) fn expect(&mut self, byte: u8, expected: &str) -> Result<(), ParseError> {
        if self.peek() != Some(byte) {
            return self.expected(expected);
        }
        self.at += 1;
        Ok(())
    }

    /// The end of the text, or a `;`.
    pub(crate) fn end_of_item(&mut self) -> Result<(), ParseError> {
        match self.peek() {
            None | Some(b';') => Ok(()),
            Some(_) => self.expected("';' or the end"),
        }
    }

    /// Text up to a sign of the grammar.
    pub(crate) fn name(&mut self, expected: &str) -> Result<&'a str, ParseError> {
        self.until(b":;()[]{},", expected)
    }

    /// Text up to the end of the item.
    pub(crate) fn word(&mut self, expected: &str) -> Result<&'a str, ParseError> {
        self.until(b";", expected)
    }

    fn until(&mut self, ends: &[u8], expected: &str) -> Result<&'a str, ParseError> {
        self.peek();
        let left = &self.text[self.at..];
        let end = left.bytes().position(|byte| ends.contains(&byte)).unwrap_or(left.len());
        let word = left[..end].trim_end();
        if word.is_empty() {
            return self.expected(expected);
        }
        self.at += end;
        Ok(word)
    }

    fn amount(&mut self, expected: &str) -> Result<Quantity, ParseError> {
        self.peek();
        let start = self.at;
        let word = self.until(b";|", expected)?;
        parse_quantity(word).ok_or_else(|| self.expected_at(start, expected))
    }

    fn whole(&mut self) -> Result<u64, ParseError> {
        self.peek();
        let start = self.at;
        let digits = self.text[start..].bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits;
        self.text[start..self.at]
            .parse()
            .map_err(|_| self.expected_at(start, "a whole number such as 31000"))
    }

    /// `[1-5,7-9]`; a single number stands for itself.
    pub(crate) fn ranges(&mut self) -> Result<Ranges, ParseError> {
        self.expect(b'[', "'['")?;
        let mut all = Vec::new();
        while self.peek() != Some(b']') {
            if !all.is_empty() {
                self.expect(b',', "',' or ']'")?;
            }
            let begin = self.whole()?;
            if self.peek() != Some(b'-') {
                all.push((begin, begin));
                continue;
            }
            self.at += 1;
            self.peek();
            let start = self.at;
            let end = self.whole()?;
            if end < begin {
                let expected = format!("a number that is not below {begin}");
                return Err(self.expected_at(start, &expected));
            }
            all.push((begin, end));
        }
        self.at += 1;
        Ok(all.into_iter().collect())
    }

    /// `{a,b}`.
    pub(crate) fn set(&mut self) -> Result<Set, ParseError> {
        self.expect(b'{', "'{'")?;
        let mut all = Vec::new();
        while self.peek() != Some(b'}') {
            if !all.is_empty() {
                self.expect(b',', "',' or '}'")?;
            }
            all.push(self.until(b",{};", "an item or '}'")?);
        }
        self.at += 1;
        Ok(all.into_iter().collect())
    }

    fn resource(&mut self, default: &Role) -> Result<Resource, ParseError> {
        let name = self.name("a resource's name")?;
        let mut role = default.clone();
        if self.peek() == Some(b'(') {
            self.at += 1;
            self.peek();
            let start = self.at;
            let text = self.until(b":;()[]{},", "a role")?;
            role = Role::parse(text)
                .map_err(|error| self.expected_at(start, &format!("a role ({error})")))?;
            self.expect(b')', "')' after the role")?;
        }
        self.expect(b':', "':' and a value after the resource's name")?;
        let value = match self.peek() {
            Some(b'[') => Value::Ranges(self.ranges()?),
            Some(b'{') => Value::Set(self.set()?),
            _ => Value::Scalar(self.amount(VALUE)?),
        };
        self.end_of_item()?;
        Ok(Resource { reservations: kept_for(&role), ..Resource::new(name, value) })
    }

    fn quantities(&mut self) -> Result<Quantities, ParseError> {
        let mut all = Quantities::default();
        while self.skip_blanks_and(b';') && self.peek() != Some(b'|') {
            let name = self.until(b":;|", "a resource's name")?;
            self.expect(b':', "':' and an amount after the resource's name")?;
            all.add(&ResourceName::from(name), self.amount("an amount such as 2.5")?);
        }
        Ok(all)
    }
}

/// A static reservation for `role`, or none for `*`.
fn kept_for(role: &Role) -> Reservations {
    if role.is_any() {
        return Reservations::default();
    }
    Reservations::new(&[Reservation::Static { role: role.clone() }])
}

/// Reads a decimal amount of zero or more; `None` if it is something else, or more than
/// [`Quantity::MOST_NAMED`].
pub fn parse_quantity(text: &str) -> Option<Quantity> {
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    Quantity::named(text.parse().ok()?).ok()
}

pub(super) fn quantities(text: &str) -> Result<Quantities, ParseError> {
    let mut cursor = Cursor::new(text);
    let all = cursor.quantities()?;
    match cursor.peek() {
        None => Ok(all),
        Some(_) => cursor.expected("';' or the end"),
    }
}

pub(super) fn min_allocatable(text: &str) -> Result<Vec<Quantities>, ParseError> {
    let mut cursor = Cursor::new(text);
    let mut rules = Vec::new();
    while cursor.skip_blanks_and(b'|') {
        rules.push(cursor.quantities()?);
    }
    Ok(rules)
}

impl Resources {
    /// Reads the text grammar or a JSON array. What names no role is kept for `default`, which for
    /// `*` means for nobody.
    ///
    /// # Errors
    /// Where the text leaves the grammar, and what was expected there.
    pub fn parse(text: &str, default: &Role) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        if cursor.peek() == Some(b'[') {
            return json(text, default);
        }
        let mut all = Self::default();
        while cursor.skip_blanks_and(b';') {
            all += cursor.resource(default)?;
        }
        Ok(all)
    }
}

fn json(text: &str, default: &Role) -> Result<Resources, ParseError> {
    let list: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|error| {
        ParseError::Json(format!("expected a JSON array of resources: {error}"))
    })?;
    let mut all = Resources::default();
    for (at, value) in list.iter().enumerate() {
        let broken = |error: &dyn fmt::Display| {
            ParseError::Json(format!("resource {} of the JSON array: {error}", at + 1))
        };
        let wire: reeve_wire::v1::Resource =
            reeve_wire::json::from_value(value).map_err(|error| broken(&error))?;
        let mut resource = Resource::try_from(&wire).map_err(|error| broken(&error))?;
        if !resource.is_reserved() {
            resource.reservations = kept_for(default);
        }
        all += resource;
    }
    Ok(all)
}
