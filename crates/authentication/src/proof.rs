//! The proof itself: a name, and the challenge under the secret (RFC 2195).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

/// The answer to a challenge.
pub(crate) fn prove(principal: &str, secret: &str, challenge: &[u8]) -> String {
    let digest = keyed(secret, challenge).finalize().into_bytes();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{principal} {digits}")
}

/// The name and the digest of an answer.
pub(crate) fn parts(answer: &[u8]) -> Option<(&str, Vec<u8>)> {
    let (principal, digits) = std::str::from_utf8(answer).ok()?.rsplit_once(' ')?;
    let pairs = digits.as_bytes().chunks(2);
    let digest: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    Some((principal, digest.filter(|_| digits.len() == 32)?))
}

/// Whether the digest is the challenge's under this secret. How long it takes tells nothing of
/// how much of it is right.
pub(crate) fn holds(secret: &str, challenge: &[u8], digest: &[u8]) -> bool {
    keyed(secret, challenge).verify_slice(digest).is_ok()
}

fn keyed(secret: &str, challenge: &[u8]) -> Hmac<Md5> {
    // Keys of any length are taken: longer ones than a block are hashed.
    let mut mac = match Hmac::<Md5>::new_from_slice(secret.as_bytes()) {
        Ok(mac) => mac,
        Err(_) => Hmac::new(&hmac::digest::Key::<Hmac<Md5>>::default()),
    };
    mac.update(challenge);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &[u8] = b"<1896.697170952@postoffice.reston.mci.net>";

    #[test]
    fn the_example_of_the_standard_holds() {
        let answer = prove("tim", "tanstaaftanstaaf", CHALLENGE);
        assert_eq!(answer, "tim b913a602c7eda7a495b4e6e7334d3890");
        let (principal, digest) = parts(answer.as_bytes()).unwrap();
        assert_eq!(principal, "tim");
        assert!(holds("tanstaaftanstaaf", CHALLENGE, &digest));
        assert!(!holds("tanstaaf", CHALLENGE, &digest));
        assert!(!holds("tanstaaftanstaaf", b"<another>", &digest));
    }

    #[test]
    fn answers_of_another_form_have_no_parts() {
        let with_blank = parts(b"a name b913a602c7eda7a495b4e6e7334d3890").unwrap();
        assert_eq!(with_blank.0, "a name");
        for wrong in
            [&b""[..], b"tim", b"tim b913", b"tim +913a602c7eda7a495b4e6e7334d389x", b"\xff \xff"]
        {
            assert_eq!(parts(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn secrets_of_any_length_are_keys() {
        for secret in ["", "s", &"long".repeat(100)] {
            let answer = prove("p", secret, CHALLENGE);
            let (_, digest) = parts(answer.as_bytes()).unwrap();
            assert!(holds(secret, CHALLENGE, &digest));
        }
    }
}
