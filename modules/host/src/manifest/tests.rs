use proptest::prelude::*;

use super::*;

const GOOD: &str = "reeve-module=1\0generation=1\0kind=allocator\0name=bin-pack\0version=1.2\0\
    author=ACME\0description=Fills agents\0later=unknown\0\
    parameter=headroom\0type=number\0default=0.1\0meaning=What stays free\0";

#[test]
fn a_manifest_says_what_its_module_is() {
    let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(manifest.name, "bin-pack");
    assert_eq!((manifest.generation, manifest.kind), (1, Kind::Allocator));
    let headroom = &manifest.parameters[0];
    assert_eq!(
        (&headroom.takes, headroom.default.as_deref()),
        (&ParameterType::Number, Some("0.1"))
    );
}

#[test]
fn what_is_missing_or_has_no_sense_is_named() {
    let cases = [
        ("reeve-module=1", "reeve-module=2", "does not begin with"),
        ("kind=allocator", "kind=alligator", "the kind 'alligator'"),
        ("kind=allocator\0", "", "does not say the kind"),
        ("generation=1", "generation=one", "the generation 'one'"),
        ("name=bin-pack", "name=../bin", "the name '../bin'"),
        ("type=number", "type=numeral", "the type 'numeral'"),
        ("type=number\0", "", "does not say the type of a parameter"),
        ("description=Fills agents\0", "description\0", "near 'description'"),
        ("free\0", "free", "near 'meaning=What stays free'"),
    ];
    for (from, to, says) in cases {
        let error = Manifest::parse(GOOD.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let twice = format!("{GOOD}parameter=headroom\0type=text\0");
    let error = Manifest::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(error, ManifestError::Twice("headroom".to_owned()));
    assert!(matches!(Manifest::parse(&[b'x'; LONGEST + 1]), Err(ManifestError::TooLong(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_manifest_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(Manifest::parse(&bytes));
    }

    #[test]
    fn a_damaged_manifest_is_refused_or_says_something_else(
        at in 0..GOOD.len(),
        byte in any::<u8>(),
        cut in 0..GOOD.len(),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        drop(Manifest::parse(&bytes));
        bytes.truncate(cut);
        drop(Manifest::parse(&bytes));
    }
}
