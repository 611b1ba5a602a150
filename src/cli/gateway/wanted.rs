//! What `gauntlet gateway` is to be, whoever said it: flags or a file.

use super::sources::Sources;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::Policy;
use crate::reference::{Channel, Grant};
use crate::source::Spot;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The gateway as it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    /// What stays as long as it runs.
    pub(super) standing: Standing,
    /// Who may do what; it is read anew while it runs.
    pub(super) grants: Vec<Grant>,
}

/// What stays as long as the gateway runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// Where agents connect; `None` for stdio.
    pub(super) listen: Option<SocketAddr>,
    /// The servers behind it, by name.
    pub(super) upstreams: Vec<(String, Behind)>,
    /// How approvals are asked for.
    pub(super) channel: Channel,
    /// Where they are decided.
    pub(super) decisions: SocketAddr,
    /// The credential of those who decide; one is made up where none is given.
    pub(super) token: Option<String>,
    /// Where records go, if anywhere.
    pub(super) audit: Option<PathBuf>,
    /// Where the entries of pinned tools are kept, if longer than it runs.
    pub(super) pins: Option<PathBuf>,
    /// For so long an upstream may keep a call waiting.
    pub(super) patience: Duration,
}

impl Standing {
    /// Whether two kinds of lines would go to one file.
    pub(super) fn mixes_files(&self) -> bool {
        self.audit.is_some() && self.audit == self.pins
    }
}

/// The complaint about it.
pub(super) const MIXED: &str = "records and pins need a file each, and this is the one of the records";

/// A server behind the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Behind {
    /// A mock, started beside the gateway.
    Mock(String),
    /// A server with an address.
    Url {
        /// The address of its endpoint.
        url: String,
        /// Headers of each request to it.
        headers: Vec<(String, String)>,
    },
    /// A server that the gateway starts.
    Command {
        /// Program and arguments.
        words: Vec<String>,
        /// Variables beside the few that every child gets.
        environment: Vec<(String, String)>,
    },
}

/// Where the loopback gives a free port.
pub(super) const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long an upstream may take where nobody says.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// An address as users write it: `127.0.0.1:8080`, `localhost:8080`, or a port of the loopback.
pub(in crate::cli) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| format!("`{text}` is no address such as `127.0.0.1:8080`"))
}

/// What makes a name unfit for an upstream: policies write `NAME/TOOL`.
pub(super) fn unfit(name: &str) -> Option<String> {
    let odd = name.is_empty() || name.contains(|letter: char| letter == '/' || letter.is_whitespace());
    odd.then(|| format!("`{name}` is no name for an upstream: it is empty, or has spaces or slashes in it"))
}

/// The policy in a file; whatever is wrong with it is drawn in that file.
pub(super) fn policy(path: &Path, sources: &mut Sources) -> Result<Policy, Diagnostics> {
    let file = path.display().to_string();
    let text = sources.read(path).map_err(|error| unreadable(&file, &error))?;
    Policy::read(&text, &file)
}

/// The complaint about a file that is not there, or not for us.
pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Diagnostics {
    Diagnostics::new(file, "", vec![Diagnostic::mistake(Spot::default(), format!("cannot be read: {error}"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_short() {
        for (text, expected) in [
            ("8080", "127.0.0.1:8080"),
            ("localhost:0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected);
        }
        assert_eq!(
            address("lab.test:80").unwrap_err(),
            "`lab.test:80` is no address such as `127.0.0.1:8080`"
        );
        assert!(address("").is_err());
    }
}
