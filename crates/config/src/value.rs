//! The types a setting can have.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Error, Origin, Percentage, Rate, Size, Values, duration};

/// How a setting is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `--x`, `--no-x`; `true` or `false` in TOML.
    Switch,
    /// A text.
    Text,
    /// A number; a number in TOML too.
    Number,
    /// Several, with commas between; an array in TOML, a flag that may be repeated.
    List,
    /// Tables in TOML, JSON elsewhere: [`crate::Modules`].
    Modules,
}

/// A type a setting can have.
pub trait Value: Sized + Clone {
    /// How it is given.
    const SHAPE: Shape;
    /// What to write, for messages: "a duration such as 15secs".
    const WANTED: &'static str;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, without naming the setting.
    fn parse(text: &str) -> Result<Self, String>;

    /// Writes it as `/flags` shows it; `None` if there is nothing to show.
    fn show(&self) -> Option<String>;

    /// A text as it may be shown where it is refused: without what is secret in it.
    fn hide(text: &str) -> String {
        text.to_owned()
    }

    /// The value of a setting that nobody gave and that has no default; `None` if it must be
    /// given.
    fn absent() -> Option<Self> {
        None
    }

    /// The value of the setting `key`: as given, else its default.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or must be given and was not.
    fn read(
        values: &Values,
        key: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Error> {
        let (text, origin) = match (values.get(key), default) {
            (Some((text, origin)), _) => (text, origin.clone()),
            (None, Some(default)) => (default, Origin::Program),
            (None, None) => return Self::absent().ok_or(Error::Missing { key }),
        };
        Self::parse(text).map_err(|why| Error::BadValue {
            origin,
            key,
            value: Self::hide(text),
            why,
            wanted: Self::WANTED,
        })
    }
}

impl Value for bool {
    const SHAPE: Shape = Shape::Switch;
    const WANTED: &'static str = "true or false";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("is neither true nor false".to_owned()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Types that are read by `FromStr` and written by `Display`.
macro_rules! plain {
    ($($type:ty: $shape:ident, $wanted:literal;)*) => {$(
        impl Value for $type {
            const SHAPE: Shape = Shape::$shape;
            const WANTED: &'static str = $wanted;

            fn parse(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|error| format!("{error}"))
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

plain! {
    u16: Number, "a whole number up to 65535";
    u32: Number, "a whole number";
    u64: Number, "a whole number";
    usize: Number, "a whole number";
    f64: Number, "a number";
    IpAddr: Text, "an IP address";
    Size: Text, "a size such as 2GB";
    Rate: Text, "a rate such as 1/10mins";
    Percentage: Text, "a percentage such as 50%";
}

impl Value for String {
    const SHAPE: Shape = Shape::Text;
    const WANTED: &'static str = "a text";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn show(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl Value for PathBuf {
    const SHAPE: Shape = Shape::Text;
    const WANTED: &'static str = "a path";

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        Ok(PathBuf::from(text))
    }

    fn show(&self) -> Option<String> {
        Some(self.display().to_string())
    }
}

impl Value for Duration {
    const SHAPE: Shape = Shape::Text;
    const WANTED: &'static str = "a duration such as 15secs";

    fn parse(text: &str) -> Result<Self, String> {
        duration::parse(text)
    }

    fn show(&self) -> Option<String> {
        Some(duration::show(*self))
    }
}

impl<T: Value> Value for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const WANTED: &'static str = T::WANTED;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn hide(text: &str) -> String {
        T::hide(text)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// The elements may not contain commas.
impl<T: Value> Value for Vec<T> {
    const SHAPE: Shape = Shape::List;
    const WANTED: &'static str = "a list";

    fn parse(text: &str) -> Result<Self, String> {
        let element = |text: &str| {
            T::parse(text).map_err(|why| format!("{text:?}: {why} (expected {})", T::WANTED))
        };
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(element).collect()
    }

    fn show(&self) -> Option<String> {
        let texts: Vec<String> = self.iter().filter_map(T::show).collect();
        if texts.is_empty() { None } else { Some(texts.join(",")) }
    }

    fn hide(text: &str) -> String {
        T::hide(text)
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

/// A text with the password of a URL such as `zk://user:password@host` hidden, right or wrong as
/// the rest may be.
pub fn hide_password(text: &str) -> String {
    let start = text.find("://").map_or(0, |place| place + 3);
    let Some(end) = text.rfind('@').filter(|end| *end >= start) else { return text.to_owned() };
    match text[start..end].find(':') {
        Some(colon) => format!("{}:********{}", &text[..start + colon], &text[end..]),
        None => text.to_owned(),
    }
}
