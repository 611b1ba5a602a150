//! The profiles that come with the program: every folder under `gateways/`.

use super::profile::{Profile, sources};
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
    let beside = |file: &str| {
        let path = file.strip_prefix("../").map_or_else(|| format!("{name}/{file}"), str::to_owned);
        embedded::text(GATEWAYS, &path).map(str::to_owned)
    };
    let profile = Profile::read(name, text, sources(text, beside));
    Some(profile.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_to_be_installed_is_what_was_driven() {
        for profile in names().filter_map(named) {
            if let (Some(install), Some(verified)) = (&profile.install, &profile.verified) {
                // Where there are extras, a person's shell wants it quoted.
                let told = install.trim_end_matches('\'');
                assert!(told.ends_with(&verified.version), "{}: {install}: {verified:?}", profile.gateway);
            }
        }
    }

    #[test]
    fn every_shipped_profile_is_whole_and_bears_its_name() {
        for name in names() {
            assert_eq!(named(name).unwrap().gateway, name);
        }
        assert!(names().any(|name| name == "reference"));
        assert!(named("nobody").is_none());
    }
}
