//! Whether bytes of a scenario's own hold a tool's name as it is. Where a gateway renames, nobody has a tool of that
//! name: the frame is refused for it, and tests nothing.

use super::Checking;
use super::names::template_spot;
use super::tools::tools;
use super::walk;
use crate::diagnostic::Diagnostic;
use crate::mock;
use crate::scenario::step::{Body, Kind, Send};
use regex::Regex;
use std::sync::LazyLock;

/// The name in the parameters of a frame, however carelessly that is quoted; in nothing deeper, where it is an argument.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let members = r"(?:[^{}]|\{\{[^{}]*\}\})*?";
    let name = r#"(?<member>["']?\bname["']?\s*:\s*["'](?<tool>[^"'{}]+)["'])"#;
    Regex::new(&format!(r#"params["']?\s*:\s*\{{{members}{name}"#)).expect("the expression is sound")
});

/// The header that repeats the name of what is called.
const NAME_HEADER: &str = "mcp-name";

pub(super) fn check(checking: &mut Checking<'_>) {
    let known = tools(checking, None);
    for stop in walk::steps(&checking.scenario.steps) {
        let Kind::Send(send) = &stop.step.kind else { continue };
        for Written { text, tool } in written(send) {
            if !known.contains(&tool.as_str()) {
                continue;
            }
            let spot = template_spot(checking, stop.step.spot, &text);
            let message = format!("`{tool}` is written as it is, and a gateway may show it by another name");
            let way_out = match send.body {
                Body::Text { .. } => "in its place",
                Body::Bytes(_) => "in a `text`, with an `encoding`",
            };
            let help =
                format!("write `{{{{ tools.{tool} }}}}` {way_out}; `{{{{ \"{tool}\" }}}}` if it is meant so");
            checking.told.push(Diagnostic::mistake(spot, message).help(help));
        }
    }
}

/// A name, and the text around it as the file has it.
struct Written {
    text: String,
    tool: String,
}

fn written(send: &Send) -> Vec<Written> {
    let mut found = match &send.body {
        Body::Text { text, .. } if text.contains("tools/call") => {
            let names = NAME.captures_iter(text);
            names
                .map(|found| Written { text: found["member"].to_owned(), tool: found["tool"].to_owned() })
                .collect()
        }
        Body::Text { .. } => Vec::new(),
        Body::Bytes(bytes) => {
            let calls = mock::calls(bytes).into_iter();
            calls.map(|call| Written { text: String::new(), tool: call.tool }).collect()
        }
    };
    for (name, value) in &send.headers {
        if let Some(tool) = value.as_ref().filter(|_| name.eq_ignore_ascii_case(NAME_HEADER)) {
            found.push(Written { text: format!("{name}: {tool}"), tool: tool.clone() });
        }
    }
    found
}
