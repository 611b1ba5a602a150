//! A call that is taken back: whether the server was told is seen before the gateway goes, and its connections with it.

use crate::program::ran;
use crate::suite::folder;

/// The server never answers; only being told can end its work.
const NEVER: &str = "\
scenario: what is taken back is taken back at the server
requirement: TRANS-05
upstreams: {lab: {mock: ludus, answers: {list_hosts: {give: {}, fault: hang}}}}
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - {call: list_hosts, as: slow, answer: later}
  - cancel: slow
  - settle: slow
    expect: {upstream: {abandoned: true, arrivals: 1}}
";

#[test]
fn a_stop_of_the_gateway_takes_nothing_back() {
    let folder = folder(&[("never.yaml", NEVER)]);
    let honest = ran(folder.path(), &["run", "never.yaml"], &[]);
    assert_eq!(honest.code, 0, "{honest:?}");
    let flaw = "goes-on-with-what-was-taken-back";
    let lying = ran(folder.path(), &["run", "never.yaml", "--flaw", flaw, "--timeout", "1s"], &[]);
    assert_eq!(lying.code, 1, "{lying:?}");
    assert!(lying.out.contains("expected the server told to stop, was the server left to it"), "{lying:?}");
}
