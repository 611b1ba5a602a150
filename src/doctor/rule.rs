//! A reading in the making: what an answer looks like, so that answers like it are known again, and how that is
//! written in a profile.

use super::answer::Answer;
use super::tokens::{Known, Token, common, expression, tokens, words};
use crate::diagnostic::hides;
use crate::wire::Json;
use std::fmt::Write as _;

/// One reading: what is told, and by what it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) word: &'static str,
    form: Form,
    /// The code of an error, or the status of an HTTP answer.
    number: Option<i64>,
    /// The text, or what of it is the gateway's own.
    text: Vec<Token>,
    /// Members of an error's `data`.
    data: Vec<(String, Vec<Token>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    ErrorResult,
    Result,
    Rpc,
    Http,
}

impl Rule {
    /// The rule for one answer; `None` where its form says nothing by itself.
    pub(super) fn of(word: &'static str, answer: &Answer, known: &[Known]) -> Option<Self> {
        let (form, number, text, data) = match answer {
            Answer::ErrorResult(text) => (Form::ErrorResult, None, text, None),
            Answer::Result(text) => (Form::Result, None, text, None),
            Answer::Rpc(error) => (Form::Rpc, Some(error.code), &error.message, error.data.as_ref()),
            Answer::Http(status, body) => (Form::Http, Some(i64::from(*status)), body, None),
            Answer::Elicitation(_) | Answer::InputRequired | Answer::Silence | Answer::Lost(_) => {
                return None;
            }
        };
        let mut text = tokens(text, known);
        if word == "limited" {
            catch_retry_after(&mut text);
        }
        let data = data.map(|data| telling_members(word, data, known)).unwrap_or_default();
        Some(Self { word, form, number, text, data })
    }

    /// One rule for what two are about; `None` where they have too little in common.
    pub(super) fn merged(&self, other: &Self) -> Option<Self> {
        if (self.word, self.form, self.number) != (other.word, other.form, other.number) {
            return None;
        }
        let text = common(&self.text, &other.text);
        if self.number.is_none() && words(&text) < 2 {
            return None;
        }
        let shared = |(name, value): &(String, Vec<Token>)| {
            let (_, opposite) = other.data.iter().find(|(known, _)| known == name)?;
            Some((name.clone(), common(value, opposite)))
        };
        Some(Self { text, data: self.data.iter().filter_map(shared).collect(), ..self.clone() })
    }

    /// Whether it has anything of the gateway's own to know an answer by.
    pub(super) fn is_telling(&self) -> bool {
        self.number.is_some_and(|number| !(200..300).contains(&number)) || words(&self.text) > 0
    }

    /// Whether it looks for the very same.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        (self.form, self.number) == (other.form, other.number)
            && expression(&self.text) == expression(&other.text)
            && self.data.len() == other.data.len()
    }

    /// As it is written under `reads`.
    pub(super) fn yaml(&self) -> String {
        let text = (words(&self.text) > 0 || self.catches()).then(|| quoted(&expression(&self.text)));
        let condition = match self.form {
            Form::ErrorResult => format!("error_result: {}", text.unwrap_or_else(|| quoted(".*"))),
            Form::Result => format!("result: {}", text.unwrap_or_else(|| quoted(".*"))),
            Form::Rpc => self.numbered("rpc_error", "code", text.map(|text| format!("message: {text}"))),
            Form::Http => self.numbered("http", "status", text.map(|text| format!("body: {text}"))),
        };
        format!("  - {}: {{{condition}}}\n", self.word)
    }

    fn catches(&self) -> bool {
        self.text.iter().any(|token| matches!(token, Token::Caught(_)))
    }

    fn numbered(&self, form: &str, name: &str, text: Option<String>) -> String {
        let mut members: Vec<String> =
            self.number.iter().map(|number| format!("{name}: {number}")).chain(text).collect();
        if !self.data.is_empty() {
            let places = self.data.iter().map(|(place, value)| {
                let place = if place.starts_with('/') { quoted(place) } else { place.clone() };
                format!("{place}: {}", quoted(&expression(value)))
            });
            members.push(format!("data: {{{}}}", places.collect::<Vec<_>>().join(", ")));
        }
        format!("{form}: {{{}}}", members.join(", "))
    }
}

/// The last number of seconds is how long to wait.
fn catch_retry_after(text: &mut [Token]) {
    let unit = |token: Option<&Token>| matches!(token, Some(Token::Own(word)) if ["s", "sec", "secs", "second", "seconds"].contains(&word.as_str()));
    let space = |token: Option<&Token>| matches!(token, Some(Token::Own(word)) if word == " ");
    let seconds = (0..text.len()).rev().find(|place| {
        let next = text.get(place + 1);
        text[*place] == Token::Number && (unit(next) || (space(next) && unit(text.get(place + 2))))
    });
    if let Some(place) = seconds {
        text[place] = Token::Caught("retry_after");
    }
}

/// The members of an error's `data` that say why, when to come back, or what waits.
fn telling_members(word: &str, data: &Json, known: &[Known]) -> Vec<(String, Vec<Token>)> {
    let mut found = Vec::new();
    for (place, value) in leaves("", data) {
        let name = place.rsplit('/').next().unwrap_or_default().to_lowercase();
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let taken = tokens(&text, known);
        let caught = |name| taken.contains(&Token::Caught(name));
        let retry =
            word == "limited" && name.contains("retry") && !name.ends_with("ms") && value.as_f64().is_some();
        let tokens = match word {
            _ if caught("reason") => taken,
            "pending" if caught("approval") => vec![Token::Caught("approval")],
            _ if retry => vec![Token::Caught("retry_after")],
            _ => continue,
        };
        let top = place[1..].find('/').is_none() && is_plain(&place[1..]);
        found.push((if top { place[1..].to_owned() } else { place }, tokens));
    }
    found
}

/// Every text and number in a value, with its pointer.
pub(super) fn leaves(place: &str, value: &Json) -> Vec<(String, Json)> {
    match value {
        Json::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                leaves(&format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), value)
            })
            .collect(),
        Json::Array(elements) => elements
            .iter()
            .enumerate()
            .flat_map(|(index, value)| leaves(&format!("{place}/{index}"), value))
            .collect(),
        // A value that has no members has no place.
        _ if place.is_empty() => Vec::new(),
        leaf => vec![(place.to_owned(), leaf.clone())],
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// A text as YAML takes it word for word. What nobody can see is in an expression already spelled out.
pub(super) fn quoted(text: &str) -> String {
    if !text.chars().any(|letter| hides(letter) || letter.is_control()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for letter in text.chars() {
        let _ = match letter {
            '"' | '\\' => write!(out, "\\{letter}"),
            letter if hides(letter) || letter.is_control() => write!(out, "\\U{:08x}", u32::from(letter)),
            letter => write!(out, "{letter}"),
        };
    }
    out.push('"');
    out
}
