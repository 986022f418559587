//! Rates and shares as Mesos writes them: `1/10mins`, `50%`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::duration;

/// So many in a time: `1/10mins`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub time: Duration,
}

impl Rate {
    /// The time from one to the next.
    pub fn spacing(self) -> Duration {
        self.time / self.count.get()
    }
}

impl FromStr for Rate {
    /// What is wrong with the text.
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let (count, time) = text
            .split_once('/')
            .ok_or_else(|| "a rate is a number, a slash and a duration".to_owned())?;
        let count =
            count.trim().parse().map_err(|_| format!("{count:?} is not a whole number above 0"))?;
        let time = duration::parse(time)?;
        if time.is_zero() {
            return Err("the duration is zero".to_owned());
        }
        Ok(Rate { count, time })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, duration::show(self.time))
    }
}

/// A share of a whole, from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentage(pub f64);

impl FromStr for Percentage {
    /// What is wrong with the text.
    type Err = String;

    fn from_str(text: &str) -> Result<Percentage, String> {
        let number =
            text.trim().strip_suffix('%').ok_or_else(|| "a percentage ends in %".to_owned())?;
        match number.parse() {
            Ok(share) if (0.0..=100.0).contains(&share) => Ok(Percentage(share)),
            Ok(_) => Err("is not between 0% and 100%".to_owned()),
            Err(_) => Err(format!("{number:?} is not a number")),
        }
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Percentage, Rate};

    #[test]
    fn a_rate_is_so_many_in_a_time() {
        let rate: Rate = "3/1hrs".parse().unwrap();
        assert_eq!(rate.spacing(), Duration::from_secs(1200));
        assert_eq!(rate.to_string(), "3/1hrs");
        for (wrong, why) in [
            ("1", "a slash"),
            ("0/1secs", "above 0"),
            ("x/1secs", "above 0"),
            ("1/10", "has no unit"),
            ("1/0secs", "zero"),
        ] {
            let told = wrong.parse::<Rate>().unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
    }

    #[test]
    fn a_percentage_is_a_share() {
        assert_eq!("12.5%".parse(), Ok(Percentage(12.5)));
        assert_eq!(Percentage(100.0).to_string(), "100%");
        for wrong in ["50", "101%", "-1%", "x%", "NaN%"] {
            assert!(wrong.parse::<Percentage>().is_err(), "{wrong}");
        }
    }
}
