//! Names of images.

/// An image's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// The registry's host, with its port if it has one; `docker.io` unless the name has another.
    pub(crate) registry: String,
    /// The name up to the tag or digest.
    pub(crate) repository: String,
    /// The tag, or the digest; a name without either means `latest`.
    pub(crate) tag: String,
}

/// An image's name that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the name of an image, such as 'nginx', 'nginx:1.27' or 'host:5000/app:2'")]
pub(crate) struct BadImage(String);

impl Image {
    /// Takes a name apart.
    pub(crate) fn parse(name: &str) -> Result<Self, BadImage> {
        let bad = || BadImage(name.to_owned());
        let (rest, digest) = match name.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (name, None),
        };
        // What follows a colon is a tag only after the last slash: before it, it is a port.
        let after_slash = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[after_slash..].rfind(':') {
            Some(colon) => (&rest[..after_slash + colon], Some(&rest[after_slash + colon + 1..])),
            None => (rest, None),
        };
        let tag = digest.or(tag).unwrap_or("latest");
        let odd = |text: &str| text.is_empty() || text.contains(|c: char| c <= ' ' || c == '?');
        if odd(repository) || odd(tag) || repository.split('/').any(str::is_empty) {
            return Err(bad());
        }
        let first = repository.split_once('/').map(|(first, _)| first);
        let host = first.filter(|first| first.contains(['.', ':']) || *first == "localhost");
        Ok(Self {
            registry: host.unwrap_or("docker.io").to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }

    /// The name with its tag or digest.
    pub(crate) fn full(&self) -> String {
        let mark = if self.tag.contains(':') { '@' } else { ':' };
        format!("{}{mark}{}", self.repository, self.tag)
    }
}

#[cfg(test)]
mod tests;
