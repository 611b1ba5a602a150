//! The readings that a profile lacks, drafted from answers whose meaning is known, and tried on those same answers
//! before anybody is shown them.

use super::rule::Rule;
use super::sample::Sample;
use crate::gateway::Profile;
use crate::transcript::Exchange;
use std::collections::BTreeMap;

/// Readings to put before those that a profile has.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// In the order in which they have to stand.
    pub(super) rules: Vec<Rule>,
    /// What cannot be told apart, and what could not be drafted.
    pub(super) doubts: Vec<String>,
}

/// Drafts what the profile lacks. Answers that it reads rightly need nothing.
pub(super) fn readings(profile: &Profile, samples: &[Sample], successes: &[Exchange]) -> Readings {
    let misread = |sample: &&Sample| !sample.is_read_by(&profile.told(&sample.exchange));
    let mut lacking: Vec<&'static str> = samples.iter().filter(misread).map(|sample| sample.word).collect();
    lacking.dedup();
    let mut readings = Readings::default();
    for word in ["limited", "pending", "unknown", "denied", "failed"] {
        if lacking.contains(&word) {
            let own: Vec<&Sample> =
                samples.iter().filter(misread).filter(|sample| sample.word == word).collect();
            readings.learn(word, &own);
        }
    }
    readings.part_what_is_alike();
    readings.drop_what_takes_an_answer(successes);
    readings.order(samples);
    readings
}

impl Readings {
    /// As they are written in a profile.
    pub(super) fn yaml(&self) -> String {
        if self.rules.is_empty() {
            return String::new();
        }
        format!(
            "reads: # the first that matches wins: these stand before others\n{}",
            self.rules.iter().map(Rule::yaml).collect::<String>()
        )
    }

    fn learn(&mut self, word: &'static str, samples: &[&Sample]) {
        let mut rules: Vec<Rule> = Vec::new();
        for rule in samples.iter().filter_map(|sample| Rule::of(word, &sample.answer, &sample.known)) {
            if rules.iter().any(|known| known.looks_like(&rule)) {
                continue;
            }
            let merged =
                rules.iter().position(|known| known.merged(&rule).is_some_and(|both| both.is_telling()));
            match merged {
                Some(place) => rules[place] = rules[place].merged(&rule).unwrap_or(rule),
                None => rules.push(rule),
            }
        }
        let (telling, mute): (Vec<_>, Vec<_>) = rules.into_iter().partition(Rule::is_telling);
        if !mute.is_empty() {
            self.doubts.push(format!(
                "an answer that means `{word}` has no words of the gateway's own: no rule can tell it from others"
            ));
        }
        self.rules.extend(telling);
    }

    /// Two words for one answer: the one that claims less is kept.
    fn part_what_is_alike(&mut self) {
        let rules = self.rules.clone();
        let alike =
            |word: &str, rule: &Rule| rules.iter().any(|other| other.word == word && other.looks_like(rule));
        self.rules.retain(|rule| match rule.word {
            "denied" => !alike("unknown", rule),
            "limited" | "pending" => !alike("denied", rule) && !alike("unknown", rule),
            _ => true,
        });
        for (word, other, so) in [
            ("denied", "unknown", "drafted as `unknown`, which for a tool that exists counts as a denial"),
            ("limited", "denied", "drafted as `denied`: no profile can tell a limit from a rule here"),
            ("pending", "denied", "drafted as `denied`: nothing says that somebody could still decide"),
        ] {
            if rules.iter().any(|rule| rule.word == word && alike(other, rule)) {
                self.doubts.push(format!("`{word}` and `{other}` are told in the same words; {so}"));
            }
        }
    }

    /// A rule that would take an answer for a refusal is worse than none.
    fn drop_what_takes_an_answer(&mut self, successes: &[Exchange]) {
        let takes = |rule: &Rule| successes.iter().any(|exchange| claims(rule, exchange));
        let (wide, sound): (Vec<_>, Vec<_>) = std::mem::take(&mut self.rules).into_iter().partition(takes);
        self.rules = sound;
        for rule in wide {
            self.doubts.push(format!("what means `{}` cannot be told from an answer", rule.word));
        }
    }

    /// The narrow before the wide: a rule stands behind those whose answers it would claim.
    fn order(&mut self, samples: &[Sample]) {
        let mut left = std::mem::take(&mut self.rules);
        while !left.is_empty() {
            let steals = |rule: &Rule| {
                let others = |sample: &&Sample| {
                    sample.word != rule.word && left.iter().any(|other| other.word == sample.word)
                };
                samples.iter().filter(others).filter(|sample| claims(rule, &sample.exchange)).count()
            };
            let best = (0..left.len()).min_by_key(|place| steals(&left[*place])).unwrap_or(0);
            let rule = left.remove(best);
            self.rules.push(rule);
        }
    }
}

/// Whether a rule claims an answer.
fn claims(rule: &Rule, exchange: &Exchange) -> bool {
    alone(&rule.yaml()).is_some_and(|profile| profile.told(exchange).claimed_by.is_some())
}

/// A profile with nothing but these readings; `None` where they are no sound YAML.
fn alone(reads: &str) -> Option<Profile> {
    let text = format!("gateway: draft\nconnect: {{http: 'http://127.0.0.1'}}\nreads:\n{reads}");
    Profile::read("profile.yaml", &text, BTreeMap::new()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::answer::Answer;
    use crate::doctor::tokens::{Known, Token};
    use crate::transcript::{Ended, HttpHead, Received, Sent, Via};
    use crate::wire::Json;
    use std::time::Instant;

    fn exchange(body: &str, status: u16) -> Exchange {
        let at = Instant::now();
        Exchange {
            sent: Sent { at, bytes: Default::default(), id: Some(Json::from(1)) },
            http: Some(HttpHead { status, headers: vec![] }),
            received: vec![Received::now(Via::Body, body.as_bytes().to_vec())],
            ended: Ended::Answered,
        }
    }

    fn sample(word: &'static str, exchange: &Exchange) -> Sample {
        let known = |text: &str, token| Known { text: text.to_owned(), token };
        Sample {
            word,
            exchange: exchange.clone(),
            answer: Answer::of(exchange),
            known: vec![
                known("machines are destroyed by people", Token::Caught("reason")),
                known("destroy_vm", Token::Any),
                known("no_such_tool", Token::Any),
                known("ap-0001", Token::Caught("approval")),
            ],
        }
    }

    fn error(text: &str) -> Exchange {
        let text = Json::from(text);
        exchange(
            &format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"isError":true,"content":[{{"type":"text","text":{text}}}]}}}}"#
            ),
            200,
        )
    }

    fn rpc(error: &str) -> Exchange {
        exchange(&format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#), 200)
    }

    fn silent() -> Profile {
        alone("  - failed: {rpc_error: {code: -1}}\n").unwrap()
    }

    fn drafted(samples: &[(&'static str, Exchange)]) -> String {
        let samples: Vec<Sample> = samples.iter().map(|(word, exchange)| sample(word, exchange)).collect();
        let readings = readings(&silent(), &samples, &[]);
        let profile = alone(readings.yaml().split_once('\n').unwrap().1).unwrap();
        for sample in &samples {
            assert!(
                sample.is_read_by(&profile.told(&sample.exchange)),
                "{} of {}",
                sample.word,
                readings.yaml()
            );
        }
        format!("{}{}", readings.yaml(), readings.doubts.join("\n"))
    }

    #[test]
    fn every_form_of_answer_gives_a_rule_that_reads_it() {
        insta::assert_snapshot!(drafted(&[
            ("denied", error("denied by policy: machines are destroyed by people (/tools/destroy_vm/action)")),
            ("denied", error("denied by policy: it's not allowed (/default)")),
            ("limited", error("rate limited: 3 per 60s, retry in 59.9s")),
            ("pending", rpc(r#"{"code":-32011,"message":"needs approval","data":{"approval":"ap-0001"}}"#)),
            ("unknown", rpc(r#"{"code":-32010,"message":"nobody has no_such_tool"}"#)),
            ("failed", rpc(r#"{"code":-32000,"message":""}"#)),
        ]), @r"
        reads: # the first that matches wins: these stand before others
          - limited: {error_result: '^rate limited: [0-9.]+ per [0-9.]+s, retry in (?<retry_after>[0-9.]+)s$'}
          - pending: {rpc_error: {code: -32011, message: '^needs approval$', data: {approval: '^(?<approval>[^\s]+)$'}}}
          - unknown: {rpc_error: {code: -32010, message: '(?s)^nobody has .*$'}}
          - denied: {error_result: '(?s)^denied by policy: (?<reason>.*) \(/.*\)$'}
          - failed: {rpc_error: {code: -32000}}
        ");
        insta::assert_snapshot!(drafted(&[
            ("denied", exchange("blocked: destroy_vm\n", 403)),
            ("limited", exchange("slow down", 503)),
        ]), @r"
        reads: # the first that matches wins: these stand before others
          - limited: {http: {status: 503, body: '^slow down$'}}
          - denied: {http: {status: 403, body: '^blocked:'}}
        ");
    }

    #[test]
    fn one_form_of_answer_gives_one_rule_though_its_reason_has_lines() {
        insta::assert_snapshot!(drafted(&[
            ("denied", error("policy: machines are destroyed by people")),
            ("denied", error("policy: machines are destroyed by people")),
            ("denied", error("policy: machines are destroyed by people")),
        ]), @r"
        reads: # the first that matches wins: these stand before others
          - denied: {error_result: '(?s)^policy: (?<reason>.*)$'}
        ");
        let profile = alone("  - denied: {error_result: '(?s)^policy: (?<reason>.*)$'}\n").unwrap();
        assert_eq!(profile.told(&error("policy: one\ntwo")).reason.as_deref(), Some("one\ntwo"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_said_so() {
        insta::assert_snapshot!(drafted(&[
            ("denied", error("Nobody has destroy_vm")),
            ("unknown", error("Nobody has no_such_tool")),
        ]), @r"
        reads: # the first that matches wins: these stand before others
          - unknown: {error_result: '(?s)^Nobody has .*$'}
        `denied` and `unknown` are told in the same words; drafted as `unknown`, which for a tool that exists counts as a denial
        ");
    }
}
