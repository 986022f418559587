use super::*;

#[test]
fn both_sides_speak_the_older_of_their_versions() {
    assert_eq!(agree("1.41").as_deref(), Some("1.41"));
    assert_eq!(agree("1.99").as_deref(), Some("1.47"));
    assert_eq!(agree("2.0").as_deref(), Some("1.47"));
    assert_eq!(agree("1.24"), None);
    assert_eq!(agree("unknown"), None);
}
