//! Sizes as Mesos writes them: `2GB`, `64KB`, `100B`, in powers of 1024.

use std::fmt;
use std::str::FromStr;

const UNITS: [(&str, u64); 5] =
    [("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl FromStr for Size {
    /// What is wrong with the text.
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: u64 = number
            .parse()
            .map_err(|_| "a size is a whole number and a unit, such as 2GB".to_owned())?;
        let unit = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| format!("{unit:?} is not a unit of size: B, KB, MB, GB or TB"))?;
        number.checked_mul(unit.1).map(Size).ok_or_else(|| "is too large".to_owned())
    }
}

/// In the largest unit that gives a whole number.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |unit: &&(&str, u64)| self.0 >= unit.1 && self.0.is_multiple_of(unit.1);
        let (name, unit) = UNITS.iter().rev().find(fits).copied().unwrap_or(("B", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!("2GB".parse(), Ok(Size(2 * 1024 * 1024 * 1024)));
        assert_eq!("100B".parse(), Ok(Size(100)));
        assert_eq!(Size(4096).to_string(), "4KB");
        assert_eq!(Size(4097).to_string(), "4097B");
        assert_eq!(Size(0).to_string(), "0B");
    }

    #[test]
    fn refuses_with_a_reason() {
        assert!("2gb".parse::<Size>().unwrap_err().contains("\"gb\" is not a unit of size"));
        assert!("GB".parse::<Size>().unwrap_err().contains("a whole number and a unit"));
        assert!("99999999TB".parse::<Size>().unwrap_err().contains("too large"));
    }
}
