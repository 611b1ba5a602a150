//! What `run` and `render` are told of a gateway that runs already: where it is, with which credential, and where the
//! servers behind it stand. Credentials come from the environment; none is taken from the command line itself.

use super::expand::{expand, secrets};
use super::gateway::address;
use super::{Exit, Surroundings, say};
use crate::diagnostic::listed;
use crate::run::{Places, Remote};
use crate::source::Placed;
use clap::Args;
use http::{HeaderName, HeaderValue, Uri};
use indexmap::IndexMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Headers that hold credentials wherever they are used.
const CREDENTIALS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"];

/// A gateway that runs already.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "A gateway that runs already")]
pub struct RemoteFlags {
    /// Its address, `http://` or `https://`; `--gateway` then only says how to read its answers
    #[arg(long, value_name = "URL")]
    pub gateway_url: Option<String>,
    /// A header of each request to it, such as 'Authorization: Bearer ${TOKEN}'; again for more
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "gateway_url")]
    pub headers: Vec<String>,
    /// How long a first call may take to come through
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub wait: Duration,
    /// Where the servers behind it stand.
    #[command(flatten)]
    pub places: PlacesFlags,
    /// Which of the policies that all scenarios would need, the one for the most first
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub round: usize,
}

/// Where the servers behind a gateway that runs already stand.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "A gateway that runs already")]
pub struct PlacesFlags {
    /// Where the servers behind it listen: the first there, each further one a port higher [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// How it knows a server, where that is another address: NAME=URL; again for more
    #[arg(long = "public-url", value_name = "NAME=URL")]
    pub public_urls: Vec<String>,
    /// The token that the servers demand of it, such as '${LAB_TOKEN}'; needed beyond this machine
    #[arg(long, value_name = "${NAME}")]
    pub bearer: Option<String>,
}

impl PlacesFlags {
    /// Whether anything is said of where they stand.
    pub(super) fn are_told(&self) -> bool {
        self.listen.is_some() || !self.public_urls.is_empty() || self.bearer.is_some()
    }
}

/// A gateway that runs already, as it was asked for.
pub(super) struct Wanted {
    pub(super) remote: Remote,
    pub(super) headers: Vec<(String, String)>,
    /// Values that must not be seen anywhere.
    pub(super) secrets: Vec<String>,
}

/// Reads the flags; `None` where no gateway runs already.
pub(super) fn wanted(flags: &RemoteFlags, surroundings: &Surroundings) -> Result<Option<Wanted>, Exit> {
    let Some(url) = &flags.gateway_url else {
        return match flags.places.are_told() {
            true => Err(mistake(
                "`--listen`, `--public-url` and `--bearer` are about a gateway that runs already\nhelp: say where it is with `--gateway-url`",
            )),
            false => Ok(None),
        };
    };
    check_gateway(url)?;
    let mut hidden = Vec::new();
    let mut headers = Vec::new();
    for text in &flags.headers {
        let (name, value) = header(text, surroundings)?;
        let credential = value.split_once(' ').map_or(value.as_str(), |(_, credential)| credential);
        hidden.extend(secrets(text, &surroundings.environment));
        if text.contains("${") {
            hidden.push(credential.to_owned());
        }
        headers.push((name, value));
    }
    let (places, of_places) = known_places(&flags.places, surroundings)?;
    hidden.extend(of_places);
    let remote = Remote { url: url.clone(), places, within: flags.wait, probe: None };
    Ok(Some(Wanted { remote, headers, secrets: hidden }))
}

/// Where the servers are to stand, with the bearer that they demand; and what of it must not be seen.
pub(super) fn known_places(
    flags: &PlacesFlags,
    surroundings: &Surroundings,
) -> Result<(Places, Vec<String>), Exit> {
    let (mut places, mut hidden) = (places(flags)?, Vec::new());
    if let Some(text) = &places.bearer {
        let bearer = expanded("--bearer", text, surroundings)?;
        hidden.extend(secrets(text, &surroundings.environment));
        hidden.push(bearer.clone());
        places.bearer = Some(bearer);
    }
    Ok((places, hidden))
}

/// Where the servers are to stand; the bearer stays as it is written.
pub(super) fn places(flags: &PlacesFlags) -> Result<Places, Exit> {
    let mut places = Places::default();
    places.listen = flags.listen.unwrap_or(places.listen);
    if places.listen.port() == 0 {
        return Err(mistake(
            "`--listen` with port 0 takes a port that no gateway can know\nhelp: name a port",
        ));
    }
    for text in &flags.public_urls {
        let (name, url) = public_url(text)?;
        places.public.insert(name, url);
    }
    places.bearer.clone_from(&flags.bearer);
    match &places.bearer {
        Some(bearer) if !bearer.contains("${") => Err(mistake(
            "a credential does not belong on the command line: `--bearer` names where it is\nhelp: put it into the environment, and write `--bearer '${NAME}'`",
        )),
        None if !places.listen.ip().is_loopback() => Err(mistake(&format!(
            "`{}` is beyond this machine: anybody could call what stands there\nhelp: let the servers demand a token with \
             `--bearer '${{NAME}}'`, and give it to the gateway",
            places.listen
        ))),
        _ => Ok(places),
    }
}

/// Whether every server that has an address of its own is one of those.
pub(super) fn check_names<'a>(
    places: &Places,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Exit> {
    match places.public.keys().find(|name| !known.clone().any(|known| known == name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let known: std::collections::BTreeSet<&str> = known.collect();
            Err(mistake(&format!(
                "`--public-url {name}=...`: no server of these scenarios is called `{name}`\nhelp: known are {}",
                listed(known)
            )))
        }
    }
}

fn check_gateway(url: &str) -> Result<(), Exit> {
    unfit("--gateway-url", url, url).map_or(Ok(()), |wrong| Err(mistake(&wrong)))
}

/// Why an address cannot be asked, in words that show what was written for it; `None` where it can.
pub(super) fn unfit(flag: &str, url: &str, written: &str) -> Option<String> {
    let uri = url.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    match uri.as_ref().and_then(Uri::authority) {
        // The address is not repeated: it holds what should not be seen.
        Some(authority) if authority.as_str().contains('@') => Some(format!(
            "a credential does not belong on the command line: the address of `{flag}` has one\nhelp: leave it out there, put it into the environment, and let `run` and `doctor` send it: `--header 'Authorization: Basic ${{NAME}}'`"
        )),
        Some(authority) if !authority.host().is_empty() => None,
        _ => Some(format!("`{flag} {written}` is no address such as `https://gateway.test/mcp`")),
    }
}

fn public_url(text: &str) -> Result<(String, String), Exit> {
    let wrong = || {
        mistake(&format!(
            "`--public-url {text}` is no name with an address\nhelp: write `NAME=URL`, such as `ludus=https://lab.test/mcp`"
        ))
    };
    let (name, url) = text.split_once('=').ok_or_else(wrong)?;
    if name.is_empty() || unfit("--public-url", url, url).is_some() {
        return Err(wrong());
    }
    Ok((name.to_owned(), url.to_owned()))
}

fn header(text: &str, surroundings: &Surroundings) -> Result<(String, String), Exit> {
    let wrong = |what: &str| {
        mistake(&format!(
            "`--header {text}` {what}\nhelp: write `NAME: VALUE`, such as 'Authorization: Bearer ${{TOKEN}}'"
        ))
    };
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("has no name"))?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| wrong("has no name that HTTP knows"))?;
    if CREDENTIALS.contains(&name.as_str()) && !value.contains("${") {
        // The text is not repeated: it holds what should not be seen.
        return Err(mistake(&format!(
            "a credential does not belong on the command line: `--header {name}: ...` names where it is\nhelp: put it into the environment, and write `${{NAME}}` in its place"
        )));
    }
    let value = expanded("--header", value.trim(), surroundings)?;
    match HeaderValue::try_from(&value) {
        Ok(_) => Ok((name.as_str().to_owned(), value)),
        Err(_) => Err(wrong("gives a value that cannot be sent")),
    }
}

/// A text of the command line with its variables filled in.
pub(super) fn expanded(flag: &str, text: &str, surroundings: &Surroundings) -> Result<String, Exit> {
    let placed = Placed { value: text.to_owned(), ..Placed::default() };
    expand(&placed, &surroundings.environment).map_err(|wrong| {
        let help = wrong.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        mistake(&format!("`{flag} {text}`: {}{help}", wrong.message))
    })
}

/// Whether there is such a round.
pub(super) fn check_round(round: usize, rounds: usize) -> Result<(), Exit> {
    if (1..=rounds.max(1)).contains(&round) {
        return Ok(());
    }
    Err(mistake(&format!("`--round {round}`: there are {rounds} of these scenarios")))
}

fn mistake(text: &str) -> Exit {
    say(text);
    Exit::Mistake
}

/// The servers with an address of their own, for a message.
pub(super) fn told(places: &Places, names: &IndexMap<String, crate::scenario::Upstream>) -> String {
    let one = |(place, name): (usize, &String)| format!("`{name}` at {}", places.url(place, name));
    names.keys().enumerate().map(one).collect::<Vec<_>>().join(", ")
}
