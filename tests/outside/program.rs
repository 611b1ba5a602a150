//! The program itself, as a user's client starts it: `gauntlet mock NAME`, on stdio and over HTTP.

use crate::facts::SERVERS;
use crate::guest::{ERAS, Era, Guest};
use crate::tools::call_all;
use rmcp::transport::TokioChildProcess;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_gauntlet");

#[tokio::test]
async fn every_tool_answers_on_stdio() {
    for facts in SERVERS.iter() {
        for era in ERAS {
            let mut command = Command::new(PROGRAM);
            command.args(["mock", facts.mock]).env_clear();
            let guest = Guest::over(TokioChildProcess::new(command).expect("it starts"), era).await;
            assert_eq!(guest.tools().await.len(), facts.tools.len());
            assert_eq!(call_all(facts, &guest).await, [""; 0], "{}, {era:?}", facts.mock);
            guest.leave().await;
        }
    }
}

#[tokio::test]
async fn it_says_where_it_listens_and_answers_there() {
    let mut child = Command::new(PROGRAM)
        .args(["mock", "velociraptor", "--http", "127.0.0.1:0"])
        .env_clear()
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let line = said.next_line().await.expect("it can be read").expect("it says something");
    let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
    let guest = Guest::http(url, None, Era::Modern).await;
    assert_eq!(guest.tools().await.len(), 28);
    guest.leave().await;
    child.kill().await.expect("it ends");
}
