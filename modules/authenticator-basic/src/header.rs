//! What the header `Authorization` says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A name and the secret that is to prove it.
pub(crate) struct Sent {
    pub(crate) principal: String,
    pub(crate) secret: String,
}

/// Reads `Basic BASE64(principal:secret)`; a secret may contain colons.
pub(crate) fn read(header: &str) -> Option<Sent> {
    let (scheme, encoded) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (principal, secret) = text.split_once(':')?;
    Some(Sent { principal: principal.to_owned(), secret: secret.to_owned() })
}
