//! A policy's file, broken on purpose: gone, cut, or with a member that no gateway knows.

use super::render::Rendered;
use crate::source;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How the rendered policy is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// A member that no gateway knows.
    UnknownMember,
    /// A member that no gateway knows, in the rule of a tool.
    UnknownMemberOfARule,
    /// The second half is gone.
    Truncated,
    /// The file is not there.
    Missing,
}

/// The member that no gateway knows.
const UNKNOWN: &str = "member_that_nobody_knows";

impl Rendered {
    /// Breaks the file that holds the policy.
    pub fn spoil(&mut self, how: Spoil) {
        let policy = self.facts.policy.clone().unwrap_or_default();
        let Some((_, (name, text))) = self.files.first_mut() else { return };
        *text = text.take().and_then(|text| match how {
            Spoil::Missing => None,
            Spoil::Truncated => Some(text[..cut(&text, is_toml(name))].to_owned()),
            Spoil::UnknownMember if name.ends_with(".json") => {
                Some(text.replacen('{', &format!("{{\n  \"{UNKNOWN}\": true,"), 1))
            }
            Spoil::UnknownMember if is_toml(name) => Some(format!("{UNKNOWN} = true\n{text}")),
            Spoil::UnknownMember => Some(format!("{}\n{UNKNOWN}: true\n", text.trim_end())),
            Spoil::UnknownMemberOfARule if is_toml(name) => Some(with_an_unknown_line(&text, &policy)),
            Spoil::UnknownMemberOfARule => Some(with_an_unknown_rule(&text, &policy)),
        });
    }
}

fn is_toml(name: &str) -> bool {
    name.ends_with(".toml")
}

/// Where the second half begins, or a little before: a document of lines can be cut so that what is left is whole, and
/// no reader of it can know.
fn cut(text: &str, is_toml: bool) -> usize {
    let is_broken = |at: &usize| match is_toml {
        true => text[..*at].ends_with('='),
        false => source::read(&text[..*at]).is_err(),
    };
    let places = || (1..=text.len() / 2).rev().filter(|&at| text.is_char_boundary(at));
    places().find(is_broken).or_else(|| places().next()).unwrap_or(0)
}

/// The text, TOML, with the unknown member in the last table that is about a tool of the policy.
fn with_an_unknown_line(text: &str, policy: &Value) -> String {
    let named = Named::by(policy);
    let (mut header, mut found) = (None, None);
    for (at, line) in text.lines().enumerate() {
        header = line.starts_with('[').then_some(at).or(header);
        found = header.filter(|_| named.is_tool(line)).or(found);
    }
    let mut lines: Vec<&str> = text.lines().collect();
    let line = format!("{UNKNOWN} = true");
    lines.insert(found.map_or(0, |header| header + 1), &line);
    lines.join("\n") + "\n"
}

/// The text, JSON or YAML, with the unknown member in the innermost mapping that is about a tool of the policy; on the
/// outside where there is none. What is JSON can be read as YAML too.
pub fn with_an_unknown_rule(text: &str, policy: &Value) -> String {
    let Ok(node) = source::read(text) else { return format!("{}\n{UNKNOWN}: true\n", text.trim_end()) };
    let mut document = Value::from(&node);
    let path = Named::by(policy).innermost(&document, false).map(|(_, path)| path).unwrap_or_default();
    if let Some(Value::Object(members)) = document.pointer_mut(&path) {
        members.insert(UNKNOWN.to_owned(), Value::Bool(true));
    }
    format!("{document:#}\n")
}

/// What a policy speaks of.
struct Named {
    /// Its tools.
    tools: Vec<String>,
    /// The names of arguments in its rules, and the values that they are held against. A mapping of such words alone is
    /// free: any name may stand there, and one that nobody knows is an argument like others.
    arguments: HashSet<String>,
}

impl Named {
    fn by(policy: &Value) -> Self {
        let rules = || policy["tools"].as_object().into_iter().flatten();
        let tools = rules().map(|(name, _)| name.rsplit('/').next().unwrap_or(name).to_owned()).collect();
        let lists = rules().flat_map(|(_, rule)| [&rule["require"], &rule["deny_if"]]);
        let predicates = lists.filter_map(Value::as_array).flatten();
        let words = predicates.flat_map(|predicate| {
            let path = predicate["arg"].as_str().unwrap_or_default().split(['.', '/']);
            let values = match &predicate["value"] {
                Value::Array(several) => several.as_slice(),
                one => std::slice::from_ref(one),
            };
            path.chain(values.iter().filter_map(Value::as_str))
        });
        Self { tools, arguments: words.map(str::to_owned).collect() }
    }

    fn is_tool(&self, text: &str) -> bool {
        self.tools.iter().any(|name| text.contains(name))
    }

    fn is_free(&self, members: &Map<String, Value>) -> bool {
        !members.is_empty() && members.keys().all(|name| self.arguments.contains(name))
    }

    /// How deep the innermost mapping about a tool lies, and where. `within` says that what stands above is about one.
    fn innermost(&self, value: &Value, within: bool) -> Option<(usize, String)> {
        let deeper = |token: String, below: &Value, within: bool| {
            self.innermost(below, within).map(|(depth, path)| (depth + 1, format!("/{token}{path}")))
        };
        match value {
            Value::Object(members) => {
                let names_one = |value: &Value| value.as_str().is_some_and(|text| self.is_tool(text));
                let within = within || members.values().any(names_one);
                let below = members.iter().filter_map(|(name, below)| {
                    let token = name.replace('~', "~0").replace('/', "~1");
                    deeper(token, below, within || self.is_tool(name))
                });
                let here = || (within && !self.is_free(members)).then(|| (0, String::new()));
                below.max_by_key(|(depth, _)| *depth).or_else(here)
            }
            Value::Array(elements) => {
                let below = elements
                    .iter()
                    .enumerate()
                    .filter_map(|(at, below)| deeper(at.to_string(), below, within));
                below.max_by_key(|(depth, _)| *depth)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_unknown_member_stands_where_a_rule_is() {
        let policy = json!({"tools": {"lab/destroy_vm": {}, "list_hosts": {}}});
        let written = |text: &str| {
            let spoiled = with_an_unknown_rule(text, &policy);
            Value::from(&source::read(&spoiled).unwrap())
        };
        let json = written(
            r#"{"servers": {"a": {"deep": {"er": {}}}}, "tools": {"destroy_vm": {"deny_if": [{"arg": "x"}]}}}"#,
        );
        assert_eq!(json.pointer("/tools/destroy_vm/deny_if/0/member_that_nobody_knows"), Some(&json!(true)));
        let yaml = written("env: {a: {b: {c: d}}}\nrules:\n  - {tool: destroy_vm, action: deny}\n");
        assert_eq!(yaml.pointer("/rules/0/member_that_nobody_knows"), Some(&json!(true)));
        assert_eq!(written("{default: deny}")["member_that_nobody_knows"], true);
    }

    #[test]
    fn the_unknown_member_stands_in_a_table_too() {
        let policy = json!({"tools": {"destroy_vm": {}, "list_hosts": {}}});
        let text = "default = \"deny\"\n\n[[rules]]\nmatch = \"destroy_vm\"\n\n[[rules]]\nmatch = \"*\"\n";
        let line =
            "default = \"deny\"\n\n[[rules]]\nmember_that_nobody_knows = true\nmatch = \"destroy_vm\"\n";
        assert!(with_an_unknown_line(text, &policy).starts_with(line));
        assert!(with_an_unknown_line("a = 1\n", &policy).starts_with("member_that_nobody_knows = true\n"));
    }

    #[test]
    fn what_is_cut_is_no_whole_document() {
        let yaml = "version: 1\ntools:\n  list_hosts: {tiers: {e: L0}}\n  destroy_vm: {}\n  whoami: {}\n";
        let left = &yaml[..cut(yaml, false)];
        assert!(left.contains("list_hosts") && source::read(left).is_err(), "{left:?}");
        let toml = "default = \"deny\"\n[[rules]]\nmatch = \"destroy_vm\"\naction = \"deny\"\n";
        assert_eq!(&toml[..cut(toml, true)], "default =");
        assert_eq!(&"one line"[..cut("one line", false)], "one ");
    }

    #[test]
    fn the_unknown_member_is_no_argument_among_arguments() {
        let rule = json!({"require": [{"arg": "args.by.user_id", "op": "eq", "value": "bob"}]});
        let policy = json!({"tools": {"power_off_range": rule, "whoami": {}}});
        let stands = |text: &str, at: &str| {
            let spoiled = Value::from(&source::read(&with_an_unknown_rule(text, &policy)).unwrap());
            spoiled.pointer(&format!("{at}/{UNKNOWN}")) == Some(&json!(true))
        };
        let nested = "rules: [{match: {tool: power_off_range, args: {by: {user_id: bob}}}, decision: allow}]";
        assert!(stands(nested, "/rules/0/match"), "beside the words of a rule");
        let listed = "tools: {power_off_range: {args: {user_id: {enum: [bob]}}}}";
        assert!(
            stands(listed, "/tools/power_off_range/args/user_id"),
            "a rule about an argument has its words"
        );
        assert!(stands("tools: {whoami: {}}", "/tools/whoami"), "an empty rule is a rule");
    }
}
