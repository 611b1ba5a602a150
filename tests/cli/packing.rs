//! Scenarios that share a start of their gateway: the same verdicts with fewer starts.

use crate::program::{Ran, ran};
use crate::suite::folder;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const PROFILE: &str = include_str!("../../gateways/reference-process/profile.yaml");
const TEMPLATE: &str = include_str!("../../gateways/reference-process/reference.yaml.j2");
const SYSTEM: [(&str, &str); 1] = [("PATH", "/usr/bin:/bin")];

/// The gateway that comes with the program, noting each of its starts in `starts`.
#[cfg(unix)]
fn noted(template: &str) -> TempDir {
    let folder = folder(&[("noted/reference.yaml.j2", template)]);
    let starts = folder.path().join("starts");
    let command = format!(
        "[sh, -c, 'echo started >> {}; exec \"$0\" \"$@\"', \"{{{{ gauntlet }}}}\", ",
        starts.display()
    );
    let profile = PROFILE.replace("command: [\"{{ gauntlet }}\", ", &format!("command: {command}"));
    assert_ne!(profile, PROFILE);
    fs::write(folder.path().join("noted/profile.yaml"), profile).unwrap();
    folder
}

fn starts(folder: &TempDir) -> usize {
    fs::read_to_string(folder.path().join("starts")).unwrap_or_default().lines().count()
}

/// What each scenario came to: its id, its status, and for each step the verdicts of its calls, in no order.
fn verdicts(ran: &Ran) -> Vec<(String, String, Vec<Vec<String>>)> {
    let outcome: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let step = |step: &Value| {
        let mut words: Vec<String> = list(&step["calls"]).iter().map(|call| text(&call["verdict"])).collect();
        words.sort();
        words
    };
    let each = |one: &Value| {
        (text(&one["id"]), text(&one["status"]), list(&one["steps"]).iter().map(step).collect())
    };
    list(&outcome["scenarios"]).iter().map(each).collect()
}

#[cfg(unix)]
#[test]
fn a_verdict_is_the_same_packed_or_not() {
    let folder = noted(TEMPLATE);
    let run = |isolate: &str| {
        let arguments = ["run", "--gateway", "noted", "--format", "json", "--isolate", isolate];
        let only = ["--only", "DENY-*", "--only", "VIS-0[1-5]*", "--only", "TRANS-0*", "--only", "RATE-01-*"];
        let before = starts(&folder);
        let ran = ran(folder.path(), &[&arguments[..], &only].concat(), &SYSTEM);
        assert_eq!(ran.code, 0, "{}", ran.err);
        (verdicts(&ran), starts(&folder) - before)
    };
    let ((alone, many), (packed, few)) = (run("scenario"), run("pack"));
    assert_eq!(alone, packed);
    assert_eq!(many, alone.len());
    assert!(few < many, "{few} starts instead of {many}");
}

#[test]
fn a_leak_is_found_packed_or_not() {
    let folder = folder(&[]);
    let run = |isolate: &str| {
        let flaw = ["run", "--flaw", "forwards-then-refuses", "--format", "json", "--isolate", isolate];
        let ran = ran(folder.path(), &[&flaw[..], &["--only", "DENY-*", "--only", "ARG-0*"]].concat(), &[]);
        assert_eq!(ran.code, 1);
        verdicts(&ran)
    };
    let packed = run("pack");
    assert_eq!(run("scenario"), packed);
    assert!(packed.iter().flat_map(|(_, _, steps)| steps.concat()).any(|verdict| verdict == "leaked"));
}

/// A scenario that denies one tool and lets another one pass.
fn denies(tool: &str) -> String {
    let policy =
        format!("{{version: \"1\", default: deny, tools: {{list_hosts: {{}}, {tool}: {{action: deny}}}}}}");
    format!(
        "scenario: s\nupstreams: [ludus]\npolicy: {policy}\nsteps:\n  - {{call: list_hosts, expect: allowed}}\n  \
         - {{call: {tool}, expect: denied}}\n"
    )
}

#[cfg(unix)]
#[test]
fn what_cannot_be_expressed_together_is_tried_apart() {
    let cannot = "{% if \"destroy_vm\" in policy.tools and \"git_sync\" in policy.tools %}{{ cannot(\"both\") }}{% endif %}";
    let folder = noted(&format!("{cannot}{TEMPLATE}"));
    let tools = ["destroy_vm", "delete_range", "git_sync", "get_range_sshconfig"];
    for (place, tool) in tools.iter().enumerate() {
        fs::write(folder.path().join(format!("s{place}.yaml")), denies(tool)).unwrap();
    }
    let files = ["s0.yaml", "s1.yaml", "s2.yaml", "s3.yaml"];
    let arguments =
        [&["run", "--gateway", "noted", "--isolate", "pack", "--format", "json"], &files[..]].concat();
    let ran = ran(folder.path(), &arguments, &SYSTEM);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        verdicts(&ran).iter().map(|(id, ..)| id.as_str()).eq(["s0", "s1", "s2", "s3"]),
        "in the plan's order"
    );
    assert_eq!(starts(&folder), 2);
}
