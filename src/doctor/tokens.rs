//! A text taken apart into words, and put together again as an expression that recognises texts like it: what is the
//! gateway's own wording stays, what differs from answer to answer becomes a gap.

use crate::diagnostic::hides;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Exactly this: a word or a sign, with the space before it.
    Own(String),
    /// A number.
    Number,
    /// Anything.
    Any,
    /// Anything, caught under that name.
    Caught(&'static str),
    /// Whatever follows: the text was too long to be taken whole.
    Rest,
}

/// So many tokens are enough to know an answer again.
const ENOUGH: usize = 48;

/// A text that is known to come from the call or from the policy, and what it becomes.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) text: String,
    pub(super) token: Token,
}

/// Takes a text apart. The longest known texts are found first.
pub(super) fn tokens(text: &str, known: &[Known]) -> Vec<Token> {
    let mut known: Vec<&Known> = known.iter().filter(|one| !one.text.trim().is_empty()).collect();
    known.sort_by_key(|one| std::cmp::Reverse(one.text.len()));
    let mut found = Vec::new();
    let mut rest = text.trim_end();
    let ended = rest.len() < text.len();
    let text = rest;
    while let Some(first) = rest.chars().next() {
        if found.len() == ENOUGH {
            found.push(Token::Rest);
            break;
        }
        let begins_a_word =
            !text[..text.len() - rest.len()].ends_with(|letter: char| letter.is_alphanumeric());
        let own = known.iter().find(|one| begins_a_word && starts_with_whole(rest, &one.text));
        if let Some(one) = own {
            found.push(one.token.clone());
            rest = &rest[one.text.len()..];
            continue;
        }
        let (token, length) = match first {
            letter if letter.is_ascii_digit() => number(rest),
            letter if letter.is_alphabetic() => word(rest),
            letter => (Token::Own(letter.to_string()), letter.len_utf8()),
        };
        found.push(token);
        rest = &rest[length..];
    }
    if ended && found.last() != Some(&Token::Rest) {
        // Line ends behind an answer are no part of its words.
        found.push(Token::Rest);
    }
    found
}

/// Whether a text stands there as a whole word.
fn starts_with_whole(rest: &str, text: &str) -> bool {
    let ends_a_word = text.ends_with(|letter: char| letter.is_alphanumeric());
    rest.strip_prefix(text).is_some_and(|behind| {
        !ends_a_word || !behind.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
    })
}

fn number(rest: &str) -> (Token, usize) {
    let end = |accepts: fn(char) -> bool| rest.find(|letter| !accepts(letter)).unwrap_or(rest.len());
    let digits = rest[..end(|letter| letter.is_ascii_digit() || letter == '.')].trim_end_matches('.').len();
    let all = end(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    // An identifier that begins with a digit is no number; a unit behind one is.
    let unit =
        rest[digits..all.max(digits)].chars().all(|letter| letter.is_ascii_lowercase()) && all <= digits + 2;
    if all > digits && !unit { (Token::Any, all) } else { (Token::Number, digits) }
}

fn word(rest: &str) -> (Token, usize) {
    let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    let text = &rest[..length];
    // Long and with digits in it: made for this one answer.
    let minted = length >= 8 && text.chars().any(|letter| letter.is_ascii_digit());
    (if minted { Token::Any } else { Token::Own(text.to_owned()) }, length)
}

/// What two of them have in common, gaps where they differ. A gap keeps the name of what was caught in it.
pub(super) fn common(one: &[Token], other: &[Token]) -> Vec<Token> {
    let (whole_one, whole_other) = (one.strip_suffix(&[Token::Rest]), other.strip_suffix(&[Token::Rest]));
    if whole_one.is_some() || whole_other.is_some() {
        let mut merged = common(whole_one.unwrap_or(one), whole_other.unwrap_or(other));
        while merged.last().is_some_and(|last| !is_telling(last) && !matches!(last, Token::Caught(_))) {
            merged.pop();
        }
        merged.push(Token::Rest);
        return merged;
    }
    let front = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one_left, other_left) = (&one[front..], &other[front..]);
    let back = one_left.iter().rev().zip(other_left.iter().rev()).take_while(|(a, b)| a == b).count();
    let (middle, opposite) = (&one_left[..one_left.len() - back], &other_left[..other_left.len() - back]);
    let mut merged = one[..front].to_vec();
    merged.extend(merged_middle(middle, opposite));
    merged.extend_from_slice(&one[one.len() - back..]);
    merged
}

/// The longest run that both middles share splits them once more; what is left on either side is a gap.
fn merged_middle(one: &[Token], other: &[Token]) -> Vec<Token> {
    if one.is_empty() && other.is_empty() {
        return Vec::new();
    }
    let mut best = (0, 0, 0);
    for start in 0..one.len() {
        for place in 0..other.len() {
            let length = one[start..].iter().zip(&other[place..]).take_while(|(a, b)| a == b).count();
            // One word between two gaps tells little: `the` stands in every sentence.
            let telling = one[start..start + length].iter().filter(|token| is_telling(token)).count();
            if length > best.2 && telling >= 2 {
                best = (start, place, length);
            }
        }
    }
    let (start, place, length) = best;
    if length == 0 {
        let caught = one.iter().chain(other).find(|token| matches!(token, Token::Caught(_)));
        return vec![caught.cloned().unwrap_or(Token::Any)];
    }
    let mut merged = merged_middle(&one[..start], &other[..place]);
    merged.extend_from_slice(&one[start..start + length]);
    merged.extend(merged_middle(&one[start + length..], &other[place + length..]));
    merged
}

/// Whether a token says more than that a word ends.
fn is_telling(token: &Token) -> bool {
    matches!(token, Token::Own(text) if !text.trim().is_empty())
}

/// How many words of the gateway's own are left.
pub(super) fn words(tokens: &[Token]) -> usize {
    tokens
        .iter()
        .filter(|token| matches!(token, Token::Own(text) if text.chars().all(char::is_alphanumeric)))
        .count()
}

/// The expression: anchored, escaped, and with each name caught once.
pub(super) fn expression(tokens: &[Token]) -> String {
    let mut out = String::from("^");
    let mut caught: Vec<&str> = Vec::new();
    let mut gap = false;
    for token in tokens {
        match token {
            Token::Own(text) => text.chars().for_each(|letter| escape(&mut out, letter)),
            Token::Number => out.push_str("[0-9.]+"),
            Token::Caught(name) if !caught.contains(name) => {
                caught.push(name);
                // Of two gaps side by side the first would take it all.
                if gap && out.ends_with(".*") {
                    out.truncate(out.len() - 2);
                }
                out.push_str(&match *name {
                    "retry_after" => "(?<retry_after>[0-9.]+)".to_owned(),
                    "approval" => r"(?<approval>[^\s]+)".to_owned(),
                    name => format!("(?<{name}>.*)"),
                });
            }
            Token::Rest => {
                // A gap at the end of what is known says nothing.
                return with_lines(out.trim_end_matches(".*").trim_end_matches(' '));
            }
            Token::Any | Token::Caught(_) if gap => {}
            Token::Any | Token::Caught(_) => out.push_str(".*"),
        }
        gap = matches!(token, Token::Any | Token::Caught("reason"));
    }
    out.push('$');
    with_lines(&out)
}

/// What stands in a gap is not the gateway's own: it may have lines.
fn with_lines(expression: &str) -> String {
    format!("{}{expression}", if expression.contains(".*") { "(?s)" } else { "" })
}

fn escape(out: &mut String, letter: char) {
    if hides(letter) || letter.is_control() {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(letter)));
    } else {
        out.push_str(&regex::escape(&letter.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn known() -> Vec<Known> {
        let known = |text: &str, token| Known { text: text.to_owned(), token };
        vec![
            known("machines are destroyed by people", Token::Caught("reason")),
            known("destroy_vm", Token::Any),
            known("power_off_range", Token::Any),
        ]
    }

    fn learnt(texts: &[&str]) -> String {
        let mut each = texts.iter().map(|text| tokens(text, &known()));
        let first = each.next().unwrap();
        let expression = expression(&each.fold(first, |one, other| common(&one, &other)));
        for text in texts {
            assert!(Regex::new(&expression).unwrap().is_match(text), "{expression} takes {text}");
        }
        expression
    }

    #[test]
    fn what_is_the_gateways_own_wording_stays() {
        for (texts, expected) in [
            (
                &[
                    "denied by policy: machines are destroyed by people (/tools/destroy_vm/action)",
                    "denied by policy: the tool is not allowed (/default)",
                ][..],
                r"(?s)^denied by policy: (?<reason>.*) \(/.*\)$",
            ),
            (&["Tool destroy_vm is blocked."], r"(?s)^Tool .* is blocked\.$"),
            (&["403: machines are destroyed by people"], r"(?s)^[0-9.]+: (?<reason>.*)$"),
            (&["try\nagain\u{202e}"], r"^try\x{a}again\x{202e}$"),
            (&["no: destroy_vm\n"], "^no:"),
            (
                &["no destroy_vm (machines are destroyed by people)", "no power_off_range"],
                "(?s)^no (?<reason>.*)$",
            ),
            (&["request 0a1b2c3d4e5f was refused"], r"(?s)^request .* was refused$"),
        ] {
            assert_eq!(learnt(texts), expected);
        }
    }

    #[test]
    fn a_word_within_a_word_is_not_what_it_looks_like() {
        assert_eq!(learnt(&["destroy_vms"]), "^destroy_vms$");
        assert_eq!(learnt(&["no more than 3.5s, please"]), r"^no more than [0-9.]+s, please$");
    }
}
