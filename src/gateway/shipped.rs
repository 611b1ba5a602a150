//! The profiles that come with the program: every folder under `gateways/`.

use super::profile::Profile;
use crate::embedded::{self, GATEWAYS};

/// The file that makes a folder a profile.
const PROFILE: &str = "/profile.yaml";

/// The names of all shipped profiles, those of their folders.
pub fn names() -> impl Iterator<Item = &'static str> {
    GATEWAYS.iter().filter_map(|file| file.path.strip_suffix(PROFILE))
}

/// A shipped profile by name.
pub fn named(name: &str) -> Option<Profile> {
    let text = embedded::text(GATEWAYS, &format!("{name}{PROFILE}"))?;
    let beside = |file: &embedded::File| {
        let own = file.path.strip_prefix(name)?.strip_prefix('/')?;
        own.ends_with(".j2").then(|| (own.to_owned(), file.text.to_owned()))
    };
    let templates = GATEWAYS.iter().filter_map(beside).collect();
    Some(Profile::read(name, text, templates).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_whole_and_bears_its_name() {
        for name in names() {
            assert_eq!(named(name).unwrap().gateway, name);
        }
        assert!(names().any(|name| name == "reference"));
        assert!(named("nobody").is_none());
    }
}
