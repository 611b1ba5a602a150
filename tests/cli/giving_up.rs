//! How long a server's answer is waited for.

use crate::program::ran;
use crate::suite::folder;

#[test]
fn a_gateway_that_declares_a_long_wait_is_not_sat_out_without_being_asked_to() {
    let scenario = "\
scenario: a server that hangs is given up
upstreams: {lab: {mock: ludus, answers: {whoami: {fault: hang}}}}
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - {call: whoami, within: gives_up, expect: failed}
";
    let profile = |declares: &str| {
        format!(
            "gateway: acme\nstart: {{command: [acme]}}\nconnect: {{stdio: {{}}}}\ndeclares: {{{declares}}}\n"
        )
    };
    let tried = |declares: &str| {
        let here = folder(&[("s.yaml", scenario), ("acme/profile.yaml", &profile(declares))]);
        ran(here.path(), &["run", "s.yaml", "--gateway", "acme"], &[])
    };
    let long = tried("gives_up: 1m");
    assert_eq!(long.code, 4, "{}{}", long.out, long.err);
    assert!(long.out.contains("slow (1m, run with --slow)"), "{}", long.out);
    let short = tried("gives_up: 2s");
    assert_eq!(short.code, 3, "there is no such program: {}{}", short.out, short.err);
    let wrong = tried("gives_up: soon");
    assert_eq!(wrong.code, 2, "{}{}", wrong.out, wrong.err);
    assert!(wrong.err.contains("`soon` is no span of time"), "{}", wrong.err);
}
