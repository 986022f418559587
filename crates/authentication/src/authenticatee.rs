//! The side that proves who it is.

use bytes::Bytes;

use crate::{Credential, MECHANISM, Word, proof};

/// One attempt of an agent or driver, from the request on.
///
/// ```text
///  Asked ── mechanisms ──▶ Started ── step ──▶ Answered ── completed, failed ──▶ over
/// ```
#[derive(Debug)]
pub struct Authenticatee {
    credential: Credential,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Asked,
    Started,
    Answered,
    Over,
}

/// What a word of the master leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Say this.
    Say(Word),
    /// The master knows us.
    Accepted,
    /// The master does not: the name or the secret is wrong, and trying again is of no use.
    Refused,
    /// The attempt is over, and why; another may do better.
    Broken(String),
}

impl Authenticatee {
    /// An attempt with this name and secret; the request is the caller's to send.
    pub fn new(credential: Credential) -> Self {
        Self { credential, state: State::Asked }
    }

    /// Hears the master.
    pub fn hear(&mut self, word: &Word) -> Heard {
        let state = std::mem::replace(&mut self.state, State::Over);
        match (state, word) {
            (State::Asked, Word::Mechanisms(offered)) => {
                if !offered.iter().any(|one| one.eq_ignore_ascii_case(MECHANISM)) {
                    let offered = offered.join(", ");
                    return Heard::Broken(format!("it takes {offered}, and not {MECHANISM}"));
                }
                self.state = State::Started;
                Heard::Say(Word::Start(MECHANISM.to_owned(), Bytes::new()))
            }
            (State::Started, Word::Step(challenge)) => {
                self.state = State::Answered;
                let Credential { principal, secret } = &self.credential;
                Heard::Say(Word::Step(proof::prove(principal, secret, challenge).into()))
            }
            (State::Answered, Word::Completed) => Heard::Accepted,
            (State::Started | State::Answered, Word::Failed) => Heard::Refused,
            (_, Word::Error(why)) => Heard::Broken(why.clone()),
            (state, _) => Heard::Broken(format!("it said what was not expected ({state:?})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Authenticatee {
        Authenticatee::new(Credential { principal: "tim".to_owned(), secret: "s3".to_owned() })
    }

    #[test]
    fn a_master_that_says_it_knows_us_without_a_proof_is_not_believed() {
        assert!(matches!(new().hear(&Word::Completed), Heard::Broken(_)));
    }

    #[test]
    fn other_mechanisms_are_not_tried() {
        let offered = Word::Mechanisms(vec!["PLAIN".to_owned()]);
        let heard = new().hear(&offered);
        assert_eq!(heard, Heard::Broken("it takes PLAIN, and not CRAM-MD5".to_owned()));
    }

    #[test]
    fn an_error_is_told_as_it_came() {
        let error = Word::Error("No authenticator loaded".to_owned());
        assert_eq!(new().hear(&error), Heard::Broken("No authenticator loaded".to_owned()));
    }
}
