//! Steps that cannot be done, and what is said of them.

use crate::program::ran;
use crate::suite::folder;

#[test]
fn a_step_without_what_an_earlier_one_should_have_saved_says_which() {
    let scenario = "\
scenario: what is refused leaves nothing to go on with
upstreams: [ludus]
policy: {version: \"1\", default: deny, tools: {list_hosts: {}}}
steps:
  - call: get_range
    save: {left: /structuredContent/left}
  - call: list_hosts
    with: {name: \"{{ left }}\"}
";
    let here = folder(&[("s.yaml", scenario)]);
    let told = ran(here.path(), &["run", "s.yaml", "--gateway", "reference"], &[]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let why = "`{{ left }}`: nothing of that name is known here; the step of line 5 should have saved it and did not";
    assert!(told.out.contains(why), "{}", told.out);
}

#[test]
fn who_starts_a_process_for_each_session_has_none_to_be_told_to_end() {
    let scenario = "\
scenario: it ends in order
upstreams: [ludus]
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - {call: list_hosts, expect: allowed}
  - {restart: gateway, expect: orderly}
";
    let profile = "gateway: acme\nstart: {command: [acme]}\nconnect: {stdio: {}}\nhooks: {restart: {}}\n";
    let here = folder(&[("s.yaml", scenario), ("acme/profile.yaml", profile)]);
    let told = ran(here.path(), &["run", "s.yaml", "--gateway", "acme"], &[]);
    assert_eq!(told.code, 4, "{}{}", told.out, told.err);
    assert!(told.out.contains("it has no process of its own that could be told to end"), "{}", told.out);
}
