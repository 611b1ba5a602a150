//! A short name for exactly this text of a profile and its templates.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// So many digits tell profiles apart, and can be read aloud.
const DIGITS: usize = 12;

/// The first digits of the SHA-256 of the text and of each template with its name. Lengths go in first, so that
/// nothing that moves from one file into another leaves it as it was.
pub(super) fn of(text: &str, templates: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    let texts = templates.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]);
    for part in std::iter::once(text).chain(texts) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let mut hash = String::new();
    for byte in digest.finalize() {
        let _ = write!(hash, "{byte:02x}");
    }
    hash.truncate(DIGITS);
    hash
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn whatever_changes_changes_it() {
        let templates = |name: &str, text: &str| [(name.to_owned(), text.to_owned())].into();
        let hash = of("gateway: a", &templates("a.j2", "x"));
        assert_eq!(hash.len(), 12);
        assert_eq!(hash, of("gateway: a", &templates("a.j2", "x")));
        for other in [
            of("gateway: b", &templates("a.j2", "x")),
            of("gateway: a", &templates("a.j2", "y")),
            of("gateway: a", &templates("a.j2x", "")),
            of("gateway: a", &templates("a.j", "2x")),
            of("gateway: a", &std::collections::BTreeMap::new()),
        ] {
            assert_ne!(other, hash);
        }
    }
}
