//! Mistakes of a template in words: what it asks for that nothing gives, by name, and what there is instead. It does
//! not know what a template is for.

use crate::diagnostic::{did_you_mean, listed, printable};
use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// What is wrong with a template of that text, which saw that scope.
pub(super) fn told(error: &Error, text: &str, scope: &Value) -> String {
    let line = error.line().filter(|_| text.trim_end().contains('\n'));
    let line = line.map(|line| format!(" in line {line}")).unwrap_or_default();
    match (error.kind(), missing(error, text)) {
        (_, Some(path)) => {
            let instead = instead(&path, scope).unwrap_or_default();
            format!("`{}` is undefined{line}{instead}", printable(&path))
        }
        (kind, _) => {
            let detail = error.detail().map(|detail| format!(": {}", printable(detail))).unwrap_or_default();
            format!("{kind}{detail}{line}")
        }
    }
}

/// What the engine says that it did not find; where it cannot say, the expression that failed.
fn missing(error: &Error, text: &str) -> Option<String> {
    let named = error.detail().and_then(|detail| {
        let before = detail.split_once("` is undefined")?.0;
        Some(before.rsplit('`').next()?.to_owned())
    });
    let range = || error.range().filter(|_| error.kind() == ErrorKind::UndefinedError);
    let failed = || range().and_then(|range| text.get(range)).map(|failed| failed.trim().to_owned());
    named.or_else(failed).filter(|path| !path.is_empty())
}

/// The names that exist where a path breaks off; nothing where it begins at a name of the template's own.
fn instead(path: &str, scope: &Value) -> Option<String> {
    let mut parts = path.split('.');
    let head = parts.next()?;
    let (mut whole, mut within) = (String::new(), scope.clone());
    for part in std::iter::once(head).chain(parts) {
        // An index is shown as a part of the name before it.
        let name = part.split('[').next().unwrap_or_default();
        let known = names(&within);
        let Some(next) = within.get_attr(name).ok().filter(|next| !next.is_undefined()) else {
            // What has members that are missed is there itself, under a name of the template's own.
            let own = whole.is_empty() && name.len() < path.len();
            return Some(offered(&whole, name, &known)).filter(|_| !own && is_name(name));
        };
        if name != part {
            return None;
        }
        whole = if whole.is_empty() { name.to_owned() } else { format!("{whole}.{name}") };
        within = next;
    }
    None
}

fn offered(whole: &str, name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let meant = did_you_mean(name, known.iter().copied()).map(|meant| format!("did you mean `{meant}`? "));
    let of = if whole.is_empty() { "known here".to_owned() } else { format!("`{whole}` has") };
    let has = if known.is_empty() { "no members".to_owned() } else { listed(known) };
    format!("; {}{of}: {has}", meant.unwrap_or_default())
}

fn names(of: &Value) -> Vec<String> {
    if of.kind() != ValueKind::Map {
        return Vec::new();
    }
    of.try_iter().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}
