//! What kind of machine an agent is: names with values, opaque to all but offer constraints.

use std::fmt;
use std::sync::Arc;

use reeve_wire::v1;

use crate::error::WireError;
use crate::resources::{Cursor, ParseError, Quantity, Ranges, Set};

/// One thing an operator says of a machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute {
    /// What it is about; may occur more than once.
    pub name: Arc<str>,
    /// What is said.
    pub value: AttributeValue,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeValue {
    /// Free text.
    Text(Arc<str>),
    /// A number.
    Scalar(Quantity),
    /// Whole numbers.
    Ranges(Ranges),
    /// Names; only older agents send them.
    Set(Set),
}

/// Attributes in the order the operator gave them. A clone is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Option<Arc<[Attribute]>>);

impl Attributes {
    /// Reads `rack:r7;level:3;ports:[1-5]`.
    ///
    /// # Errors
    /// Where the text leaves the grammar, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let mut all = Vec::new();
        while cursor.skip_blanks_and(b';') {
            let name = cursor.name("an attribute's name")?;
            cursor.expect(b':', "':' after the attribute's name")?;
            all.push(Attribute { name: name.into(), value: value(&mut cursor)? });
            cursor.end_of_item()?;
        }
        Ok(all.into_iter().collect())
    }

    /// The first attribute called `name`.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.iter().find(|one| &*one.name == name).map(|one| &one.value)
    }

    /// As the wire carries them.
    pub fn to_wire(&self) -> Vec<v1::Attribute> {
        self.iter().map(Attribute::to_wire).collect()
    }
}

fn value(cursor: &mut Cursor<'_>) -> Result<AttributeValue, ParseError> {
    match cursor.peek() {
        Some(b'[') => cursor.ranges().map(AttributeValue::Ranges),
        Some(b'{') => cursor.set().map(AttributeValue::Set),
        _ => {
            let text = cursor.word("an attribute's value")?;
            let number = text.parse::<f64>().ok();
            // What cannot be kept exactly (a serial number, say) is text, and so is `inf`.
            let amount = number.filter(|number| Quantity::named(number.abs()).is_ok());
            Ok(match amount {
                Some(number) => AttributeValue::Scalar(Quantity::from_f64(number)),
                None => AttributeValue::Text(text.into()),
            })
        }
    }
}

impl std::ops::Deref for Attributes {
    type Target = [Attribute];

    fn deref(&self) -> &[Attribute] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        let attributes: Vec<Attribute> = attributes.into_iter().collect();
        if attributes.is_empty() { Self(None) } else { Self(Some(attributes.into())) }
    }
}

impl Attribute {
    fn to_wire(&self) -> v1::Attribute {
        use v1::value::{Scalar, Text, Type};
        let mut wire = v1::Attribute { name: self.name.to_string(), ..v1::Attribute::default() };
        let kind = match &self.value {
            AttributeValue::Text(text) => {
                wire.text = Some(Text { value: text.to_string() });
                Type::Text
            }
            AttributeValue::Scalar(amount) => {
                wire.scalar = Some(Scalar { value: amount.to_f64() });
                Type::Scalar
            }
            AttributeValue::Ranges(ranges) => {
                wire.ranges = Some(ranges.into());
                Type::Ranges
            }
            AttributeValue::Set(set) => {
                wire.set = Some(set.into());
                Type::Set
            }
        };
        wire.r#type = kind.into();
        wire
    }
}

impl TryFrom<&v1::Attribute> for Attribute {
    type Error = WireError;

    fn try_from(wire: &v1::Attribute) -> Result<Self, WireError> {
        use v1::value::Type;
        let value = match Type::try_from(wire.r#type) {
            Ok(Type::Text) => {
                wire.text.as_ref().map(|text| AttributeValue::Text(text.value.as_str().into()))
            }
            Ok(Type::Scalar) => {
                wire.scalar.map(|one| AttributeValue::Scalar(Quantity::from_f64(one.value)))
            }
            Ok(Type::Ranges) => {
                wire.ranges.as_ref().map(|ranges| AttributeValue::Ranges(ranges.into()))
            }
            Ok(Type::Set) => wire
                .set
                .as_ref()
                .map(|set| AttributeValue::Set(set.item.iter().map(String::as_str).collect())),
            Err(_) => None,
        };
        let value = value.ok_or_else(|| {
            WireError::new(format!("attributes.{}", wire.name), "has no value of its type")
        })?;
        Ok(Self { name: wire.name.as_str().into(), value })
    }
}

impl TryFrom<&[v1::Attribute]> for Attributes {
    type Error = WireError;

    fn try_from(wire: &[v1::Attribute]) -> Result<Self, WireError> {
        wire.iter().map(Attribute::try_from).collect()
    }
}

/// The same text as [`Attributes::parse`] reads.
impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, attribute) in self.iter().enumerate() {
            let sign = if at > 0 { ";" } else { "" };
            write!(f, "{sign}{}:{}", attribute.name, attribute.value)?;
        }
        Ok(())
    }
}

impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Scalar(amount) => amount.fmt(f),
            Self::Ranges(ranges) => ranges.fmt(f),
            Self::Set(set) => set.fmt(f),
        }
    }
}
