//! The configuration that a gateway would be given, printed or written.

use crate::program::ran;
use crate::suite::folder;
use std::fs;

const SCENARIO: &str = "\
scenario: two looks a minute
upstreams: {lab: ludus}
policy: {version: \"1\", default: deny, tools: {whoami: {rate_limit: {max: 2, window: 60}}}}
steps:
  - {call: whoami, times: 3, expect: [{allowed: 2}, {rate_limited: 1}]}
";
const OTHER: &str = "\
scenario: nobody synchronises
upstreams: {lab: ludus}
policy: {version: \"1\", default: deny, tools: {list_hosts: {rate_limit: {max: 5, window: 60}}, git_sync: {action: deny}}}
steps:
  - {call: list_hosts, expect: allowed}
  - {call: git_sync, expect: denied}
";
const PROFILE: &str = "\
gateway: acme
connect: {http: 'http://127.0.0.1:{{ port }}/mcp', headers: {Authorization: 'Bearer {{ identity.token }}'}}
files: {config: {template: acme.j2, name: deep/acme.conf}, more: {template: more.j2, name: more.conf}}
";
const TEMPLATE: &str = "{% for name in policy.tools %}{% if name == 'git_sync' %}{{ cannot('git') }}{% endif %}{% endfor %}\
key {{ identities[0].token }} {{ upstreams[0].url }}";

fn written() -> tempfile::TempDir {
    folder(&[
        ("s/one.yaml", SCENARIO),
        ("s/two.yaml", OTHER),
        ("acme/profile.yaml", PROFILE),
        ("acme/acme.j2", TEMPLATE),
        ("acme/more.j2", "port {{ port }}"),
    ])
}

#[test]
fn a_policy_is_printed_as_it_is() {
    let folder = written();
    let printed = ran(folder.path(), &["render", "s/one.yaml", "--for", "reference"], &[]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let policy = mcp_gauntlet::policy::Policy::from_json(&printed.out).unwrap();
    assert_eq!(policy.tools.keys().collect::<Vec<_>>(), ["whoami"]);
    let shipped = ran(folder.path(), &["render", "DENY-01-denied-tool", "--for", "reference"], &[]);
    assert!(shipped.code == 0 && shipped.out.contains("machines are destroyed by people"), "{}", shipped.err);
}

#[test]
fn a_suite_is_merged_with_a_tool_to_try_the_way_with() {
    let folder = written();
    let merged = ran(folder.path(), &["render", "--suite", "s", "--for", "reference"], &[]);
    assert_eq!(merged.code, 0, "{}", merged.err);
    assert_eq!(
        merged.err,
        "2 of 2 fit together (round 1 of 1)\nthe gateway is expected to know `lab` at http://127.0.0.1:7700/mcp\n"
    );
    let policy = mcp_gauntlet::policy::Policy::from_json(&merged.out).unwrap();
    let names: Vec<&String> = policy.tools.keys().collect();
    assert_eq!(names[..3], ["whoami", "list_hosts", "git_sync"]);
    assert_eq!(names.len(), 4, "one more that counts for nothing: {names:?}");
}

#[test]
fn files_are_printed_with_their_names_or_written() {
    let folder = written();
    let words = ["render", "s/one.yaml", "--for", "acme", "--public-url", "lab=https://lab.test/mcp"];
    let printed = ran(folder.path(), &words, &[]);
    assert_eq!(
        printed.out,
        "==> deep/acme.conf <==\nkey ${TOKEN} https://lab.test/mcp\n==> more.conf <==\nport ${PORT}\n"
    );
    let into = [&words[..], &["--into", "conf", "--token", "${KEY}"]].concat();
    let written = ran(folder.path(), &into, &[("KEY", "k-4711")]);
    assert_eq!(written.code, 0, "{}", written.err);
    assert_eq!(written.err, "wrote conf/deep/acme.conf\nwrote conf/more.conf\n");
    let path = folder.path().join("conf/deep/acme.conf");
    assert_eq!(fs::read_to_string(&path).unwrap(), "key k-4711 https://lab.test/mcp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = ran(folder.path(), &into, &[("KEY", "k-4711")]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("`conf/deep/acme.conf` is there already"), "{}", again.err);
}

#[test]
fn what_a_gateway_cannot_express_is_told_and_left_out() {
    let folder = written();
    let alone = ran(folder.path(), &["render", "s/two.yaml", "--for", "acme"], &[]);
    assert_eq!((alone.code, alone.err.as_str()), (4, "`acme` cannot express git\n"));
    let merged = ran(folder.path(), &["render", "--suite", "s", "--for", "acme"], &[]);
    assert_eq!(merged.code, 0);
    assert!(
        merged.err.contains("left out:\n  two: it runs with one policy, and it cannot express git\n"),
        "{}",
        merged.err
    );
    let nothing = ran(folder.path(), &["render", "--suite", "s/two.yaml", "--for", "acme"], &[]);
    assert_eq!(nothing.code, 4, "{}", nothing.err);
}

/// A gateway that blocks what it is told, on its command line.
const BLOCKER: &str = r#"
gateway: blocker
connect: {stdio: {}}
start:
  command:
    - blocker
    - --port={{ port }}
    - "{{ upstreams[0].url }}"
    - "{{ cannot('several upstreams') if upstreams | length > 1 else [] }}"
    - "{% for name in upstreams[0].tools if policy.default == 'deny' and name not in policy.tools %}--block {{ name }} {% endfor %}"
  environment: {HOME: "{{ folder }}", NOTE: "it's"}
"#;

#[test]
fn a_policy_on_the_command_line_is_shown_as_it_is_given() {
    let scenario = "scenario: s\nupstreams:\n  lab: {mock: velociraptor, change: [{remove: list_orgs}, {add: peek}]}\n\
        policy: {version: \"1\", default: deny, tools: {client_info: {}}}\nsteps: [{call: lab/client_info}]\n";
    let folder = folder(&[("s.yaml", scenario), ("b/profile.yaml", BLOCKER)]);
    let shown = ran(folder.path(), &["render", "s.yaml", "--for", "./b"], &[]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let begins = r"HOME=${FOLDER} NOTE='it'\''s' blocker --port=${PORT} http://127.0.0.1:7700/mcp '--block ";
    assert!(shown.out.starts_with(begins), "{}", shown.out);
    assert!(shown.out.contains("--block peek ") && !shown.out.contains("list_orgs"), "{}", shown.out);
    let broken = ran(folder.path(), &["render", "LIFE-05-truncated-policy", "--for", "./b"], &[]);
    assert!(broken.err.contains("`blocker` has no file of its own to break"), "{}", broken.err);
}

#[test]
fn a_policy_that_is_broken_on_purpose_is_shown_broken() {
    let folder = folder(&[]);
    for (id, gateway, shown) in [
        ("LIFE-05-truncated-policy", "reference", "{\"version\":\"1\",\"\n"),
        ("LIFE-05-missing-policy", "reference", ""),
        ("LIFE-05-missing-policy", "mcp-policy-gateway", ""),
    ] {
        let printed = ran(folder.path(), &["render", id, "--for", gateway], &[]);
        assert_eq!((printed.code, printed.out.as_str()), (0, shown), "{id}: {}", printed.err);
        assert!(printed.err.contains("is broken on purpose: `spoiled: "), "{}", printed.err);
    }
}

#[test]
fn each_mistake_has_a_way_out() {
    let folder = written();
    for (arguments, code, told) in [
        ("render s/one.yaml", 2, "--for"),
        ("render --for reference", 2, "help: name one, or merge several with `--suite`"),
        ("render s --for reference", 2, "help: add `--suite`"),
        ("render NO-01 --for reference", 2, "neither a file nor the id of a shipped one"),
        ("render s/one.yaml --for nobody", 2, "no gateway `nobody`"),
        ("render s/one.yaml --for acme --token ${KEY}", 2, "--into"),
        ("render s/one.yaml --for acme --into conf --token ${KEY}", 2, "the environment has no `KEY`"),
        ("render s/one.yaml --for acme --public-url ludus=http://a.test", 2, "known are `lab`"),
        ("render --suite s --for reference --round 2", 2, "`--round 2`: there are 1"),
    ] {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let ran = ran(folder.path(), &words, &[]);
        assert_eq!(ran.code, code, "`gauntlet {arguments}`: {}", ran.err);
        assert!(ran.err.contains(told), "`gauntlet {arguments}`: {}", ran.err);
    }
}
