//! A gateway that runs already: where it is, and where the servers behind it stand.

use super::preflight::Probe;
use indexmap::IndexMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A gateway that somebody else runs.
#[derive(Clone)]
pub struct Remote {
    /// Its address, as it is told to people.
    pub url: String,
    /// Where the servers behind it stand.
    pub places: Places,
    /// How long a first call may take to come through: a gateway may have to find its servers again.
    pub within: Duration,
    /// The call that shows whether calls come through.
    pub probe: Option<Probe>,
}

/// Where the servers behind a gateway stand, and how it knows them.
#[derive(Clone)]
pub struct Places {
    /// Where the first one listens; each further one listens a port higher.
    pub listen: SocketAddr,
    /// The addresses by which the gateway knows them, where those are others: behind a tunnel, in another network.
    pub public: IndexMap<String, String>,
    /// What they demand of the gateway.
    pub bearer: Option<String>,
}

impl Default for Places {
    /// On this machine.
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 7700).into(), public: IndexMap::new(), bearer: None }
    }
}

impl Places {
    /// Where a server listens, by its place among all.
    pub fn address(&self, place: usize) -> SocketAddr {
        let port = u16::try_from(place).ok().and_then(|place| self.listen.port().checked_add(place));
        SocketAddr::new(self.listen.ip(), port.unwrap_or(u16::MAX))
    }

    /// How the gateway knows a server, by its place among all.
    pub fn url(&self, place: usize, name: &str) -> String {
        let own = || format!("http://{}{}", self.address(place), crate::mock::PATH);
        self.public.get(name).cloned().unwrap_or_else(own)
    }

    /// The host that the gateway names when it asks for a server.
    pub fn host(&self, name: &str) -> Option<String> {
        let url: http::Uri = self.public.get(name)?.parse().ok()?;
        Some(url.authority()?.to_string())
    }
}
