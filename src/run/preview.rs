//! What a gateway would be given, files and command, without starting anything.

use super::pack::merged_with;
use super::remote::Places;
use super::stage::{identities, listed, spoil, written};
use crate::gateway::{self, CommandLine, Facts, Identity, Place, Profile, RenderError, Spoil, Upstream};
use crate::scenario::{self, Scenario};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Ports that stand for those that nobody knows yet.
const PORTS: (u16, u16) = (64_998, 64_999);

/// One file: its name and its text.
pub type File = (String, String);

/// What a gateway would be given.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// The files; none where it is told nothing in files, or where the one with the policy is left out on purpose.
    pub files: Vec<File>,
    /// What it is started with, where that is the policy or all that it is told.
    pub command: Option<CommandLine>,
}

/// What is known beyond the scenarios.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The agent's credential.
    pub token: Option<&'a str>,
    /// A tool that everybody may call besides.
    pub open: Option<&'a str>,
}

/// What a gateway would be given for these scenarios together. What is not known before a start is named instead:
/// `${PORT}`, `${TOKEN}`.
pub fn preview(
    profile: &Profile,
    scenarios: &[&Scenario],
    places: &Places,
    known: &Known<'_>,
) -> Result<Preview, RenderError> {
    let whole = merged_with(scenarios, known.open);
    let mut callers = identities(&whole);
    if let (Some(token), [only]) = (known.token, callers.as_mut_slice()) {
        token.clone_into(&mut only.token);
    }
    let inputs = gateway::Inputs { upstreams: upstreams(&whole, places), identities: callers.clone() };
    let place =
        Place { folder: "${FOLDER}".into(), gauntlet: "gauntlet".to_owned(), environment: Vec::new() };
    let mut facts = Facts::of(profile, inputs, &place, PORTS);
    facts.bearer.clone_from(&places.bearer);
    let secret = facts.secret.clone();
    let mut rendered = gateway::render(profile, facts)?;
    let command = CommandLine::of(profile, &rendered.facts)?;
    let command = command.filter(|_| rendered.files.is_empty() || profile.is_started_with_policy());
    let spoiled = spoil(&whole);
    if !profile.has_files() && command.is_none() {
        return Ok(Preview { files: documents(&callers, spoiled), command });
    }
    if let Some(how) = spoiled {
        rendered.spoil(how);
    }
    let strangers = if known.token.is_some() && callers.len() == 1 { &[][..] } else { &callers };
    let names = placeholders(strangers, &secret);
    let named = |text: String| names.iter().fold(text, |text, (value, name)| text.replace(value, name));
    let files = rendered.files.into_values().filter_map(|(name, text)| Some((name, named(text?)))).collect();
    let command = command.map(|CommandLine { words, environment }| CommandLine {
        words: words.into_iter().map(named).collect(),
        environment: environment.into_iter().map(|(name, text)| (name, named(text))).collect(),
    });
    Ok(Preview { files, command })
}

fn upstreams(whole: &Scenario, places: &Places) -> Vec<Upstream> {
    let one = |(place, (name, upstream)): (usize, (&String, &scenario::Upstream))| Upstream {
        name: name.clone(),
        url: places.url(place, name),
        command: ["gauntlet", "relay", "${ADDRESS}", "--upstream", name, "--token", "${RELAY_TOKEN}"]
            .map(str::to_owned)
            .to_vec(),
        tools: listed(upstream),
    };
    whole.upstreams.iter().enumerate().map(one).collect()
}

/// What stands in the place of what only a start makes known.
fn placeholders(callers: &[Identity], secret: &str) -> Vec<(String, String)> {
    let mut names = vec![
        (secret.to_owned(), "${SECRET}".to_owned()),
        (PORTS.0.to_string(), "${PORT}".to_owned()),
        (PORTS.1.to_string(), "${SIDE_PORT}".to_owned()),
    ];
    for caller in callers {
        let name = match callers {
            [_] => "TOKEN".to_owned(),
            _ => format!(
                "TOKEN_{}",
                caller.name.to_uppercase().replace(|letter: char| !letter.is_alphanumeric(), "_")
            ),
        };
        let hash: String = Sha256::digest(&caller.token).iter().map(|byte| format!("{byte:02x}")).collect();
        names.push((hash, format!("${{{name}_SHA256}}")));
        names.push((caller.token.clone(), format!("${{{name}}}")));
    }
    names
}

/// The embedded reference is given the policies as they are; broken where the scenario wants it.
fn documents(callers: &[Identity], spoiled: Option<Spoil>) -> Vec<File> {
    let text = |document: &Value| match spoiled {
        None => Some(format!("{document:#}\n")),
        Some(Spoil::Missing) => None,
        how => Some(written(document, how)),
    };
    let named = |caller: &Identity| match callers {
        [_] => "policy.json".to_owned(),
        _ => format!("policy-{}.json", caller.name),
    };
    callers.iter().filter_map(|caller| Some((named(caller), text(caller.policy.as_ref()?)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn places() -> Places {
        let public = [("lab".to_owned(), "https://lab.test/mcp".to_owned())].into();
        Places { listen: ([127, 0, 0, 1], 7700).into(), public, bearer: Some("${LAB_TOKEN}".into()) }
    }

    fn files(gateway: &str, more: &str, token: Option<&str>) -> Result<Vec<File>, RenderError> {
        let policy = "{version: \"1\", default: deny, tools: {whoami: {}, destroy_vm: {action: deny}}}";
        let text = format!(
            "scenario: s\nupstreams: {{lab: ludus}}\npolicy: {policy}\n{more}steps:\n  - call: whoami\n"
        );
        let scenario = scenario::read(&text, "s.yaml").unwrap();
        preview(&gateway::named(gateway).unwrap(), &[&scenario], &places(), &Known { token, open: None })
            .map(|preview| preview.files)
    }

    #[test]
    fn what_is_not_known_is_named() {
        let files = files("reference-process", "", None).unwrap();
        insta::assert_snapshot!(files[0].1, @r#"
        listen: "127.0.0.1:${PORT}"
        upstreams:
          "lab": {url: "https://lab.test/mcp", headers: {Authorization: "Bearer ${LAB_TOKEN}"}}
        approvals: {channel: retried, listen: "127.0.0.1:${SIDE_PORT}", token: "${SECRET}"}
        audit: {file: audit.jsonl}
        pins: {file: pins.jsonl}
        upstream_timeout: 3s
        grants:
          - {identity: "agent", token: "${TOKEN}", policy: {"version": "1", "default": "deny", "tools": {"whoami": {}, "destroy_vm": {"action": "deny"}}}}
        "#);
    }

    #[test]
    fn a_hash_of_what_is_not_known_is_named_too_and_a_known_token_is_used() {
        let hashed = files("mcp-policy-gateway", "", None).unwrap();
        assert!(hashed[0].1.contains("sha256: ${TOKEN_SHA256}"), "{}", hashed[0].1);
        let two = files("mcp-policy-gateway", "identities: {alice: {}, bob: {}}\n", None).unwrap();
        assert!(two[0].1.contains("sha256: ${TOKEN_BOB_SHA256}"), "{}", two[0].1);
        let known = files("mcp-policy-gateway", "", Some("a")).unwrap();
        assert!(known[0].1.contains("sha256: ca978112"), "{}", known[0].1);
    }

    #[test]
    fn the_reference_is_given_the_policy_as_it_is() {
        let one = files("reference", "", None).unwrap();
        assert_eq!(one[0].0, "policy.json");
        assert_eq!(crate::policy::Policy::from_json(&one[0].1).unwrap().tools.len(), 2);
        let two = files("reference", "identities: {alice: {}, bob: {policy: null}}\n", None).unwrap();
        assert_eq!(two.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["policy-alice.json"]);
    }
}
