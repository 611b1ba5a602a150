//! `gauntlet gateway`.

use crate::program::{ENOUGH, heard, run, start};
use mcp_gauntlet::transport::child::{Child, Talk};
use mcp_gauntlet::transport::http_client::{HttpClient, Outgoing};
use mcp_gauntlet::wire::{Json, Message, parse};
use mcp_gauntlet::witness::{Ask, Opening, Session, Target};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

const LAB: [&str; 3] = ["gateway", "--upstream", "lab=mock:ludus"];

/// A folder with `policy.json` in it, in which that happens to `destroy_vm`.
fn folder(rule: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.json"), policy(rule)).unwrap();
    folder
}

/// Puts a text in the place of another, at once: who watches never sees half of it.
fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(&fresh, path).unwrap();
}

fn policy(rule: &str) -> String {
    format!(
        "{{\"version\": \"1\", \"default\": \"deny\",\n  \"tools\": {{\"list_hosts\": {{}}, \"destroy_vm\": {rule}}}}}\n"
    )
}

const DENIED: &str = r#"{"action": "deny", "reason": "by people"}"#;

/// A gateway on a free port, and its address.
async fn serving(folder: &Path, more: &[&str]) -> (Child, String) {
    let arguments = [&LAB[..], &["--policy", "policy.json", "--http", "0"], more].concat();
    let child = start(folder, &arguments, &[], Talk::Words);
    let url = heard(&child, "listening on ").await;
    (child, url)
}

async fn session(url: &str, token: Option<&str>) -> Session {
    let headers =
        token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).into_iter().collect();
    let opening = Opening { notices: false, patience: ENOUGH, ..Opening::default() };
    Session::open(Target::Http { url: url.to_owned(), headers }, opening).await.unwrap()
}

/// What a call of `destroy_vm` is answered with: the text of its result, or the error.
async fn destroy(session: &Session) -> String {
    let arguments = parse(br#"{"vm_id": "104"}"#).unwrap();
    let exchange = session.start(Ask::call("destroy_vm", arguments)).wait(ENOUGH).await;
    match exchange.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => {
            result.pointer("/content/0/text").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        Some(Message::Response { outcome: Err(error), .. }) => error
            .data
            .as_ref()
            .and_then(|more| Some(more.get("approval")?.as_str()?.to_owned()))
            .unwrap_or_else(|| error.message.clone()),
        other => panic!("no answer: {other:?}"),
    }
}

fn audit(folder: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(folder.join("audit.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    lines.map(|line| (word(&line["decision"]), word(&line["tool"]))).collect()
}

#[test]
fn a_policy_with_a_mistake_is_drawn_and_nothing_starts() {
    let folder = folder(r#"{"acton": "deny"}"#);
    let (code, said) = run(folder.path(), &[&LAB[..], &["--policy", "policy.json"]].concat());
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @r#"
    error: unknown member `acton`
     --> policy.json:2:46
      |
    2 |   "tools": {"list_hosts": {}, "destroy_vm": {"acton": "deny"}}}
      |                                              ^^^^^^^
      |
      = help: did you mean `action`?
    "#);
}

#[test]
fn what_is_missing_is_said_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) =
        run(folder.path(), &["gateway", "--policy", "policy.json", "--upstream", "lab=mock:lduus"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @r"
    error: unknown mock `lduus`
     --> --upstream:1:10
      |
    1 | lab=mock:lduus
      |          ^^^^^
      |
      = help: did you mean `ludus`?

    error: cannot be read: No such file or directory (os error 2)
    --> policy.json
    ");
    assert_eq!(run(folder.path(), &["gateway"]).0, 2);
}

#[test]
fn a_port_in_use_is_trouble_of_the_world() {
    let folder = folder(DENIED);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--http", "--decisions"] {
        let (code, said) =
            run(folder.path(), &[&LAB[..], &["--policy", "policy.json", flag, &address]].concat());
        assert_eq!(code, 3);
        assert!(said.starts_with(&format!("{address} cannot be listened on: ")), "{said}");
    }
    let (code, said) =
        run(folder.path(), &[&LAB[..], &["--policy", "policy.json", "--audit", "no/such/folder"]].concat());
    assert_eq!(code, 3);
    assert!(said.starts_with("`no/such/folder` cannot be written: "), "{said}");
}

#[test]
fn a_file_of_pins_that_cannot_be_one_is_refused_at_the_start() {
    let folder = folder(DENIED);
    let start = |pins: &[&str]| run(folder.path(), &[&LAB[..], &["--policy", "policy.json"], pins].concat());
    let (code, said) = start(&["--pins", "no/such/folder"]);
    assert_eq!(code, 3);
    assert!(said.starts_with("`no/such/folder` cannot be read and written: "), "{said}");
    let sound = r#"{"identity":"a","upstream":"lab","tool":"b","entry":{}}"#;
    fs::write(folder.path().join("pins.jsonl"), format!("{sound}\n{{\"tool\":\"\u{200b}\"}}\n")).unwrap();
    let (code, said) = start(&["--pins", "pins.jsonl"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @r#"
    `pins.jsonl:2` is no pin, it does not say whose tool it is about: `{"tool":"\u{200b}"}`
    help: name another file, or delete the line: its tool is pinned anew when it is listed again
    "#);
    fs::write(folder.path().join("pins.jsonl"), &sound[..40]).unwrap();
    let (code, said) = start(&["--pins", "pins.jsonl"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @r#"
    `pins.jsonl:1` is no pin, it has no end: `{"identity":"a","upstream":"lab","tool":`
    help: name another file, or delete the line: its tool is pinned anew when it is listed again
    "#);
    let (code, said) = start(&["--pins", "a.jsonl", "--audit", "a.jsonl"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @r"
    error: records and pins need a file each, and this is the one of the records
     --> --pins:1:1
      |
    1 | a.jsonl
      | ^^^^^^^
    ");
}

#[tokio::test]
async fn an_agent_on_stdio_is_served_and_recorded_until_it_leaves() {
    let folder = folder(DENIED);
    let arguments = [&LAB[..], &["--policy", "policy.json", "--audit", "audit.jsonl"]].concat();
    let mut child = start(folder.path(), &arguments, &[], Talk::Frames);
    let (reader, writer) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let opening = Opening { patience: ENOUGH, ..Opening::default() };
    let session = Session::open(Target::Stdio { reader, writer: writer.clone() }, opening).await.unwrap();
    assert_eq!(destroy(&session).await, "denied by policy: by people (/tools/destroy_vm/action)");
    let hosts = session.start(Ask::call("list_hosts", Json::object())).wait(ENOUGH).await;
    let Some(Message::Response { outcome: Ok(hosts), .. }) = hosts.response() else {
        panic!("no hosts: {hosts:?}")
    };
    assert!(hosts.to_string().contains("LAB-DC01"));
    session.close().await;
    writer.close().await.unwrap();
    assert!(child.exited().await.unwrap().success());
    let decided = [("denied", "destroy_vm"), ("allowed", "list_hosts")];
    assert_eq!(audit(folder.path()), decided.map(|(decision, tool)| (decision.to_owned(), tool.to_owned())));
}

#[tokio::test]
async fn a_changed_policy_is_taken_over_and_a_broken_one_is_not() {
    let folder = folder(DENIED);
    let (child, url) = serving(folder.path(), &[]).await;
    let session = session(&url, None).await;
    assert!(destroy(&session).await.contains("by people"));
    replace(&folder.path().join("policy.json"), "{\"version\": \"1\",");
    heard(&child, "the policies as they were stay in force").await;
    assert!(child.last_words().contains("--> policy.json:1:16"), "{}", child.last_words());
    assert!(destroy(&session).await.contains("by people"));
    fs::remove_file(folder.path().join("policy.json")).unwrap();
    heard(&child, "cannot be read: No such file").await;
    assert!(destroy(&session).await.contains("by people"));
    replace(&folder.path().join("policy.json"), &policy("{}"));
    heard(&child, "the policies were read again").await;
    assert!(destroy(&session).await.contains("was destroyed"));
    child.stop(ENOUGH).await;
}

#[tokio::test]
async fn a_person_decides_at_an_address_apart() {
    let folder = folder(r#"{"action": "require_approval", "approval": {"timeout": 600}}"#);
    let (child, url) = serving(folder.path(), &["--audit", "audit.jsonl"]).await;
    let (page, token) =
        (heard(&child, "approvals are decided at ").await, heard(&child, "with the token ").await);
    let session = session(&url, None).await;
    let approval = destroy(&session).await;
    let ask = async |token: &str| {
        let (method, url) = (http::Method::POST, format!("{page}/{approval}/approve"));
        let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
        HttpClient::new()
            .send(Outgoing { method, url, headers, body: Default::default() })
            .await
            .unwrap()
            .status
    };
    assert_eq!(ask("guessed").await, 401);
    assert_eq!(ask(&token).await, 200);
    assert!(destroy(&session).await.contains("was destroyed"));
    let decisions: Vec<String> = audit(folder.path()).into_iter().map(|(decision, _)| decision).collect();
    assert_eq!(decisions, ["pending", "approved", "allowed"]);
    child.stop(ENOUGH).await;
}

const SETTINGS: &str = r#"
listen: "127.0.0.1:${PORT:-0}"
upstreams: {lab: {mock: ludus}}
approvals: {channel: held, token: "${APPROVER}"}
audit: {file: audit.jsonl}
grants:
  - {identity: alice, token: "${ALICE}", policy: policy.json}
  - identity: bob
    token: "${BOB}"
    policy: {version: "1", default: deny, tools: {destroy_vm: {action: deny, reason: not bob}}}
"#;

#[tokio::test]
async fn one_file_says_it_all_and_who_is_left_out_of_it_is_out() {
    let folder = folder(DENIED);
    let settings = folder.path().join("reference.yaml");
    fs::write(&settings, SETTINGS).unwrap();
    let environment = [("ALICE", "a-token"), ("BOB", "b-token"), ("APPROVER", "secret")];
    let child = start(folder.path(), &["gateway", "--config", "reference.yaml"], &environment, Talk::Words);
    let url = heard(&child, "listening on ").await;
    assert!(!child.last_words().contains("secret"), "{}", child.last_words());
    let (alice, bob) = (session(&url, Some("a-token")).await, session(&url, Some("b-token")).await);
    assert!(destroy(&alice).await.contains("by people"));
    assert!(destroy(&bob).await.contains("not bob"));
    let kept = SETTINGS.split("  - identity: bob").next().unwrap();
    replace(&settings, kept);
    heard(&child, "the policies were read again").await;
    assert!(destroy(&alice).await.contains("by people"));
    let shut_out = bob.start(Ask::call("destroy_vm", Json::object())).wait(ENOUGH).await;
    assert_eq!(shut_out.http.map(|head| head.status), Some(401));
    replace(&settings, &kept.replace("mock: ludus", "mock: velociraptor"));
    heard(&child, "the rest waits for the next start").await;
    child.stop(ENOUGH).await;
}

#[test]
fn a_variable_that_is_missing_is_told_at_its_place() {
    let folder = folder(DENIED);
    fs::write(folder.path().join("reference.yaml"), SETTINGS).unwrap();
    let (code, said) = run(folder.path(), &["gateway", "--config", "reference.yaml"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @r#"
    error: the environment has no `APPROVER`
     --> reference.yaml:4:35
      |
    4 | approvals: {channel: held, token: "${APPROVER}"}
      |                                   ^^^^^^^^^^^^^
      |
      = help: set it, or write `${APPROVER:-default}`

    error: the environment has no `ALICE`
     --> reference.yaml:7:30
      |
    7 |   - {identity: alice, token: "${ALICE}", policy: policy.json}
      |                              ^^^^^^^^^^
      |
      = help: set it, or write `${ALICE:-default}`

    error: the environment has no `BOB`
     --> reference.yaml:9:12
      |
    9 |     token: "${BOB}"
      |            ^^^^^^^^
      |
      = help: set it, or write `${BOB:-default}`
    "#);
}

#[test]
fn every_mistake_of_the_settings_is_told_at_once() {
    let folder = folder(DENIED);
    let settings = "listen: nowhere\nupstreams:\n  a/b: {mock: lduus}\n  lab: {url: \"http://127.0.0.1:9/mcp\", command: [x]}\n  \
        far: {url: \"https://me:x@lab.test/mcp\"}\n  odd: {command: [x], headers: {A: b}}\ngrants:\n  - {identity: alice, token: t, policy: {version: \"1\", default: dny}}\n  \
        - {identity: bob, token: t}\nupstream_timeout: soon\naudit: {file: a.jsonl}\npins: {file: a.jsonl}\n";
    fs::write(folder.path().join("reference.yaml"), settings).unwrap();
    let (code, said) = run(folder.path(), &["gateway", "--config", "reference.yaml"]);
    assert_eq!(code, 2);
    let complaints: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    insta::assert_snapshot!(complaints.join("\n"), @r"
    error: `nowhere` is no address such as `127.0.0.1:8080`
    error: `a/b` is no name for an upstream: it is empty, or has spaces or slashes in it
    error: unknown mock `lduus`
    error: exactly one of `mock`, `url` and `command` says what it is
    error: an address has no place for a credential
    error: `headers` means nothing here
    error: unknown word `dny`
    error: `alice` and `bob` have the same token
    error: `soon` is no span of time such as `30s`
    error: records and pins need a file each, and this is the one of the records
    ");
    fs::write(folder.path().join("reference.yaml"), "lisen: 80\nupstreams: {}\ngrants: []\n").unwrap();
    let (_, said) = run(folder.path(), &["gateway", "--config", "reference.yaml"]);
    assert!(said.contains("unknown member `lisen`") && said.contains("did you mean `listen`?"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn whoever_ends_it_its_servers_are_gone_with_it() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    for (signal, code) in [(Signal::SIGTERM, 0), (Signal::SIGINT, 130)] {
        let folder = folder(DENIED);
        let server = folder.path().join("server.sh");
        fs::write(
            &server,
            format!("echo $$ > number\nexec '{}' mock ludus\n", env!("CARGO_BIN_EXE_gauntlet")),
        )
        .unwrap();
        let arguments = [
            "gateway",
            "--upstream",
            "lab=stdio:/bin/sh server.sh",
            "--policy",
            "policy.json",
            "--http",
            "0",
        ];
        let mut child = start(folder.path(), &arguments, &[], Talk::Words);
        let session = session(&heard(&child, "listening on ").await, None).await;
        let hosts = session.start(Ask::call("list_hosts", Json::object())).wait(ENOUGH).await;
        assert!(hosts.response().is_some(), "{hosts:?}");
        let number: i32 = fs::read_to_string(folder.path().join("number")).unwrap().trim().parse().unwrap();
        assert!(kill(Pid::from_raw(number), None).is_ok());
        kill(Pid::from_raw(child.pid().try_into().unwrap()), signal).unwrap();
        assert_eq!(child.exited().await.unwrap().code(), Some(code));
        assert!(kill(Pid::from_raw(number), None).is_err(), "the server is still there after {signal}");
    }
}

/// Each way in which the gateway can be started, reached, and asked for approvals.
#[test]
fn every_shipped_profile_of_it_holds_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    for profile in ["process", "stdio", "held", "elicited", "input-required"] {
        let gateway = format!("reference-{profile}");
        let only =
            ["--only", "DENY-01", "--only", "APPR-02-approved-runs-once", "--only", "APPR-03-rejected"];
        let (code, said) = run(folder.path(), &[&["run", "--gateway", &gateway][..], &only].concat());
        assert_eq!(code, 0, "{gateway}: {said}");
    }
}

/// Where each session is a process, and where the one process was started again.
#[test]
fn what_it_pinned_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    for (profile, scenario) in
        [("stdio", "silent-rug-pull-in-a-new-session"), ("process", "SUP-01-changed-over-a-restart")]
    {
        let gateway = format!("reference-{profile}");
        let (code, said) = run(folder.path(), &["run", "--gateway", &gateway, "--only", scenario]);
        assert_eq!(code, 0, "{gateway}: {said}");
    }
}

#[test]
fn every_schema_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    for of in ["scenario", "policy", "profile", "mock", "mock-offers", "mock-server", "reference"] {
        let ran = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["schema", of])
            .current_dir(&folder)
            .env_clear()
            .output();
        let schema: serde_json::Value = serde_json::from_slice(&ran.unwrap().stdout).unwrap();
        assert!(schema["$schema"].is_string(), "{of}");
    }
}
