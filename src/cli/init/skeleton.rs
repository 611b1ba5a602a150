//! The files that a new gateway begins with.

use super::command::Launch;

/// A first scenario: a denied call, and the allowed one without which it would prove nothing.
pub(super) const SCENARIO: &str = "\
scenario: a denied tool never reaches the server
upstreams: [ludus]                 # a mock that comes with gauntlet: `gauntlet list tools ludus`
policy:                            # what the gateway is asked to enforce, in no gateway's dialect
  version: \"1\"
  default: deny
  tools:
    list_hosts: {}
    destroy_vm: {action: deny, reason: machines are destroyed by people}
steps:
  - list: tools
    expect: {includes: [list_hosts]}
  - call: list_hosts               # the allowed twin
    expect: allowed
  - call: destroy_vm
    with: {vm_id: \"104\"}
    expect: denied
";

/// Nothing is known to deviate yet.
pub(super) fn known(name: &str) -> String {
    format!(
        "# What is known to fail, and why; it does not fail a run. One that passes again, or is past its date, does.\n\
         # - {{requirement: DENY-06, gateway: {name}, because: \"a batch is forwarded whole\", until: 2027-01-31}}\n[]\n"
    )
}

/// The profile.
pub(super) fn profile(name: &str, launch: &Launch) -> String {
    let mut text = format!("gateway: {name}\n");
    if !launch.words.is_empty() {
        text.push_str(
            "# install: pip install acme-gateway==1.0   # told where the command is missing; never run\n",
        );
    }
    text.push_str(&format!(
        "upstream: {:<28} # what it can stand in front of: http, stdio\n",
        launch.upstream
    ));
    if !launch.words.is_empty() {
        let words: Vec<String> = launch.words.iter().map(|word| plain(word)).collect();
        text.push_str(&format!("start:\n  command: [{}]\n", words.join(", ")));
        if let Some(address) = &launch.address {
            text.push_str(&format!(
                "  ready: {{http: \"{address}\", within: 30s}}   # or {{line: \"listening on\"}}\n"
            ));
        }
    }
    text.push_str(
        "files:                                 # rendered for each scenario; the first holds the policy\n",
    );
    for key in &launch.files {
        text.push_str(&format!("  {key}: {{template: {key}.j2, name: {key}.json}}\n"));
    }
    text.push_str(&match &launch.address {
        Some(address) => format!(
            "connect:\n  http: \"{address}\"\n  # headers: {{Authorization: \"Bearer {{{{ identity.token }}}}\"}}   # where it knows agents by a token\n"
        ),
        None => "connect: {stdio: {}}                   # an agent starts the command and speaks in lines\n".to_owned(),
    });
    text.push_str(READS);
    text.push_str(DECLARES);
    text
}

/// Readings that fit what many gateways say.
const READS: &str = "\
# tools: \"{{ upstream }}__{{ tool }}\"     # how it renames tools
reads:                                 # what its answers mean, the first that matches wins: `gauntlet doctor` drafts the exact ones
  - limited: {error_result: '(?i)^rate.?limit'}
  - denied: {error_result: '(?i)^(denied|forbidden|blocked|refused) by .*?(policy|gateway|rule)'}
";

const DECLARES: &str = "\
# approval: {style: retry, approve: {run: [acme, approve, \"{{ approval }}\"]}, reject: {run: [acme, reject, \"{{ approval }}\"]}}
# declares: {window: fixed, batch: reject}   # what it does where gateways may choose: `gauntlet doctor` measures it
isolate: scenario                      # a start for each scenario; `pack` lets scenarios about different tools share one
";

/// A word of a list as YAML takes it for a text.
fn plain(word: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
    let name = word.trim_start_matches("--");
    let reads_as_text = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if word.chars().all(fits) && reads_as_text && !reserved.contains(&word.to_ascii_lowercase().as_str()) {
        return word.to_owned();
    }
    serde_json::Value::from(word).to_string()
}

/// The policy in the gateway's dialect; the first file has it.
pub(super) fn template(holds_the_policy: bool) -> String {
    if !holds_the_policy {
        return "{#- Another file of the gateway. It sees the same as the one with the policy. #}\n"
            .to_owned();
    }
    "\
{#- The policy in this gateway's dialect. It is given `policy` (every default written out), `upstreams` (name, url,
    command), `identities` (name, token, policy, document), `port` and `folder`. What the dialect cannot say is told by
    cannot(\"...\"): then a scenario is not applicable, instead of being run with a weaker policy. #}
{{- cannot(\"several upstreams\") if upstreams | length > 1 }}
{{- cannot(\"several identities\") if identities | length > 1 }}
{#- A policy as it is written in a scenario. Write your gateway's own rules in its place, a line for each tool:
    {% for name, rule in policy.tools | items %}... rule.action, rule.limits, rule.require, rule.deny_if ...{% endfor %} #}
{{- identities[0].document | tojson }}
"
    .to_owned()
}

/// The workflow of continuous integration.
pub(super) fn workflow(name: &str, launch: &Launch) -> String {
    let (install, drive) = match &launch.address {
        Some(url) if launch.words.is_empty() => (
            "      # Start the gateway here, with what `gauntlet render` prints.\n",
            format!(" --gateway-url {url}"),
        ),
        _ => ("      # Install the gateway here, so that its command is on the PATH.\n", String::new()),
    };
    format!(
        "\
name: gauntlet
on: [push, pull_request]
jobs:
  gateway:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # Gauntlet is on no registry: put the address of your checkout or fork of it here.
      - run: cargo install --locked --git https://git.example/gauntlet mcp-gauntlet
{install}      - run: gauntlet check {name} scenarios
      - run: gauntlet run scenarios --gateway ./{name}{drive} --junit gauntlet.xml
      - uses: actions/upload-artifact@v4
        if: always()
        with: {{name: gauntlet, path: gauntlet.xml}}
"
    )
}
