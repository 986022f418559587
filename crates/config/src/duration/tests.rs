use std::time::Duration;

use proptest::prelude::*;

use super::{parse, show};

#[test]
fn reads_what_mesos_reads() {
    let cases = [
        ("15secs", 15_000_000_000),
        ("1.5hrs", 5_400_000_000_000),
        ("2weeks", 1_209_600_000_000_000),
        ("5mins", 300_000_000_000),
        ("100ms", 100_000_000),
        ("7us", 7_000),
        ("3ns", 3),
        ("1days", 86_400_000_000_000),
        (".5secs", 500_000_000),
        ("0secs", 0),
    ];
    for (text, nanos) in cases {
        assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
    }
}

#[test]
fn refuses_with_a_reason() {
    assert!(parse("15").unwrap_err().contains("has no unit; the units are ns, us"));
    assert!(parse("15s").unwrap_err().contains("\"s\" is not a unit of time"));
    assert!(parse("-5secs").unwrap_err().contains("not negative"));
    assert!(parse("1.2.3secs").unwrap_err().contains("1.2.3 is not a number"));
    assert!(parse(".secs").unwrap_err().contains(". is not a number"));
    assert!(parse("99999999weeks").unwrap_err().contains("584 years"));
}

#[test]
fn writes_as_mesos_writes() {
    let cases = [
        (5_000_000_000, "5secs"),
        (75_000_000_000, "75secs"),
        (90_000_000_000, "90secs"),
        (900_000_000_000, "15mins"),
        (5_400_000_000_000, "90mins"),
        (864_000_000_000_000, "10days"),
        (604_800_000_000_000, "1weeks"),
        (1_500, "1500ns"),
        (0, "0ns"),
    ];
    for (nanos, text) in cases {
        assert_eq!(show(Duration::from_nanos(nanos)), text);
    }
}

proptest! {
    #[test]
    fn whole_milliseconds_come_back(ms in 0u64..10_000_000_000) {
        let duration = Duration::from_millis(ms);
        let back = parse(&show(duration)).unwrap();
        let apart = back.abs_diff(duration);
        prop_assert!(apart <= Duration::from_micros(1), "{} {back:?}", show(duration));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,24}") {
        let _ = parse(&text);
    }
}
