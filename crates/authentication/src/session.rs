//! The master's side.

use bytes::Bytes;

use crate::{Credentials, MECHANISM, Word, proof};

/// One handshake, from the offer of mechanisms to the ruling.
///
/// ```text
///  Starting ── start ──▶ Stepping ── step ──▶ over
///      └── anything else ──▶ over, with an error
/// ```
#[derive(Debug)]
pub struct Session {
    challenge: String,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Starting,
    Stepping,
    Over,
}

/// How a handshake ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// This is the principal.
    Known(String),
    /// The proof is wrong, or nobody knows the name that it was for.
    Refused(String),
    /// The other side does not keep to the protocol.
    Broken(String),
}

impl Session {
    /// Begins with a challenge that was never used before, and what to say first.
    pub fn begin(challenge: String) -> (Session, Word) {
        let session = Session { challenge, state: State::Starting };
        (session, Word::Mechanisms(vec![MECHANISM.to_owned()]))
    }

    /// Hears the other side: what to say, and how it ends if it does.
    pub fn hear(&mut self, word: &Word, credentials: &Credentials) -> (Word, Option<Ruling>) {
        let state = std::mem::replace(&mut self.state, State::Over);
        match (state, word) {
            (State::Starting, Word::Start(mechanism, data)) => self.start(mechanism, data),
            (State::Stepping, Word::Step(answer)) => self.judge(answer, credentials),
            (_, Word::Start(..)) => broken("Unexpected authentication 'start' received"),
            _ => broken("Unexpected authentication 'step' received"),
        }
    }

    fn start(&mut self, mechanism: &str, data: &Bytes) -> (Word, Option<Ruling>) {
        if !mechanism.eq_ignore_ascii_case(MECHANISM) {
            return broken(&format!("The mechanism '{mechanism}' is not known, only {MECHANISM}"));
        }
        if !data.is_empty() {
            return broken(&format!("{MECHANISM} takes no data before the challenge"));
        }
        self.state = State::Stepping;
        (Word::Step(Bytes::from(self.challenge.clone())), None)
    }

    fn judge(&self, answer: &Bytes, credentials: &Credentials) -> (Word, Option<Ruling>) {
        let Some((principal, digest)) = proof::parts(answer) else {
            return broken("The answer to the challenge is not a name and a digest");
        };
        let Some(secret) = credentials.secret(principal) else {
            let why = format!("no credential of the principal '{principal}' is known");
            return (Word::Failed, Some(Ruling::Refused(why)));
        };
        if proof::holds(secret, self.challenge.as_bytes(), &digest) {
            return (Word::Completed, Some(Ruling::Known(principal.to_owned())));
        }
        let why = format!("the secret of the principal '{principal}' is another");
        (Word::Failed, Some(Ruling::Refused(why)))
    }
}

fn broken(why: &str) -> (Word, Option<Ruling>) {
    (Word::Error(why.to_owned()), Some(Ruling::Broken(why.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authenticatee, Credential, Heard};

    fn credentials() -> Credentials {
        Credentials::parse(r#"{"credentials": [{"principal": "tim", "secret": "s3"}]}"#).unwrap()
    }

    fn handshake(principal: &str, secret: &str) -> (Ruling, Heard) {
        let credential = Credential { principal: principal.to_owned(), secret: secret.to_owned() };
        let mut client = Authenticatee::new(credential);
        let (mut session, mut said) = Session::begin("<1@master>".to_owned());
        let mut ruling = None;
        loop {
            match (client.hear(&said), ruling) {
                (Heard::Say(word), None) => (said, ruling) = session.hear(&word, &credentials()),
                (end, Some(ruling)) => return (ruling, end),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn who_has_the_secret_is_known_and_nobody_else() {
        assert_eq!(handshake("tim", "s3"), (Ruling::Known("tim".to_owned()), Heard::Accepted));
        let (ruling, end) = handshake("tim", "other");
        assert!(
            matches!(ruling, Ruling::Refused(why) if why.contains("secret of the principal 'tim'"))
        );
        assert_eq!(end, Heard::Refused);
        let (ruling, end) = handshake("eve", "s3");
        assert!(matches!(ruling, Ruling::Refused(why) if why.contains("'eve'")));
        assert_eq!(end, Heard::Refused);
    }

    #[test]
    fn what_is_not_expected_ends_it() {
        let start = || Word::Start(MECHANISM.to_owned(), Bytes::new());
        let step = Word::Step(Bytes::from("tim 00"));
        let other = Word::Start("PLAIN".to_owned(), Bytes::new());
        let eager = Word::Start(MECHANISM.to_owned(), Bytes::from("x"));
        for words in [
            vec![step.clone()],
            vec![start(), start()],
            vec![start(), step],
            vec![other],
            vec![eager],
        ] {
            let (mut session, _) = Session::begin("<1@master>".to_owned());
            let mut last = (Word::Completed, None);
            for word in &words {
                last = session.hear(word, &credentials());
            }
            assert!(
                matches!(last, (Word::Error(_), Some(Ruling::Broken(_)))),
                "{words:?}: {last:?}"
            );
            let again = session.hear(&start(), &credentials());
            assert!(matches!(again, (Word::Error(_), Some(Ruling::Broken(_)))), "it is over");
        }
    }
}
