//! What a call counts for, against which counters.

use super::amount::Amount;
use super::decide::{Call, Denied, place};
use super::document::{Cost, Limit, Policy, RateLimit, Scope};
use super::path;
use super::window::Window;
use crate::declared::WindowKind;
use crate::wire::Json;

/// Who makes a call.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// Whom the credential belongs to.
    pub identity: &'a str,
    /// The session, where there is one. Without, all that an identity does is one session.
    pub session: Option<&'a str>,
}

/// One count: a counter's name, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The name in the policy.
    pub counter: String,
    /// Whose count it is.
    pub holder: Holder,
    /// Policies of two grants that name one global counter share it only if they mean the same window.
    pub window: Window,
}

/// Whose count it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// An identity's.
    Grant(String),
    /// A session's, of an identity.
    Session(String, String),
    /// Everybody's.
    Global,
}

/// What one limit wants for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The count it goes to.
    pub key: Key,
    /// How long that counts.
    pub window: Window,
    /// How that moves.
    pub kind: WindowKind,
    /// The most that a window holds.
    pub max: Amount,
    /// What the call counts for.
    pub cost: Amount,
    /// Where the policy says so, a JSON pointer.
    pub rule: String,
}

impl RateLimit {
    /// The limit that this is short for.
    pub(super) fn as_limit(&self, tool: &str) -> Limit {
        let (window, counter) = (Window::Seconds(self.window), format!("{tool}_rate"));
        Limit { counter, window, max: self.max, scope: Scope::Grant, cost: Cost::default() }
    }
}

impl Policy {
    /// What a call counts for; refused where a cost is no non-negative number.
    pub fn charges(&self, call: &Call<'_>, who: &Who<'_>) -> Result<Vec<Charge>, Denied> {
        self.limits(call).into_iter().map(|(rule, limit)| charge(rule, &limit, call, who)).collect()
    }

    fn limits(&self, call: &Call<'_>) -> Vec<(String, Limit)> {
        let numbered = |place: String, limits: &[Limit]| -> Vec<(String, Limit)> {
            limits
                .iter()
                .enumerate()
                .map(|(index, limit)| (format!("{place}/limits/{index}"), limit.clone()))
                .collect()
        };
        let mut limits = numbered("/all_tools".into(), &self.all_tools.limits);
        for (name, rule) in self.entries(call.upstream, call.tool) {
            limits.extend(numbered(place(name), &rule.limits));
            let rate = rule.rate_limit.as_ref();
            limits.extend(rate.map(|rate| (format!("{}/rate_limit", place(name)), rate.as_limit(name))));
        }
        limits
    }
}

fn charge(rule: String, limit: &Limit, call: &Call<'_>, who: &Who<'_>) -> Result<Charge, Denied> {
    let cost = match &limit.cost {
        Cost::Fixed(amount) => *amount,
        Cost::Argument(argument) => of_argument(argument, call.arguments).ok_or_else(|| {
            Denied::new(
                format!("{rule}/cost"),
                format!("`{argument}` is required to be a number of at least 0"),
            )
        })?,
    };
    let holder = match limit.scope {
        Scope::Grant => Holder::Grant(who.identity.to_owned()),
        Scope::Session => {
            Holder::Session(who.identity.to_owned(), who.session.unwrap_or_default().to_owned())
        }
        Scope::Global => Holder::Global,
    };
    let key = Key { counter: limit.counter.clone(), holder, window: limit.window };
    Ok(Charge { key, window: limit.window, kind: limit.window.kind(), max: limit.max, cost, rule })
}

fn of_argument(argument: &str, arguments: &Json) -> Option<Amount> {
    match path::resolve(arguments, &path::tokens(argument).ok()?)? {
        Json::Number(number) => Amount::of(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    const POLICY: &str = r#"{"version":"1","default":"allow",
        "all_tools":{"limits":[{"counter":"all","window":"minute","max":60}]},
        "tools":{"pay":{"limits":[{"counter":"spend","window":"day","max":1000,"cost":"args.amount","scope":"global"}]},
                 "list":{"rate_limit":{"max":10,"window":60},
                         "limits":[{"counter":"mine","window":"hour","max":5,"scope":"session"}]}}}"#;

    fn charges(tool: &str, arguments: &str) -> Result<Vec<Charge>, Denied> {
        let arguments = parse(arguments.as_bytes()).unwrap();
        let who = Who { identity: "alice", session: Some("s1") };
        Policy::from_json(POLICY)
            .unwrap()
            .charges(&Call { upstream: "lab", tool, arguments: &arguments }, &who)
    }

    #[test]
    fn all_limits_that_name_a_tool_are_charged_to_their_holder() {
        let charged = charges("list", "{}").unwrap();
        let shown: Vec<_> = charged.iter().map(|one| (one.rule.as_str(), &one.key.holder)).collect();
        let grant = Holder::Grant("alice".into());
        let session = Holder::Session("alice".into(), "s1".into());
        let expected = [
            ("/all_tools/limits/0", &grant),
            ("/tools/list/limits/0", &session),
            ("/tools/list/rate_limit", &grant),
        ];
        assert_eq!(shown, expected);
        assert_eq!(charged[2].key.counter, "list_rate");
        assert_eq!(charged[2].window, Window::Seconds(60));
        assert_eq!(charges("other", "{}").unwrap().len(), 1);
    }

    #[test]
    fn a_cost_is_a_non_negative_number_or_the_call_is_denied() {
        for (amount, shown) in
            [("500", "500"), ("0.25", "0.25"), ("0", "0"), ("-0", "0"), ("1e19", "10000000000000000000")]
        {
            let charged = charges("pay", &format!(r#"{{"amount":{amount}}}"#)).unwrap();
            assert_eq!(
                (charged[1].cost.to_string().as_str(), &charged[1].key.holder),
                (shown, &Holder::Global)
            );
        }
        for amount in ["-1", "-1e-20", r#""500""#, "true", "null", "[500]", r#"{"v":500}"#] {
            let denied = charges("pay", &format!(r#"{{"amount":{amount}}}"#)).unwrap_err();
            assert_eq!(denied.rule, "/tools/pay/limits/0/cost", "{amount}");
        }
        assert!(charges("pay", "{}").is_err());
    }
}
