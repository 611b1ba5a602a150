//! Questions that the agent's side never offered to answer. Capabilities are agreed on when a session opens
//! (2025-06-18, basic: lifecycle), or stand in each request (2026-07-28); a gateway that asks all the same leaves its
//! agents with a call that nobody answers. Nobody has to state that rule: each such question is a finding.

use super::outcome::StepOutcome;
use super::perform::{Performance, Performed};
use crate::diagnostic::printable_within;
use crate::gateway::Mode;
use crate::scenario::Scenario;
use crate::transcript::{Exchange, Received};
use crate::wire::era::{code, meta};
use crate::wire::{Json, Message, parse};
use std::collections::HashSet;

/// "The user must open this address first" (2025-11-25, elicitation in URL mode).
const ADDRESS_TO_OPEN: i64 = -32042;
/// A question is told up to this many characters.
const EXCERPT: usize = 160;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    /// The method, or the error that stands for one.
    what: &'static str,
    /// In which way, where the method has several.
    mode: Option<Mode>,
    /// Whether it came as a request of the server's own.
    by_itself: bool,
    /// Its words.
    words: String,
}

/// What the client of an exchange offered.
struct Offer {
    modern: bool,
    modes: Vec<Mode>,
}

/// What the sessions of a scenario were like.
pub(super) struct Sessions<'a> {
    /// What they were opened with.
    pub(super) offers: &'a [Mode],
    /// What came outside of every exchange.
    pub(super) notices: &'a [Received],
}

/// Each question that was not invited, as an unmet step at the place of the one that it came in.
pub(super) fn uninvited(
    scenario: &Scenario,
    performance: &Performance,
    sessions: &Sessions<'_>,
    steps: &[StepOutcome],
) -> Vec<StepOutcome> {
    let (mut found, mut heard) = (Vec::new(), HashSet::new());
    let own = scenario.sessions.values().flat_map(|session| &session.offers);
    let own: Vec<&str> = own.map(|offer| offer.word()).collect();
    let invited = |offer: &Offer, one: &Question| offer.invites(one) || offer.lets_by(one, &own);
    for ((step, performed), outcome) in scenario.steps.iter().zip(&performance.steps).zip(steps) {
        let mut told: Vec<Question> = Vec::new();
        for exchange in exchanges(performance, performed) {
            heard.extend(exchange.received.iter().map(|piece| piece.bytes.clone()));
            let offer = Offer::of(exchange, sessions.offers);
            for question in exchange.received.iter().flat_map(questions).filter(|one| !invited(&offer, one)) {
                if !told.iter().any(|other| (other.what, other.mode) == (question.what, question.mode)) {
                    let place = StepOutcome { calls: outcome.calls.clone(), ..at(step.spot.line as usize) };
                    found.push(finding(place, &offer, &question));
                    told.push(question);
                }
            }
        }
    }
    let offer = Offer { modern: false, modes: sessions.offers.to_vec() };
    let others = sessions.notices.iter().filter(|piece| !heard.contains(&piece.bytes)).flat_map(questions);
    found
        .extend(others.filter(|one| !invited(&offer, one)).map(|question| finding(at(1), &offer, &question)));
    found
}

fn exchanges<'a>(
    performance: &'a Performance,
    performed: &'a Performed,
) -> impl Iterator<Item = &'a Exchange> {
    let calls = performance.asked[performed.calls.clone()].iter().flat_map(|asked| &asked.exchanges);
    calls.chain(performed.listed.iter().flat_map(|listed| &listed.pages))
}

fn at(line: usize) -> StepOutcome {
    StepOutcome { line, name: "question".to_owned(), ..StepOutcome::default() }
}

fn finding(place: StepOutcome, offer: &Offer, question: &Question) -> StepOutcome {
    let mode = question.mode.map(|mode| format!(" by {}", mode_word(mode))).unwrap_or_default();
    let expected = format!("no {}{mode}, as the client offers {}", question.what, offer.words());
    let words = if question.words.is_empty() { String::new() } else { format!(": \"{}\"", question.words) };
    let was = format!("{}{mode}{words}", question.what);
    StepOutcome { met: false, expected, was, notes: mend(offer, question), ..place }
}

/// What leads to the mend: of the gateway, and of a profile that says too little.
fn mend(offer: &Offer, question: &Question) -> Vec<String> {
    let mut notes = Vec::new();
    if offer.modern {
        let code = code::MISSING_CAPABILITY;
        notes.push(format!("a gateway that cannot go on without it answers with error {code}"));
    }
    let style = match (question.what, question.mode) {
        (ADDRESS, _) => "url",
        (_, None) => return notes,
        _ if offer.modern => "input_required",
        _ => "elicitation",
    };
    notes.push(format!(
        "where approvals are asked for so, say `approval: {{style: {style}, ...}}` in the profile: then it is offered"
    ));
    notes
}

/// The words for the methods, as findings have them.
const ELICITATION: &str = "`elicitation/create`";
const ADDRESS: &str = "error -32042";
const SAMPLING: &str = "`sampling/createMessage`";
const ROOTS: &str = "`roots/list`";

/// The questions in one piece that came.
fn questions(piece: &Received) -> Vec<Question> {
    piece.frames().iter().flat_map(in_message).collect()
}

fn in_message(message: &Message) -> Vec<Question> {
    match message {
        Message::Request { method, params, .. } => {
            question(method, params.as_ref().unwrap_or(&Json::Null), true).into_iter().collect()
        }
        Message::Response { outcome: Ok(result), .. } => {
            let requests = result.get("inputRequests").and_then(Json::as_object).into_iter();
            let method = |request: &Json| request.get("method").and_then(Json::as_str).map(str::to_owned);
            let params = |request: &Json| request.get("params").cloned().unwrap_or_default();
            let each = requests.flat_map(|requests| requests.iter().map(|(_, request)| request));
            each.filter_map(|request| question(&method(request)?, &params(request), false)).collect()
        }
        Message::Response { outcome: Err(error), .. } if error.code == ADDRESS_TO_OPEN => {
            let words = printable_within(&error.message, EXCERPT);
            vec![Question { what: ADDRESS, mode: Some(Mode::Url), by_itself: false, words }]
        }
        _ => Vec::new(),
    }
}

fn question(method: &str, params: &Json, by_itself: bool) -> Option<Question> {
    let by_address = params.get("mode").and_then(Json::as_str) == Some("url");
    let (what, mode) = match method {
        "elicitation/create" => (ELICITATION, Some(if by_address { Mode::Url } else { Mode::Form })),
        "sampling/createMessage" => (SAMPLING, None),
        "roots/list" => (ROOTS, None),
        _ => return None,
    };
    let words = params.get("message").and_then(Json::as_str).unwrap_or_default();
    Some(Question { what, mode, by_itself, words: printable_within(words, EXCERPT) })
}

impl Question {
    /// The client's capability that it needs.
    fn capability(&self) -> &'static str {
        match self.what {
            SAMPLING => "sampling",
            ROOTS => "roots",
            _ => "elicitation",
        }
    }
}

impl Offer {
    /// Of the modern era the request itself says what was offered.
    fn of(exchange: &Exchange, offers: &[Mode]) -> Self {
        let sent = parse(&exchange.sent.bytes).unwrap_or_default();
        let own = sent.pointer("/params/_meta").filter(|own| own.get(meta::VERSION).is_some());
        let Some(own) = own else { return Self { modern: false, modes: offers.to_vec() } };
        let elicitation = own.get(meta::CAPABILITIES).and_then(|all| all.get("elicitation"));
        let names = |name: &str| elicitation.is_some_and(|one| one.get(name).is_some());
        let mut modes = Vec::new();
        // Without a word for it a form is meant.
        if elicitation.is_some() && (names("form") || !names("url")) {
            modes.push(Mode::Form);
        }
        if names("url") {
            modes.push(Mode::Url);
        }
        Self { modern: true, modes }
    }

    fn invites(&self, question: &Question) -> bool {
        !self.forbids(question) && question.mode.is_some_and(|mode| self.modes.contains(&mode))
    }

    /// Whether it belongs to a capability that a session of the scenario offers by itself.
    fn lets_by(&self, question: &Question, own: &[&str]) -> bool {
        !self.forbids(question) && own.contains(&question.capability())
    }

    /// Whether nobody may ask so in this era, whatever was offered.
    fn forbids(&self, question: &Question) -> bool {
        self.modern && (question.by_itself || question.what == ADDRESS)
    }

    fn words(&self) -> String {
        match self.modes.as_slice() {
            [] => "no elicitation".to_owned(),
            modes => {
                let modes: Vec<&str> = modes.iter().map(|mode| mode_word(*mode)).collect();
                format!("elicitation by {} alone", modes.join(" and "))
            }
        }
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Form => "form",
        Mode::Url => "address",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Ended, Sent, Via};
    use std::time::Instant;

    fn piece(text: &str) -> Received {
        Received::now(Via::Line, text.as_bytes().to_vec())
    }

    fn offer(sent: &str, offers: &[Mode]) -> Offer {
        let sent = Sent { at: Instant::now(), bytes: sent.as_bytes().to_vec().into(), id: None };
        Offer::of(&Exchange { sent, http: None, received: Vec::new(), ended: Ended::Quiet }, offers)
    }

    fn modern(capabilities: &str) -> Offer {
        let own = format!(r#"{{"{}":"2026-07-28","{}":{capabilities}}}"#, meta::VERSION, meta::CAPABILITIES);
        offer(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"_meta":{own}}}}}"#), &[])
    }

    const FORM: &str =
        r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"sure?"}}"#;
    const BY_ADDRESS: &str = r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"mode":"url","url":"http://x"}}"#;
    const OPEN_IT: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"open it"}}"#;
    const INPUT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{"message":"sure?"}}}}}"#;
    const WHICH_ROOTS: &str = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;

    fn invited(offer: &Offer, frame: &str) -> bool {
        let asked = questions(&piece(frame));
        assert_eq!(asked.len(), 1, "{frame}");
        offer.invites(&asked[0])
    }

    #[test]
    fn a_question_is_invited_by_what_the_client_offered_and_by_nothing_else() {
        let legacy = |offers: &[Mode]| offer(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, offers);
        let frames = [FORM, BY_ADDRESS, OPEN_IT, INPUT, WHICH_ROOTS];
        let table = |offer: &Offer| frames.map(|frame| invited(offer, frame));
        assert_eq!(table(&legacy(&[])), [false, false, false, false, false]);
        assert_eq!(table(&legacy(&[Mode::Form])), [true, false, false, true, false]);
        assert_eq!(table(&legacy(&[Mode::Url])), [false, true, true, false, false]);
        assert_eq!(table(&modern("{}")), [false; 5]);
        assert_eq!(table(&modern(r#"{"elicitation":{}}"#)), [false, false, false, true, false]);
        assert_eq!(table(&modern(r#"{"elicitation":{"url":{}}}"#)), [false; 5]);
    }

    #[test]
    fn both_sides_are_told_and_the_way_out() {
        let told = |offer: &Offer, frame: &str| {
            let told = finding(at(7), offer, &questions(&piece(frame))[0]);
            (told.expected, told.was, told.notes.join("; "))
        };
        let (expected, was, notes) = told(&offer("", &[]), FORM);
        assert_eq!(expected, "no `elicitation/create` by form, as the client offers no elicitation");
        assert_eq!(was, "`elicitation/create` by form: \"sure?\"");
        assert!(notes.contains("approval: {style: elicitation, ...}"), "{notes}");
        let (_, _, notes) = told(&modern("{}"), INPUT);
        assert!(notes.contains("error -32021") && notes.contains("style: input_required"), "{notes}");
        let (expected, ..) = told(&offer("", &[Mode::Form]), OPEN_IT);
        assert_eq!(expected, "no error -32042 by address, as the client offers elicitation by form alone");
    }

    #[test]
    fn other_frames_ask_nothing() {
        for frame in
            ["junk", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#]
        {
            assert!(questions(&piece(frame)).is_empty(), "{frame}");
        }
    }

    #[test]
    fn a_session_of_the_scenario_may_offer_more_by_itself() {
        let asked = |frame: &str| questions(&piece(frame)).remove(0);
        let (legacy, modern) = (offer("{}", &[]), modern("{}"));
        assert!(legacy.lets_by(&asked(WHICH_ROOTS), &["roots"]));
        assert!(legacy.lets_by(&asked(FORM), &["elicitation"]));
        assert!(!legacy.lets_by(&asked(FORM), &["roots", "sampling"]));
        assert!(!modern.lets_by(&asked(FORM), &["elicitation"]), "nobody asks by himself there");
        assert!(modern.lets_by(&asked(INPUT), &["elicitation"]));
    }
}
