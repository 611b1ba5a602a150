//! The verbs that run nothing: `check`, `list`, `eject`; and help.

use crate::program::ran;
use crate::suite::{SOUND, STRICT, WRONG, folder};
use std::fs;

#[test]
fn check_tries_what_the_templates_of_a_profile_give() {
    let profile = "gateway: g\nfiles: {policy: {template: policy.j2, name: policy.json}}\n\
        start: {command: [gate, '{{ files.polcy }}'], ready: {line: up}}\n\
        connect: {http: 'http://127.0.0.1:{{ port }}'}\n\
        audit: {file: '{{ files.log }}'}\n";
    let here = folder(&[
        ("g/profile.yaml", profile),
        ("g/policy.j2", "{{ cannot('limits') if policy.all_tools.limits }}\n{{ policy.tols }}\n"),
        ("known.yaml", "- {no: list}\n"),
    ]);
    let told = ran(here.path(), &["check", "g"], &[]);
    assert_eq!(told.code, 2, "{}{}", told.out, told.err);
    for line in [
        "error: `policy.j2`: `policy.tols` is undefined in line 2; did you mean `tools`? `policy` has: `version`,",
        "error: `files.polcy` is undefined; did you mean `policy`? `files` has: `policy`",
        "error: `files.log` is undefined; `files` has: `policy`",
        "g/profile.yaml:2",
        "g/profile.yaml:3",
        "g/profile.yaml:5",
    ] {
        assert!(told.err.contains(line), "`{line}` is not in\n{}", told.err);
    }
    assert!(told.err.ends_with("1 profile with mistakes, 0 without\n"), "no list was named:\n{}", told.err);
}

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let unfinished = STRICT.replace("steps:", "stepts:").replace("requirement", "requirment");
    let suite = folder(&[("a.yaml", WRONG), ("b.yaml", SOUND), ("c.yaml", &unfinished)]);
    let told = ran(suite.path(), &["check", "."], &[]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    for part in [
        "./a.yaml:6:13",
        "unknown verdict `alowed`",
        "did you mean `allowed`?",
        "./c.yaml:2:1",
        "./c.yaml:5:1",
        "2 scenarios with mistakes, 1 without",
    ] {
        assert!(told.err.contains(part), "`{part}` is missing:\n{}", told.err);
    }
    assert!(!told.err.contains("b.yaml"), "{}", told.err);
    assert!(!told.err.contains('\u{1b}'));
    let run = ran(suite.path(), &["run", "."], &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "nothing runs while a file is wrong");
}

#[test]
fn the_shipped_files_have_no_mistakes() {
    let told = ran(folder(&[]).path(), &["check"], &[]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.ends_with(" scenarios without mistakes\n"), "{}", told.out);
}

#[test]
fn there_is_a_line_for_each_thing() {
    let here = folder(&[("sound.yaml", SOUND)]);
    let listed = |arguments: &[&str]| {
        let told = ran(here.path(), &[&["list"], arguments].concat(), &[]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{arguments:?}");
        told.out
    };
    assert_eq!(
        listed(&["mocks"]),
        "conformance   28 tools\nludus         201 tools\noffice        28 tools\nvelociraptor  28 tools\n"
    );
    assert!(
        listed(&["flaws"]).lines().any(|line| line.split_whitespace().eq(["admits-one-more", "RATE-01"]))
    );
    assert!(listed(&["scenarios"]).lines().any(|line| line.starts_with("DENY-01-denied-tool ")));
    assert_eq!(listed(&["scenarios", "sound.yaml"]).lines().count(), 1);
    assert_eq!(listed(&["tools", "velociraptor"]).lines().count(), 28);
    assert_eq!(listed(&["tools"]).lines().count(), 285);
    let gateways = listed(&["gateways"]);
    assert!(
        gateways.lines().any(|line| line.starts_with("reference ") && line.contains("built in")),
        "{gateways}"
    );
    let paragraph =
        gateways.split("\n\n").find(|paragraph| paragraph.starts_with("mcp-policy-gateway ")).unwrap();
    for part in [
        "pip install mcp-policy-gateway==",
        "; verified with ",
        "limits (bucket)",
        "has no ",
        "cost-scaled limits",
    ] {
        assert!(paragraph.contains(part), "`{part}` is missing:\n{paragraph}");
    }
}

#[test]
fn a_gateway_of_ones_own_is_listed_by_its_folder() {
    let profile = "gateway: mine\nconnect: {stdio: {}}\nstart:\n  command: [no-such-gate, \"{{ policy.tools | items \
        | selectattr('1.action', 'eq', 'deny') | map('first') | flagged('-b') }}\"]\n";
    let here = folder(&[("mine/profile.yaml", profile)]);
    let told = ran(here.path(), &["list", "gateways", "./mine", "direct"], &[]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.starts_with("mine  not installed; unverified\n"), "{}", told.out);
    assert!(
        told.out.contains("  is told  deny, hide, ") && told.out.contains("\n\ndirect  "),
        "{}",
        told.out
    );
    let nobody = ran(here.path(), &["list", "gateways", "nobody"], &[]);
    assert_eq!(nobody.code, 2, "{}", nobody.err);
}

#[test]
fn an_answer_that_is_none_is_a_mistake_before_anything_runs() {
    let scenario = "scenario: s\nupstreams: {lab: {mock: ludus, answers: {get_license: [{nonsense: 1}]}}}\n\
        policy: {version: \"1\", default: allow, tools: {}}\nsteps:\n  - {call: get_license, expect: allowed}\n";
    let here = folder(&[("s.yaml", scenario)]);
    for verb in ["check", "run"] {
        let told = ran(here.path(), &[verb, "s.yaml"], &[]);
        assert_eq!(told.code, 2, "{verb}: {}", told.err);
        assert!(
            told.err.contains("unknown member `nonsense`") && told.err.contains("s.yaml:2:"),
            "{}",
            told.err
        );
    }
}

#[test]
fn what_is_ejected_can_be_run() {
    let here = folder(&[]);
    let ejected = ran(here.path(), &["eject", "suite"], &[]);
    assert_eq!(ejected.code, 0, "{}", ejected.err);
    let one = "suite/scenarios/conformance/deny/DENY-01-denied-tool.yaml";
    let told = ran(here.path(), &["run", one, "--gateway", "suite/gateways/reference"], &[("CI", "1")]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    assert_eq!(ran(here.path(), &["check", "suite/scenarios"], &[]).code, 0);
    fs::write(here.path().join(one), "mine").unwrap();
    let again = ran(here.path(), &["eject", "suite"], &[]);
    assert_eq!(again.code, 5, "{}", again.err);
    assert_eq!(fs::read_to_string(here.path().join(one)).unwrap(), "mine", "nothing is overwritten");
}

#[test]
fn every_verb_shows_how_it_is_used() {
    let here = folder(&[]);
    let help = ran(here.path(), &["--help"], &[]).out;
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    // What a verb does may take several lines; the verb itself stands at the margin.
    let at_the_margin = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let verbs: Vec<&str> = at_the_margin
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(verbs.len() > 6, "{verbs:?}");
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        let help = ran(here.path(), &[verb, "--help"], &[]);
        assert_eq!(help.code, 0, "{verb}");
        assert!(help.out.contains(&format!("  gauntlet {verb}")), "`{verb}` has no example:\n{}", help.out);
    }
}
