//! The suite proves itself: the honest gateway and its variants pass every scenario, and a gateway that lies, or none at
//! all, fails it. Which scenarios catch which flaw is a snapshot.

use mcp_gauntlet::embedded;
use mcp_gauntlet::proof::{Question, Reach, human, prove};
use mcp_gauntlet::run::{Beside, Setting};
use mcp_gauntlet::scenario::{self, Scenario};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_proves_itself() {
    let question = Question { reach: Reach::Named, ..Question::of(shipped()) };
    let (proof, world) = prove(&question, &setting(), 16).await;
    assert_eq!(world, Vec::<String>::new());
    let table = human(&proof);
    assert!(proof.alarms.is_empty(), "an honest gateway does not pass:\n{table}");
    insta::assert_snapshot!(table);
    assert!(proof.holds(), "a flaw is missed, or a scenario unproved:\n{table}");
}

/// The scenarios that ship.
fn shipped() -> Vec<Arc<Scenario>> {
    let read = |file: &embedded::File| {
        let read = scenario::read(file.text, &format!("scenarios/{}", file.path));
        read.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
    };
    embedded::scenarios().map(read).map(Arc::new).collect()
}

fn setting() -> Setting {
    Setting {
        patience: Duration::from_secs(4),
        program: "gauntlet".to_owned(),
        environment: Vec::new(),
        remote: None,
        beside: Beside::default(),
    }
}
