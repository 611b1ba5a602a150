//! The profiles that come with the program.

use super::profile::Profile;

type Files = &'static [(&'static str, &'static str)];

/// Name, profile, and the templates beside it.
static SHIPPED: &[(&str, &str, Files)] = &[
    ("direct", include_str!("../../gateways/direct/profile.yaml"), &[]),
    ("reference", include_str!("../../gateways/reference/profile.yaml"), &[]),
    (
        "reference-process",
        include_str!("../../gateways/reference-process/profile.yaml"),
        &[("reference.yaml.j2", include_str!("../../gateways/reference-process/reference.yaml.j2"))],
    ),
    (
        "mcp-policy-gateway",
        include_str!("../../gateways/mcp-policy-gateway/profile.yaml"),
        &[("gateway.yaml.j2", include_str!("../../gateways/mcp-policy-gateway/gateway.yaml.j2"))],
    ),
    (
        "agentveil-mcp-proxy",
        include_str!("../../gateways/agentveil-mcp-proxy/profile.yaml"),
        &[("config.json.j2", include_str!("../../gateways/agentveil-mcp-proxy/config.json.j2"))],
    ),
];

/// The names of all shipped profiles.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, ..)| *name)
}

/// A shipped profile by name.
pub fn named(name: &str) -> Option<Profile> {
    let (_, text, files) = SHIPPED.iter().find(|(known, ..)| *known == name)?;
    let templates = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
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
        assert!(named("nobody").is_none());
    }

    #[test]
    fn every_shipped_profile_fits_the_schema_that_is_told_to_editors() {
        let schema = serde_json::to_value(schemars::schema_for!(Profile)).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        for (name, text, _) in SHIPPED {
            let profile: serde_json::Value = crate::source::typed(text).unwrap();
            let mistakes: Vec<_> = schema.iter_errors(&profile).map(|error| error.to_string()).collect();
            assert!(mistakes.is_empty(), "{name}: {mistakes:#?}");
        }
    }
}
