//! `gauntlet doctor`: what it says of gateways that are well and of those that are not, and that a draft of its makes a
//! profile whole.

use crate::odd;
use crate::program::{Ran, heard, ran, start};
use crate::suite::folder;
use mcp_gauntlet::embedded::{GATEWAYS, text};
use mcp_gauntlet::gateway::free_ports;
use mcp_gauntlet::transport::child::Talk;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A shipped profile without what the doctor can draft.
fn bare(name: &str) -> TempDir {
    let profile = text(GATEWAYS, &format!("{name}/profile.yaml")).unwrap();
    let drafted = |line: &&str| {
        ["tools:", "reads:", "declares:", "  - "].iter().any(|beginning| line.starts_with(beginning))
    };
    let profile: String =
        profile.lines().filter(|line| !drafted(line)).map(|line| format!("{line}\n")).collect();
    assert!(!profile.contains("denied") || profile.contains("audit:"), "no reading is left:\n{profile}");
    let template = text(GATEWAYS, &format!("{name}/reference.yaml.j2")).unwrap_or_default();
    folder(&[("g/profile.yaml", &profile), ("g/reference.yaml.j2", template)])
}

/// Puts a draft into the profile that it was made for.
fn mend(here: &Path) -> String {
    let draft = fs::read_to_string(here.join("draft.yaml")).unwrap();
    let profile = fs::read_to_string(here.join("g/profile.yaml")).unwrap();
    fs::write(here.join("g/profile.yaml"), format!("{profile}{draft}")).unwrap();
    draft
}

fn is_mended_by_the_draft(here: &Path) -> String {
    let doctor = |draft: bool| {
        let flags: &[&str] = if draft { &["--draft", "draft.yaml"] } else { &[] };
        ran(here, &[&["doctor", "./g"], flags].concat(), &[])
    };
    let before = doctor(true);
    assert_eq!(before.code, 1, "{}{}", before.out, before.err);
    assert!(
        before.out.contains("WRONG  denied call") && before.out.contains("draft for the profile:"),
        "{}",
        before.out
    );
    let draft = mend(here);
    assert!(before.out.ends_with(&draft), "what is written is what is shown");
    let checked = ran(here, &["check", "g"], &[]);
    assert_eq!(checked.code, 0, "{}\n{draft}", checked.err);
    let after = doctor(false);
    assert_eq!(after.code, 0, "{}\n{draft}", after.out);
    assert!(after.out.ends_with("all is well\n"), "nothing is left to draft:\n{}", after.out);
    draft
}

#[test]
fn a_draft_makes_a_profile_whole_whatever_the_style_of_approval() {
    for name in ["reference", "reference-held", "reference-elicited", "reference-input-required"] {
        let draft = is_mended_by_the_draft(bare(name).path());
        let pending = draft.contains("- pending: {rpc_error: {code: -32011");
        assert_eq!(
            pending,
            name == "reference",
            "only a call that is to be repeated says that it waits:\n{draft}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_draft_makes_the_profile_of_a_process_whole() {
    let draft = is_mended_by_the_draft(bare("reference-process").path());
    insta::assert_snapshot!(draft, @r"
    tools: '{% if upstreams | length > 1 %}{{ upstream }}-{{ tool }}{% else %}{{ tool }}{% endif %}'
    reads: # the first that matches wins: these stand before others
      - limited: {error_result: '(?s)^rate limited: retry in (?<retry_after>[0-9.]+)s \(/.*\)$'}
      - pending: {rpc_error: {code: -32011, message: '^approval required: repeat the call once it is approved$', data: {approval: '^(?<approval>[^\s]+)$'}}}
      - denied: {error_result: '(?s)^denied by policy: (?<reason>.*) \(/.*\)$'}
      - failed: {rpc_error: {code: -32000, message: '(?s)^the upstream cannot be reached: .*: connection .*$'}}
    declares: {window: fixed, batch: reject, missing_argument: allow, refund: [unreachable], counts: calls, eras: [legacy, modern], names: when_needed, counters_shared: true, counters_survive: false, denied_are_listed: true, drift: withheld, records: everything}
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_unlike_others_is_understood() {
    let (address, stop, serving) = odd::stand().await;
    let profile = odd::PROFILE.replace("ADDRESS", &address.to_string());
    let here = folder(&[("g/profile.yaml", &profile)]);
    let path = here.path().to_owned();
    let draft = tokio::task::spawn_blocking(move || is_mended_by_the_draft(&path)).await.unwrap();
    insta::assert_snapshot!(draft, @r"
    tools: '{{ upstream }}.{{ tool | replace(''_'', ''-'') }}'
    reads: # the first that matches wins: these stand before others
      - limited: {http: {status: 503, body: '^slow down, [0-9.]+ is enough; come back in (?<retry_after>[0-9.]+) seconds'}}
      - unknown: {http: {status: 404, body: '(?s)^who is .*\?'}}
      - denied: {http: {status: 403, body: '(?s)^no way, .*: (?<reason>.*)'}}
    declares: {batch: reject, refund: [], counts: calls, eras: [legacy], names: rewritten, counters_shared: true, denied_are_listed: true, drift: ignored}
    ");
    stop.cancel();
    serving.await.unwrap();
}

/// What the doctor says of the odd gateway, with a line more among the headers of its profile.
async fn told_of_an_odd_one(header: &str, reads: &str) -> Ran {
    let (address, stop, serving) = odd::stand().await;
    let profile = odd::PROFILE.replace("ADDRESS", &address.to_string());
    let profile = profile.replacen("headers:\n", &format!("headers:\n    {header}\n"), 1);
    assert!(profile.contains(header), "{profile}");
    let here = folder(&[("g/profile.yaml", &format!("{profile}{reads}"))]);
    let path = here.path().to_owned();
    let told = tokio::task::spawn_blocking(move || ran(&path, &["doctor", "./g"], &[])).await.unwrap();
    stop.cancel();
    serving.await.unwrap();
    told
}

fn has_lines(told: &Ran, lines: &[&str]) {
    for line in lines {
        assert!(told.out.contains(line), "`{line}` is not in\n{}{}", told.out, told.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_on_its_way_is_not_laid_to_the_profile() {
    let unclaimed = told_of_an_odd_one("X-Loses: the answer", "").await;
    assert_eq!(unclaimed.code, 1, "{}", unclaimed.err);
    has_lines(
        &unclaimed,
        &[
            "WRONG  allowed call                it ran, and the agent got an error that no rule of `reads` claims",
            "agent    200  result isError  \"the answer has no schema\"",
            "lab      1 execution of list_hosts {}",
            "WRONG  error of a server           it ran, and the agent got an error that no rule of `reads` claims",
        ],
    );
    assert!(!unclaimed.out.contains("a rule of `reads` claims"), "{}", unclaimed.out);
    let claimed = told_of_an_odd_one(
        "X-Loses: the answer",
        "reads: [{failed: {error_result: '^the answer has no'}}]\n",
    );
    has_lines(
        &claimed.await,
        &["WRONG  allowed call                it ran, and rule 1 of `reads` takes the answer for `failed`"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_comes_back_as_none_is_no_error_that_is_handed_on() {
    let told = told_of_an_odd_one("X-Loses: the error", "").await;
    has_lines(
        &told,
        &[
            "ok     allowed call                arrived once, and its answer came back as it was",
            "WRONG  error of a server           it came back, and was changed on the way",
            "changed  answer /isError true → false",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_has_no_default_of_deny_is_examined_all_the_same() {
    let header = "X-None: \"{{ cannot('a default of deny') if policy.default == 'deny' else '' }}\"";
    let told = told_of_an_odd_one(header, "").await;
    has_lines(
        &told,
        &[
            "ok     allowed call                arrived once, and its answer came back as it was",
            "WRONG  denied call                 blocked, and no rule of `reads` knows the denial",
            "-      call without a rule         not measured: it cannot express a default of deny",
            "WRONG  call over the limit         blocked, and no rule of `reads` knows the limit",
            "  - denied: {http: {status: 403, body: '(?s)^no way, .*: (?<reason>.*)'}}",
        ],
    );
    let none = told_of_an_odd_one("X-None: \"{{ cannot('rules') if policy.tools else '' }}\"", "").await;
    has_lines(
        &none,
        &[
            "ok     allowed call                arrived once, and its answer came back as it was",
            "-      denied call                 not measured: it cannot express rules",
            "-      declares denied_are_listed  not measured: it cannot be told to deny a tool",
        ],
    );
}

#[cfg(unix)]
#[test]
fn what_a_gateway_says_on_stdio_that_is_no_frame_is_shown() {
    let profile = "gateway: mute\nconnect: {stdio: {}}\nstart:\n  command: [sh, -c, \"echo 'policy schema errors: version should be 0.1'; exit 1\"]\n";
    let here = folder(&[("g/profile.yaml", profile)]);
    let told = ran(here.path(), &["doctor", "./g"], &[("PATH", "/usr/bin:/bin")]);
    has_lines(
        &told,
        &[
            "WRONG  start  gateway `mute` ended with exit status: 1 before it was ready; its last words:",
            "         policy schema errors: version should be 0.1",
        ],
    );
    assert_eq!(told.code, 3, "{}", told.out);
    let answer = r#"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"no\"}}"#;
    let curt = format!(
        "gateway: curt\nconnect: {{stdio: {{}}}}\nstart:\n  command: [sh, -c, \"while read -r line; do echo '{answer}'; done\"]\n"
    );
    let here = folder(&[("g/profile.yaml", &curt)]);
    let told = ran(here.path(), &["doctor", "./g"], &[("PATH", "/usr/bin:/bin")]);
    has_lines(&told, &["refuses `initialize`", "does it speak MCP on its standard output"]);
    assert!(!told.out.contains("address at which it listens"), "{}", told.out);
}

/// What is said of the odd gateway, driven by its profile with that change.
async fn of_the_odd_one(change: fn(String) -> String) -> Ran {
    let (address, stop, serving) = odd::stand().await;
    let profile = change(odd::PROFILE.replace("ADDRESS", &address.to_string()));
    let here = folder(&[("g/profile.yaml", &profile)]);
    let path = here.path().to_owned();
    let told = tokio::task::spawn_blocking(move || ran(&path, &["doctor", "./g"], &[])).await.unwrap();
    stop.cancel();
    serving.await.unwrap();
    told
}

/// With a header more, and its tools called as it calls them.
fn with(profile: &str, header: &str) -> String {
    format!(
        "{}tools: '{{{{ upstream }}}}.{{{{ tool | replace(''_'', ''-'') }}}}'\n",
        profile.replace("  headers:\n", &format!("  headers:\n    {header}\n"))
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_refuses_calls_before_a_list_is_understood_and_driven() {
    let told = of_the_odd_one(|profile| with(&profile, "X-Lists-First: 'yes'")).await;
    let line = "WRONG  call before a list          refused until the tools were listed in its session";
    assert!(told.out.contains(line) && told.out.contains("nobody asked for the list"), "{}", told.out);
    let draft =
        "draft for the profile:\n\nconnect: {lists_first: true} # beside the members that stand there\n";
    assert!(told.out.contains(draft), "{}", told.out);
    assert!(
        told.out.contains("denied call                 blocked, and no rule"),
        "the rest is looked at:\n{}",
        told.out
    );
    let told = of_the_odd_one(|profile| {
        with(&profile, "X-Lists-First: 'yes'").replace("connect:\n", "connect:\n  lists_first: true\n")
    })
    .await;
    assert!(!told.out.contains("call before a list") && !told.out.contains("lists_first"), "{}", told.out);
    assert!(told.out.contains("ok     allowed call"), "{}", told.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_is_told_in_the_era_that_is_declared() {
    let told =
        of_the_odd_one(|profile| with(&profile, "X-Modern-Only: 'yes'") + "declares: {eras: [modern]}\n")
            .await;
    for line in [
        "WRONG  list of tools    it runs, and refuses `tools/list`",
        "agent    401  not a response: {\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32011,",
        "is the credential in `connect.headers` the one that its configuration has?",
    ] {
        assert!(told.out.contains(line), "`{line}` is not in\n{}", told.out);
    }
    assert!(!told.out.contains("initialize"), "{}", told.out);
}

fn told(arguments: &[&str]) -> Ran {
    ran(folder(&[]).path(), &[&["doctor"], arguments].concat(), &[])
}

#[test]
fn a_gateway_that_enforces_nothing_is_told_what_got_through() {
    let told = told(&["direct"]);
    assert_eq!(told.code, 1, "{}", told.err);
    for line in [
        "ok     allowed call                arrived once, and its answer came back as it was",
        "WRONG  denied call                 it got through: the policy is not applied",
        "lab      1 execution of destroy_vm {\"vm_id\":\"104\"}",
        "the profile has no `files`: nothing tells the gateway what the policy is",
        "WRONG  hidden tool                 expected the list as described, was `delete_range` is listed",
        "WRONG  call over the limit         5 calls got through a limit of 3",
        "WRONG  approval                    the call ran before anybody had decided",
    ] {
        assert!(told.out.contains(line), "`{line}` is not in\n{}", told.out);
    }
}

#[test]
fn a_gateway_that_lies_is_not_believed() {
    for (flaw, line) in [
        ("forwards-then-refuses", "WRONG  denied call                 it was refused, and ran all the same"),
        ("admits-one-more", "WRONG  call over the limit         4 calls got through a limit of 3"),
        (
            "lists-what-is-hidden",
            "WRONG  hidden tool                 expected the list as described, was `delete_range` is listed",
        ),
    ] {
        let told = told(&["reference", "--flaw", flaw]);
        assert_eq!(told.code, 1, "{flaw}: {}{}", told.out, told.err);
        assert!(told.out.contains(line), "{flaw}: `{line}` is not in\n{}", told.out);
    }
}

#[test]
fn a_wrong_word_in_declares_is_told() {
    let profile = text(GATEWAYS, "reference-held/profile.yaml").unwrap();
    let profile = profile
        .replace("counts: calls", "counts: messages")
        .replace("missing_argument: allow", "missing_argument: deny");
    let here = folder(&[("g/profile.yaml", &profile)]);
    let told = ran(here.path(), &["doctor", "g"], &[]);
    assert_eq!(told.code, 1, "{}", told.err);
    assert!(
        told.out.contains("WRONG  declares missing_argument   measured allow, declared deny"),
        "{}",
        told.out
    );
    assert!(
        told.out.contains("WRONG  declares counts             measured calls, declared messages"),
        "{}",
        told.out
    );
    assert!(
        told.out.contains("missing_argument: allow, refund: [unreachable], counts: calls, "),
        "{}",
        told.out
    );
}

#[cfg(unix)]
#[test]
fn a_gateway_that_does_not_start_is_told_with_what_it_was_given() {
    let profile = |start: &str| {
        format!(
            "gateway: acme\ninstall: pip install acme==1\nstart: {start}\nfiles: {{policy: {{template: p.j2, name: p.json}}}}\n\
             connect: {{http: 'http://127.0.0.1:{{{{ port }}}}/mcp'}}\n"
        )
    };
    let template = "{{ identities[0].document | tojson }}";
    for (start, lines) in [
        (
            "{command: [no-such-acme], ready: {line: up}}",
            &["needs the command `no-such-acme`", "help: install it: pip install acme==1"][..],
        ),
        (
            "{command: [sh, -c, 'echo no license >&2; exit 9'], ready: {line: up}}",
            &["ended with exit status: 9", "no license"],
        ),
        (
            "{command: [sh, -c, 'echo loading; exec sleep 1000'], ready: {line: up, within: 300ms}}",
            &[
                "was not ready within 300ms",
                "loading",
                "the sign of `start.ready` never came",
                "\"destroy_vm\": {\"action\": \"deny\"",
            ],
        ),
    ] {
        let here = folder(&[("acme/profile.yaml", &profile(start)), ("acme/p.j2", template)]);
        let told = ran(
            here.path(),
            &["doctor", "acme"],
            &[("PATH", "/usr/bin:/bin"), ("TMPDIR", &here.path().display().to_string())],
        );
        assert_eq!(told.code, 3, "{}{}", told.out, told.err);
        for line in lines {
            assert!(told.out.contains(line), "`{line}` is not in\n{}", told.out);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_runs_already_is_seen_from_the_agents_side_alone() {
    let policy = r#"{"version":"1","default":"deny","tools":{"list_hosts":{}}}"#;
    let here = folder(&[("alice.json", policy)]);
    let arguments = [
        "gateway",
        "--grant",
        "alice=alice.json",
        "--upstream",
        "lab=mock:ludus",
        "--http",
        "0",
        "--audit",
        "audit.jsonl",
    ];
    let gateway = start(here.path(), &arguments, &[("GAUNTLET_TOKEN_ALICE", "open-sesame")], Talk::Words);
    let url = heard(&gateway, "listening on ").await;
    let path = here.path().to_owned();
    let doctor = move |token: &str| {
        let arguments = ["doctor", "--url", &url, "--header", "Authorization: Bearer ${ALICE}"];
        ran(&path, &arguments, &[("ALICE", token)])
    };
    let asked =
        tokio::task::spawn_blocking(move || (doctor("open-sesame"), doctor("guessed"))).await.unwrap();
    let (seen, refused) = asked;
    assert_eq!(seen.code, 0, "{}{}", seen.out, seen.err);
    for line in [
        "ok     server behind it  looks like `ludus` (201 of 201 tools), called `{{ tool }}`",
        "note   unknown tool      refused: ",
        "note   declares eras     [legacy, modern]",
        "-      everything else   not measured",
    ] {
        assert!(seen.out.contains(line), "`{line}` is not in\n{}", seen.out);
    }
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    assert!(
        refused.out.contains("it runs, and refuses `initialize`\n         agent    401"),
        "{}",
        refused.out
    );
    for told in [&seen, &refused] {
        assert!(!told.out.contains("open-sesame") && !told.out.contains("guessed"), "{}", told.out);
    }
    gateway.stop(crate::program::ENOUGH).await;
    let audit = fs::read_to_string(here.path().join("audit.jsonl")).unwrap();
    let called: Vec<&str> = audit.lines().filter(|line| line.contains("\"about\":\"call\"")).collect();
    assert!(
        !called.is_empty() && called.iter().all(|line| line.contains("gauntlet_no_such_tool")),
        "{audit}"
    );
}

/// A gateway that somebody else started with what `render doctor` says, its policy perhaps changed by hand; gives what the
/// doctor says of it.
async fn told_of_one_that_runs(policy_of: impl FnOnce(String) -> String) -> Ran {
    let here = folder(&[]);
    let free = format!("127.0.0.1:{}", free_ports().unwrap().0);
    let rendered = ran(here.path(), &["render", "doctor", "--for", "reference"], &[]);
    assert_eq!(rendered.code, 0, "{}", rendered.err);
    assert!(rendered.err.contains("5 of 5 fit together"), "{}", rendered.err);
    fs::write(here.path().join("policy.json"), policy_of(rendered.out)).unwrap();
    let upstream = format!("lab=http://{free}/mcp");
    let arguments = ["gateway", "--policy", "policy.json", "--upstream", &upstream, "--http", "0"];
    let gateway = start(here.path(), &arguments, &[], Talk::Words);
    let url = heard(&gateway, "listening on ").await;
    let path = here.path().to_owned();
    let doctor = move || ran(&path, &["doctor", "reference", "--url", &url, "--listen", &free], &[]);
    let told = tokio::task::spawn_blocking(doctor).await.unwrap();
    gateway.stop(crate::program::ENOUGH).await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_runs_already_with_our_mock_behind_it_is_seen_from_both_sides() {
    let told = told_of_one_that_runs(|policy| policy).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    for line in [
        "ok     allowed call                arrived once, and its answer came back as it was",
        "ok     denied call                 blocked, and told as a denial",
        "ok     denied argument             blocked, and told as a denial",
        "ok     hidden tool                 not listed",
        "ok     call over the limit         blocked after three, and told as a limit",
        "-      declares window             not measured: it runs with one policy",
    ] {
        assert!(told.out.contains(line), "`{line}` is not in\n{}", told.out);
    }
    let told = told_of_one_that_runs(|policy| {
        let let_through = policy.replace("\"action\": \"deny\"", "\"action\": \"allow\"");
        assert_ne!(let_through, policy);
        let_through
    });
    let told = told.await;
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    for line in [
        "WRONG  denied call                 it got through: the policy is not applied",
        "lab      1 execution of destroy_vm {\"vm_id\":\"104\"}",
        "does it run with what `gauntlet render doctor --for ...` prints?",
    ] {
        assert!(told.out.contains(line), "`{line}` is not in\n{}", told.out);
    }
    let told = told_of_one_that_runs(|policy| policy.replace("list_hosts", "nothing")).await;
    assert_eq!(told.code, 3, "{}{}", told.out, told.err);
    assert!(told.out.contains("WRONG  first call  no call comes through the gateway"), "{}", told.out);
    assert!(!told.out.contains("denied call"), "{}", told.out);
}

#[test]
fn what_cannot_be_asked_is_a_mistake() {
    for (arguments, why) in [
        (&["nobody"][..], "no gateway `nobody`"),
        (&["--url", "https:///mcp"], "is no address such as"),
        (&["--url", "http://127.0.0.1:1/mcp", "--header", "A: ${NOPE}"], "the environment has no `NOPE`"),
        (&["direct", "--flaw", "forwards-then-refuses"], "not for `direct`"),
        (&["direct", "--listen", "127.0.0.1:7700"], "help: say where it is with `--url`"),
        (&["--url", "http://127.0.0.1:1/mcp", "--header", "A B: c"], "`--header A B: ...` cannot be sent"),
        (&["--url", "http://127.0.0.1:1/mcp", "--public-url", "ludus=http://x/mcp"], "known are `lab`"),
    ] {
        let told = told(arguments);
        assert_eq!(told.code, 2, "{}{}", told.out, told.err);
        assert!(told.err.contains(why), "{}", told.err);
    }
    let lost = told(&["--url", "http://127.0.0.1:1/mcp"]);
    assert_eq!(lost.code, 3, "{}{}", lost.out, lost.err);
    assert!(lost.out.contains("it cannot be spoken to"), "{}", lost.out);
}
