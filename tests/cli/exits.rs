//! Exit codes: a promise to scripts.

use crate::program::{Ran, ran};
use crate::suite::{SOUND, STRICT, WRONG, folder};

const MISSING: &str = "\
gateway: acme
install: pip install acme-gateway==2.1.0
start: {command: [acme-gateway, serve], ready: {line: up}}
connect: {http: 'http://127.0.0.1:{{ port }}/mcp'}
";

fn leaves(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let files = [
        ("sound.yaml", SOUND),
        ("strict.yaml", STRICT),
        ("wrong/wrong.yaml", WRONG),
        ("acme/profile.yaml", MISSING),
    ];
    ran(folder(&files).path(), arguments, environment)
}

#[cfg(not(feature = "rmcp"))]
#[test]
fn without_the_sdk_its_opinion_cannot_be_had_and_the_way_to_it_is_told() {
    let left = leaves(&["run", "sound.yaml", "--agent", "rmcp"], &[]);
    assert_eq!(left.code, 2);
    assert!(
        left.err.contains("help: build it with that: `cargo install --path . --features rmcp`"),
        "{}",
        left.err
    );
}

#[test]
fn each_way_to_end_has_its_exit_code() {
    for (arguments, code) in [
        ("run sound.yaml", 0),
        ("run sound.yaml strict.yaml", 0),
        ("check sound.yaml", 0),
        ("list mocks", 0),
        ("--version", 0),
        ("run strict.yaml --gateway direct", 1),
        ("run sound.yaml strict.yaml --gateway direct", 1),
        ("run wrong/wrong.yaml", 2),
        ("check wrong", 2),
        ("check sound.yaml wrong", 2),
        ("run no-such-file.yaml", 2),
        ("run sound.yaml --gateway nobody", 2),
        ("run sound.yaml --flaw no-such-flaw", 2),
        ("run sound.yaml --gateway direct --flaw admits-one-more", 2),
        ("run sound.yaml --only [", 2),
        ("run sound.yaml --timeout soon", 2),
        ("run sound.yaml --no-such-flag", 2),
        ("list tools nowhere", 2),
        ("mock nowhere", 2),
        ("", 2),
        ("run sound.yaml --gateway acme", 3),
        ("run sound.yaml --json no/such/folder/outcome.json", 3),
        ("run sound.yaml --only NONE-*", 4),
        ("run sound.yaml --tag none", 4),
        ("check acme/empty", 2),
        ("run strict.yaml --gateway reference --flaw leaks", 2),
    ] {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let ran = leaves(&words, &[]);
        assert_eq!(ran.code, code, "`gauntlet {arguments}`\n{}{}", ran.out, ran.err);
        assert!(
            code == 0 || !ran.out.is_empty() || !ran.err.is_empty(),
            "`gauntlet {arguments}` says nothing"
        );
    }
}

#[test]
fn a_folder_without_scenarios_is_nothing_selected() {
    let empty = folder(&[("readme.txt", "nothing here")]);
    for verb in ["run", "check"] {
        assert_eq!(ran(empty.path(), &[verb, "."], &[]).code, 4, "{verb}");
    }
}

#[test]
fn nothing_is_updated_in_continuous_integration() {
    let suite = folder(&[("sound.yaml", SOUND)]);
    let refused = ran(suite.path(), &["run", "sound.yaml", "--update"], &[("CI", "true")]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(!suite.path().join("snapshots").exists());
    for ci in ["", "false", "0"] {
        let ran = ran(suite.path(), &["run", "sound.yaml", "--update"], &[("CI", ci)]);
        assert_eq!(ran.code, 0, "CI={ci:?}: {}", ran.err);
    }
    assert!(suite.path().join("snapshots/reference/sound.snap").exists());
}

#[test]
fn a_missing_command_is_told_with_the_way_to_install_it() {
    let missing = leaves(&["run", "sound.yaml", "--gateway", "acme"], &[]);
    assert_eq!(
        missing.err,
        "gateway `acme` needs the command `acme-gateway`, which is not found\nhelp: install it: pip install acme-gateway==2.1.0\n"
    );
    assert!(missing.out.contains("INCONCLUSIVE"), "the report is there all the same: {}", missing.out);
}
