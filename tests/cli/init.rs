//! `gauntlet init`: what it writes is sound, and with the reference gateway as the command everything is well at once.

use crate::program::ran;
use crate::suite::folder;
use std::fs;

const COMMAND: &str = "{{ gauntlet }} gateway --policy {{ files.policy }} --http {{ port }} --upstream {{ upstreams[0].name }}={{ upstreams[0].url }}";
const LINES: &str = "{{ gauntlet }} gateway --policy '{{ files.policy }}' --upstream '{{ upstreams[0].name }}=stdio:{{ upstreams[0].command | join(\" \") }}'";

#[cfg(unix)]
#[test]
fn from_nothing_to_a_first_verdict() {
    for command in [COMMAND, LINES] {
        let here = folder(&[]);
        let told = ran(here.path(), &["init", "--gateway-command", command], &[]);
        assert_eq!(told.code, 0, "{}", told.err);
        let next = told.out.split_once("\nnext\n").unwrap().1;
        let words: Vec<Vec<&str>> =
            next.lines().map(|line| line.split_whitespace().skip(1).collect()).collect();
        assert_eq!(words.len(), 3, "{next}");
        for line in words {
            let told = ran(here.path(), &line, &[]);
            assert_eq!(told.code, 0, "{line:?}\n{}{}", told.out, told.err);
        }
        let strict = ran(here.path(), &["run", "scenarios", "--gateway", "direct"], &[]);
        assert_eq!(strict.code, 1, "without a gateway the first scenario fails");
    }
}

#[test]
fn what_is_there_stays() {
    let here = folder(&[("known.yaml", "mine"), ("gate/profile.yaml", "mine too")]);
    let told = ran(here.path(), &["init", "--name", "gate", "--gateway-command", "acme"], &[]);
    assert_eq!(told.code, 5, "{}", told.out);
    assert!(told.err.contains("2 of the files are there already, and nothing was written:\n  ./gate/profile.yaml\n  ./known.yaml\n"), "{}", told.err);
    assert_eq!(fs::read_to_string(here.path().join("known.yaml")).unwrap(), "mine");
    assert!(!here.path().join("scenarios").exists());
}

#[test]
fn a_gateway_that_runs_already_gets_a_profile_without_a_start() {
    let here = folder(&[]);
    let told = ran(here.path(), &["init", "lab", "--url", "http://127.0.0.1:9/mcp"], &[]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("gauntlet doctor --url http://127.0.0.1:9/mcp"), "{}", told.out);
    let checked = ran(here.path(), &["check", "lab/my-gateway", "lab/scenarios"], &[]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    let profile = fs::read_to_string(here.path().join("lab/my-gateway/profile.yaml")).unwrap();
    assert!(!profile.contains("start:") && profile.contains("http: \"http://127.0.0.1:9/mcp\""), "{profile}");
}

#[test]
fn arguments_that_say_nothing_are_mistakes() {
    for (arguments, why) in [
        (&["init"][..], "required arguments were not provided"),
        (&["init", "--gateway-command", "acme '"], "`'` is not closed"),
        (&["init", "--gateway-command", "acme", "--name", "../x"], "is no name"),
        (&["init", "--url", "ftp://x"], "is no address"),
    ] {
        let told = ran(folder(&[]).path(), arguments, &[]);
        assert_eq!(told.code, 2, "{}{}", told.out, told.err);
        assert!(told.err.contains(why), "{}", told.err);
    }
}

#[test]
fn the_list_of_known_deviations_names_the_gateway() {
    let here = folder(&[]);
    let told = ran(here.path(), &["init", "--name", "acme", "--gateway-command", COMMAND], &[]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(fs::read_to_string(here.path().join("known.yaml")).unwrap().contains("gateway: acme,"));
}
