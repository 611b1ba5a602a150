//! A world that is wrong: ports in use, gateways that do not get ready. Exit 3, with what the gateway said last.

use crate::program::{Ran, ran};
use crate::suite::{SOUND, folder};
use std::net::TcpListener;

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
    assert!(told.err.contains("could not be prepared") && told.err.contains("no license"), "{}", told.err);
}

#[test]
fn a_profile_with_a_mistake_is_a_mistake() {
    let told = started("{comand: [sh]}");
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(told.err.contains("comand"), "{}", told.err);
}
