//! How a session comes to be: where to, in which revision, and what was said on the way.

use super::ask::{Ask, Dress, members};
use super::session::Session;
use crate::transcript::{Ended, Exchange};
use crate::transport::{LineReader, LineWriter};
use crate::wire::era::{code, header};
use crate::wire::{Era, Json, Message, Revision};
use std::time::Duration;

/// How long a stream of notices may take to show its head before the session counts as open without it.
pub(super) const NOTICES_WITHIN: Duration = Duration::from_millis(250);

/// Where a session goes.
#[derive(Debug)]
pub enum Target {
    /// An endpoint of streamable HTTP.
    Http {
        /// Its URL.
        url: String,
        /// Headers of every request.
        headers: Vec<(String, String)>,
    },
    /// The streams of a process, or of anything else that talks in lines.
    Stdio {
        /// Where its frames come from.
        reader: LineReader,
        /// Where ours go.
        writer: LineWriter,
    },
}

/// How a session is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The revision to speak; `None` offers the modern one first and falls back.
    pub revision: Option<Revision>,
    /// Whether elicitation is offered: then its requests are the runner's to answer.
    pub elicitation: bool,
    /// Whether it is offered to open an address (elicitation in URL mode, 2025-11-25).
    pub address: bool,
    /// What else is offered, by the names of capabilities; whatever is asked for there is declined.
    pub offers: Vec<&'static str>,
    /// Whether notices are asked for (legacy HTTP: the GET stream; modern: `subscriptions/listen`).
    pub notices: bool,
    /// Whether the tools are listed before anything else, as real clients do.
    pub lists_first: bool,
    /// How long each step may take.
    pub patience: Duration,
    /// Who the client says it is.
    pub client_name: String,
}

impl Default for Opening {
    fn default() -> Self {
        let client_name = "gauntlet".to_owned();
        Self {
            revision: None,
            elicitation: false,
            address: false,
            offers: Vec::new(),
            notices: true,
            lists_first: false,
            patience: Duration::from_secs(10),
            client_name,
        }
    }
}

/// Why there is no session, and all that was said.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct OpenError {
    /// What went wrong, a fragment.
    pub what: String,
    /// The exchanges so far.
    pub exchanges: Vec<Exchange>,
}

impl Opening {
    /// The capability `elicitation`; a form alone is what it meant before there was a word for it.
    fn offer(&self) -> Option<Json> {
        let word = |name: &'static str| (name, Json::object());
        match (self.elicitation, self.address) {
            (false, false) => None,
            (true, false) => Some(Json::object()),
            (false, true) => Some(members([word("url")])),
            (true, true) => Some(members([word("form"), word("url")])),
        }
    }

    pub(super) fn dress(&self) -> Dress {
        let mut capabilities = Json::object();
        let elicitation = self.offer().map(|offer| ("elicitation", offer));
        let others = self.offers.iter().map(|name| (*name, Json::object()));
        if let Some(object) = capabilities.as_object_mut() {
            elicitation.into_iter().chain(others).for_each(|(name, offer)| object.set(name, offer));
        }
        let client = members([
            ("name", self.client_name.as_str().into()),
            ("version", env!("CARGO_PKG_VERSION").into()),
        ]);
        Dress { revision: None, session: None, capabilities, client }
    }
}

/// Agrees on a revision; the session is dressed for it afterwards.
pub(super) async fn agree(session: &Session, opening: &Opening) -> Result<Vec<Exchange>, OpenError> {
    let mut said = Vec::new();
    match opening.revision {
        Some(revision) if revision.era() == Era::Modern => {
            session.change_dress(|dress| dress.revision = Some(revision));
        }
        Some(revision) => initialize(session, revision, opening, &mut said).await?,
        None => match discover(session, opening, &mut said).await? {
            Found::Modern => {}
            Found::Legacy(revision) => {
                session.change_dress(|dress| dress.revision = None);
                initialize(session, revision, opening, &mut said).await?;
            }
        },
    }
    Ok(said)
}

enum Found {
    Modern,
    Legacy(Revision),
}

async fn discover(
    session: &Session,
    opening: &Opening,
    said: &mut Vec<Exchange>,
) -> Result<Found, OpenError> {
    session.change_dress(|dress| dress.revision = Some(Revision::V2026_07_28));
    let exchange = session.start(Ask::new("server/discover", Json::object())).wait(opening.patience).await;
    said.push(exchange.clone());
    if let Ended::Lost(why) = &exchange.ended {
        return Err(OpenError { what: why.clone(), exchanges: std::mem::take(said) });
    }
    Ok(match exchange.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => speaks(result.get("supportedVersions")),
        Some(Message::Response { outcome: Err(error), .. }) => match error.code {
            code::UNSUPPORTED_VERSION => speaks(error.data.as_ref().and_then(|data| data.get("supported"))),
            code::HEADER_MISMATCH | code::MISSING_CAPABILITY => Found::Modern,
            _ => Found::Legacy(Revision::NEWEST_LEGACY),
        },
        _ => Found::Legacy(Revision::NEWEST_LEGACY),
    })
}

/// The newest revision of a list; one that names none of ours is as good as none.
fn speaks(supported: Option<&Json>) -> Found {
    let dates = supported.and_then(Json::as_array).unwrap_or_default().iter().filter_map(Json::as_str);
    match dates.filter_map(|date| date.parse::<Revision>().ok()).max() {
        Some(revision) if revision.era() == Era::Modern => Found::Modern,
        newest => Found::Legacy(newest.unwrap_or(Revision::NEWEST_LEGACY)),
    }
}

async fn initialize(
    session: &Session,
    revision: Revision,
    opening: &Opening,
    said: &mut Vec<Exchange>,
) -> Result<(), OpenError> {
    let dress = opening.dress();
    let params = members([
        ("protocolVersion", revision.as_str().into()),
        ("capabilities", dress.capabilities),
        ("clientInfo", dress.client),
    ]);
    let exchange = session.start(Ask::new("initialize", params)).wait(opening.patience).await;
    said.push(exchange.clone());
    match agreed(&exchange) {
        Ok(revision) => session.change_dress(|dress| {
            dress.revision = Some(revision);
            dress.session = exchange.header(header::SESSION).map(str::to_owned);
        }),
        Err(what) => return Err(OpenError { what, exchanges: std::mem::take(said) }),
    }
    let mut told = session.notify("notifications/initialized", Json::object());
    said.push(if session.is_http() { told.wait(opening.patience).await } else { told.so_far() });
    Ok(())
}

/// The revision that the server chose.
fn agreed(exchange: &Exchange) -> Result<Revision, String> {
    let status = || exchange.http.as_ref().map(|head| format!(" (HTTP {})", head.status)).unwrap_or_default();
    match (exchange.response(), &exchange.ended) {
        (Some(Message::Response { outcome: Ok(result), .. }), _) => {
            let date = result.get("protocolVersion").and_then(Json::as_str).unwrap_or_default();
            let known = date.parse::<Revision>().ok().filter(|revision| revision.era() == Era::Legacy);
            known.ok_or_else(|| {
                format!("`initialize` was answered with revision `{}`", crate::diagnostic::printable(date))
            })
        }
        (Some(Message::Response { outcome: Err(error), .. }), _) => {
            let words = crate::diagnostic::printable(&error.message);
            Err(format!("`initialize` was refused{}: {} {words}", status(), error.code))
        }
        (_, Ended::Lost(why)) => Err(why.clone()),
        (_, Ended::Quiet) => Err("`initialize` was not answered in time".into()),
        (_, Ended::Answered) => Err(format!("`initialize` was not answered by a response{}", status())),
    }
}
