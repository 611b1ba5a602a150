//! A world that is wrong: ports in use, gateways that do not get ready. Exit 3, with what the gateway said last.

use crate::program::{Ran, ran};
use crate::suite::{SOUND, folder};
use std::net::TcpListener;

/// Breaks its policy, and is content with a gateway from which nothing comes.
const BROKEN: &str = "\
scenario: a broken policy lets nothing through
requirement: LIFE-05
upstreams: [ludus]
policy: {spoiled: truncated}
steps:
  - {call: list_hosts, expect: [blocked, lost]}
";

const BIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateways/bin:/usr/bin:/bin");
const PATH: (&str, &str) = ("PATH", "/usr/bin:/bin");

fn started(start: &str) -> Ran {
    let profile =
        format!("gateway: acme\nstart: {start}\nconnect: {{http: 'http://127.0.0.1:{{{{ port }}}}/mcp'}}\n");
    let here = folder(&[("sound.yaml", SOUND), ("acme/profile.yaml", &profile)]);
    ran(here.path(), &["run", "sound.yaml", "--gateway", "acme"], &[PATH])
}

#[test]
fn a_port_in_use_is_told_with_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = ran(folder(&[]).path(), &["mock", "ludus", "--http", &address], &[]);
    assert_eq!(told.code, 3, "{}", told.err);
    assert!(told.err.starts_with(&format!("the mock cannot be served on {address}: ")), "{}", told.err);
}

#[cfg(unix)]
#[test]
fn a_gateway_that_ends_instead_of_getting_ready_has_its_last_words() {
    let told = started(
        r"{command: [sh, -c, 'printf \\033[31mbad; echo port in use >&2; exit 9'], ready: {line: up}}",
    );
    assert_eq!(told.code, 3, "{}", told.err);
    assert!(
        told.err
            .starts_with("gateway `acme` ended with exit status: 9 before it was ready; its last words:\n")
    );
    assert!(told.err.contains("port in use") && !told.err.contains('\u{1b}'), "{}", told.err);
    assert!(told.out.contains("INCONCLUSIVE") && told.out.contains("port in use"), "{}", told.out);
}

#[cfg(unix)]
#[test]
fn a_gateway_that_is_late_has_its_last_words() {
    let told =
        started("{command: [sh, -c, 'echo still loading; sleep 1000'], ready: {line: up, within: 300ms}}");
    assert_eq!(told.code, 3, "{}", told.err);
    assert_eq!(told.err, "gateway `acme` was not ready within 300ms; its last words:\nstill loading\n");
}

#[cfg(unix)]
#[test]
fn a_gateway_whose_preparation_fails_says_why() {
    let start =
        "{command: [sh], ready: {line: up}}\nprepare: [{run: [sh, -c, 'echo no license >&2; exit 4']}]";
    let told = started(start);
    assert_eq!(told.code, 3, "{}", told.err);
    assert!(
        told.err.contains("could not be prepared by `prepare`") && told.err.contains("no license"),
        "{}",
        told.err
    );
}

/// Runs a sound scenario and two that break their policy at a gateway that agents start themselves.
fn on_lines(command: &str) -> Ran {
    let profile = format!(
        "gateway: acme\ninstall: pip install acme\nstart: {{command: [{command}]}}\nconnect: {{stdio: {{}}}}\ndeclares: {{eras: [legacy]}}\n\
         files: {{policy: {{template: policy.j2, name: policy.json}}}}\n"
    );
    let here = folder(&[
        ("all/broken.yaml", BROKEN),
        ("all/broken-too.yaml", BROKEN),
        ("all/sound.yaml", SOUND),
        ("acme/profile.yaml", &profile),
        ("acme/policy.j2", "{{ policy | tojson }}"),
    ]);
    ran(here.path(), &["run", "all", "--gateway", "acme", "--jobs", "1"], &[("PATH", BIN)])
}

#[test]
fn a_gateway_on_stdio_that_is_not_there_is_told_once_and_passes_nothing() {
    let told = on_lines("no-such-gateway-xyz");
    assert_eq!(told.code, 3, "{}{}", told.out, told.err);
    let missing = "gateway `acme` needs the command `no-such-gateway-xyz`, which is not found\nhelp: install it: pip install acme\n";
    assert_eq!(told.err, missing);
    assert!(told.out.contains("1 inconclusive") && told.out.contains("2 skipped"), "{}", told.out);
    assert!(told.out.contains("0 passed"), "{}", told.out);
}

#[cfg(unix)]
#[test]
fn a_gateway_on_stdio_that_ends_at_once_is_told_with_its_last_words() {
    let told = on_lines("sh, -c, 'echo no license >&2; exit 4'");
    assert_eq!(told.code, 3, "{}{}", told.out, told.err);
    let ended = "gateway `acme` ended with exit status: 4 before it was ready; its last words:\nno license\n";
    assert_eq!(told.err, ended);
}

#[cfg(unix)]
#[test]
fn a_gateway_that_serves_no_policy_has_not_refused_the_broken_one() {
    let told = on_lines("speaks-badly, dies");
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    assert!(told.out.contains("2 inconclusive"), "{}", told.out);
    let why = "to refuse everything shows nothing: with nothing broken `list_hosts` was";
    assert!(told.out.contains(why), "{}", told.out);
}

#[cfg(unix)]
#[test]
fn a_gateway_that_gets_ready_with_no_policy_has_not_refused_the_broken_one() {
    let start = "{command: [sh, -c, 'echo bad policy; exit 1'], ready: {line: up}}\n\
                 files: {policy: {template: policy.j2, name: policy.json}}";
    let profile =
        format!("gateway: acme\nstart: {start}\nconnect: {{http: 'http://127.0.0.1:{{{{ port }}}}/mcp'}}\n");
    let here = folder(&[
        ("broken.yaml", BROKEN),
        ("acme/profile.yaml", &profile),
        ("acme/policy.j2", "{{ policy | tojson }}"),
    ]);
    let told = ran(here.path(), &["run", "broken.yaml", "--gateway", "acme"], &[PATH]);
    assert_eq!(told.code, 3, "{}{}", told.out, told.err);
}

#[test]
fn a_policy_that_is_no_file_cannot_be_broken() {
    let profile = "gateway: acme\nstart: {command: [acme, '{{ policy | tojson }}']}\nconnect: {stdio: {}}\n";
    let here = folder(&[("broken.yaml", BROKEN), ("acme/profile.yaml", profile)]);
    let told = ran(here.path(), &["run", "broken.yaml", "--gateway", "acme"], &[PATH]);
    assert_eq!(told.code, 4, "{}{}", told.out, told.err);
    let (out, err) = (&told.out, &told.err);
    assert!(out.contains("it has no file for its policy: there is nothing to break"), "{out}{err}");
}

#[test]
fn a_profile_with_a_mistake_is_a_mistake() {
    let told = started("{comand: [sh]}");
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(told.err.contains("comand"), "{}", told.err);
}
