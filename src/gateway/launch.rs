//! Waiting until a process may be spoken to, and the ports that it is told to use. It does not know what is started.

use super::saying::Pattern;
use crate::transport::Child;
use crate::transport::http_client::{HttpClient, Lost, Outgoing};
use crate::transport::trust::NO_TRUST;
use bytes::Bytes;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often a foreign process is asked whether it answers: it cannot tell us.
const LOOK: Duration = Duration::from_millis(20);
/// How long one such question may take.
const QUESTION: Duration = Duration::from_secs(2);

/// What a process does once it may be spoken to.
#[derive(Debug)]
pub(super) enum Sign {
    /// This address answers.
    Answers(String),
    /// It prints such a line.
    Prints(Pattern),
}

/// Why it cannot be spoken to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unready {
    /// It ended.
    Ended(String),
    /// The time is over.
    Late,
    /// It answers, and is not trusted.
    Distrusted(String),
}

/// Waits for the sign.
pub(super) async fn ready(child: &mut Child, sign: &Sign, within: Duration) -> Result<(), Unready> {
    let outcome = timeout(within, async {
        let seen = match sign {
            Sign::Prints(pattern) => child.says(|line| pattern.0.is_match(line)).await,
            Sign::Answers(url) => answers(url, child).await.map_err(|Lost(why)| Unready::Distrusted(why))?,
        };
        if seen {
            return Ok(());
        }
        let status = child.exited().await;
        Err(Unready::Ended(
            status.map_or_else(|| "an unknown status".to_owned(), |status| status.to_string()),
        ))
    });
    outcome.await.unwrap_or(Err(Unready::Late))
}

/// Whether an address answers, with anything at all, before the process ends; one that is not trusted never will be.
async fn answers(url: &str, child: &mut Child) -> Result<bool, Lost> {
    let client = HttpClient::new();
    let question =
        Outgoing { method: http::Method::GET, url: url.to_owned(), headers: vec![], body: Bytes::new() };
    while child.ended().is_none() {
        match timeout(QUESTION, client.send(question.clone())).await {
            Ok(Ok(_)) => return Ok(true),
            Ok(Err(lost)) if lost.0.starts_with(NO_TRUST) => return Err(lost),
            _ => sleep(LOOK).await,
        }
    }
    Ok(false)
}

/// Ports that systems leave alone when they choose one themselves, for a listener or for a connection that goes out: what
/// is free there stays free until a slow gateway has started.
const QUIET: std::ops::Range<u16> = 20_000..32_000;

/// Two ports of the loopback that were free a moment ago, and that this process gives to nobody else: two gateways with one
/// port would be taken for each other.
pub fn free_ports() -> io::Result<(u16, u16)> {
    Ok((free_port()?, free_port()?))
}

fn free_port() -> io::Result<u16> {
    static GIVEN: LazyLock<AtomicUsize> = LazyLock::new(|| {
        let mut bytes = [0_u8; 2];
        // Each process begins elsewhere; where there is no randomness, all begin at one place, which is no worse than chance.
        getrandom::fill(&mut bytes).ok();
        AtomicUsize::new(usize::from(u16::from_le_bytes(bytes)))
    });
    let next = || {
        let place = GIVEN.fetch_add(1, Ordering::Relaxed) % QUIET.len();
        QUIET.start + u16::try_from(place).unwrap_or_default()
    };
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let found = std::iter::repeat_with(next).take(QUIET.len()).find(free);
    found.ok_or_else(|| io::Error::from(io::ErrorKind::AddrInUse))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::transport::child::{Command, Talk};

    const ENOUGH: Duration = Duration::from_secs(10);

    fn spawn(script: &str) -> Child {
        let command = Command {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            folder: "/".into(),
        };
        Child::spawn(&command, Talk::Words).unwrap()
    }

    fn prints(expression: &str) -> Sign {
        Sign::Prints(Pattern(regex::Regex::new(expression).unwrap()))
    }

    #[tokio::test]
    async fn ready_is_a_line_on_either_output() {
        for script in ["echo up; sleep 600", "echo up >&2; sleep 600"] {
            let mut child = spawn(script);
            ready(&mut child, &prints("^up$"), ENOUGH).await.unwrap();
            assert!(child.ended().is_none());
        }
    }

    #[tokio::test]
    async fn ready_is_an_address_that_answers_even_with_a_refusal() {
        let server = wiremock::MockServer::start().await;
        ready(&mut spawn("sleep 600"), &Sign::Answers(server.uri()), ENOUGH).await.unwrap();
    }

    #[test]
    fn no_port_is_given_twice_and_all_are_where_nobody_else_looks_for_one() {
        let given: Vec<u16> = (0..50).map(|_| free_ports().unwrap()).flat_map(<[u16; 2]>::from).collect();
        let distinct: std::collections::BTreeSet<u16> = given.iter().copied().collect();
        assert_eq!(distinct.len(), given.len());
        assert!(given.iter().all(|port| QUIET.contains(port)), "{given:?}");
    }

    #[tokio::test]
    async fn one_that_ends_is_told_from_one_that_is_late() {
        let nobody = Sign::Answers(format!("http://127.0.0.1:{}", free_ports().unwrap().0));
        for sign in [prints("up"), nobody] {
            let unready = ready(&mut spawn("exit 7"), &sign, ENOUGH).await.unwrap_err();
            assert_eq!(unready, Unready::Ended("exit status: 7".to_owned()));
        }
        let late = ready(&mut spawn("sleep 600"), &prints("up"), Duration::from_millis(20)).await;
        assert_eq!(late, Err(Unready::Late));
    }
}
