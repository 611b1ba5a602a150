//! Pins that outlive a gateway, and gateways that share them.

use super::lab::*;
use crate::reference::*;
use crate::wire::rpc;
use std::fs;
use std::path::Path;

const PINNED: &str = r#"{"version":"1","default":"allow","pin":true}"#;
const WHOLE: &str = "list destroy deploy secret";
const LESS: &str = "destroy deploy secret";

/// A gateway before that server that keeps its pins in that file.
async fn lab(server: &Server, file: &Path, twist: fn(&mut Conduct)) -> Lab {
    let pins = PinStore::File(file.to_owned());
    Plan { servers: vec![("lab", server.clone())], pins, ..Plan::new(PINNED, twist) }.start().await
}

fn change(server: &Server) {
    server.tools.lock().unwrap()[0] = entry("list", "changed");
}

#[tokio::test]
async fn a_change_across_a_restart_is_withheld_and_a_liar_forgets() {
    for (twist, expected) in
        [(honest as fn(&mut Conduct), LESS), (|conduct| conduct.recalls = || false, WHOLE)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (server, file) = (Server::start().await, folder.path().join("pins.jsonl"));
        let first = lab(&server, &file, twist).await;
        assert_eq!(first.agent("alice").await.list().await, WHOLE);
        first.gateway.end().await;
        change(&server);
        let second = lab(&server, &file, twist).await;
        assert_eq!(second.agent("alice").await.list().await, expected);
        assert_eq!(second.agent("bob").await.list().await, WHOLE, "bob never saw the other entry");
        second.end().await;
    }
}

#[tokio::test]
async fn what_is_accepted_at_one_gateway_is_accepted_at_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file) = (Server::start().await, folder.path().join("pins.jsonl"));
    let (one, other) = (lab(&server, &file, honest).await, lab(&server, &file, honest).await);
    let (here, there) = (one.agent("alice").await, other.agent("alice").await);
    assert_eq!(here.list().await, WHOLE);
    change(&server);
    let told = "! denied by policy: the tool changed since it was first listed (/pin)";
    assert_eq!(there.list().await, LESS);
    assert_eq!(
        (here.call("list", "{}").await.as_str(), there.call("list", "{}").await.as_str()),
        (told, told)
    );
    let waiting = one.gateway.undecided();
    assert_eq!(waiting.len(), 1);
    one.gateway.decide(&waiting[0].id, Verdict::Approve, "carol").unwrap();
    assert_eq!(here.call("list", "{}").await, "did list");
    assert_eq!(there.call("list", "{}").await, "did list");
    assert_eq!(there.list().await, WHOLE);
    assert!(other.gateway.undecided().is_empty());
    other.gateway.end().await;
    one.end().await;
}

#[tokio::test]
async fn without_its_file_nothing_pinned_passes_and_nothing_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file) = (Server::start().await, folder.path().join("pins.jsonl"));
    let lab = lab(&server, &file, honest).await;
    let alice = lab.agent("alice").await;
    assert_eq!(alice.list().await, WHOLE);
    change(&server);
    assert_eq!(alice.list().await, LESS);
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let said = alice.call("deploy", "{}").await;
    assert!(
        said.starts_with("! denied by policy: pins cannot be kept: ") && said.ends_with(" (/pin)"),
        "{said}"
    );
    let (_, frames) =
        alice.frames(rpc::request(5, "tools/list", crate::wire::Json::object()).to_bytes()).await;
    assert_eq!(told(&frames[0]), format!("error {FAILED}"));
    let waiting = lab.gateway.undecided();
    assert!(lab.gateway.decide(&waiting[0].id, Verdict::Approve, "carol").is_none());
    assert_eq!(lab.gateway.undecided(), waiting, "it waits for a decision that can be kept");
    fs::write(&file, [&kept[..], b"\n"].concat()).unwrap();
    let said = alice.call("deploy", "{}").await;
    assert!(
        said.contains("pins cannot be read: line 5 of their file is none, it is no JSON object"),
        "{said}"
    );
    assert_eq!(lab.server.ran(), "");
    fs::write(&file, kept).unwrap();
    assert_eq!(alice.call("deploy", "{}").await, "did deploy");
    assert_eq!(
        alice.call("list", "{}").await,
        "! denied by policy: the tool changed since it was first listed (/pin)"
    );
    lab.end().await;
}
