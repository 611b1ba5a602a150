//! `${NAME}` and `${NAME:-default}` in what users write. It does not ask the environment: it is given one.

use crate::diagnostic::Diagnostic;
use crate::source::Placed;
use std::collections::BTreeMap;

/// The text with each `${NAME}` replaced; a variable that is missing, or that nothing closes, is a mistake.
pub(super) fn expand(
    text: &Placed<String>,
    environment: &BTreeMap<String, String>,
) -> Result<String, Diagnostic> {
    let mut out = String::new();
    let mut rest = text.value.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((inside, behind)) = after.split_once('}') else {
            return Err(Diagnostic::mistake(text.spot, "`${` is not closed")
                .help("write `${NAME}` or `${NAME:-default}`"));
        };
        let (name, default) =
            inside.split_once(":-").map_or((inside, None), |(name, default)| (name, Some(default)));
        if !is_name(name) {
            let complaint = format!("`{name}` is no name of a variable");
            return Err(
                Diagnostic::mistake(text.spot, complaint).help("write `${NAME}` or `${NAME:-default}`")
            );
        }
        // As in a shell, an empty variable is as good as none where there is a default.
        match (environment.get(name), default) {
            (Some(value), None) => out.push_str(value),
            (Some(value), Some(_)) if !value.is_empty() => out.push_str(value),
            (_, Some(default)) => out.push_str(default),
            (None, None) => {
                let complaint = format!("the environment has no `{name}`");
                return Err(Diagnostic::mistake(text.spot, complaint)
                    .help(format!("set it, or write `${{{name}:-default}}`")));
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The values that a text takes from the environment.
pub(super) fn secrets(text: &str, environment: &BTreeMap<String, String>) -> Vec<String> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    let names = inside.map(|(inside, _)| inside.split(":-").next().unwrap_or_default());
    names.filter_map(|name| environment.get(name).cloned()).collect()
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    letters.next().is_some_and(|first| fits(first) && !first.is_ascii_digit()) && letters.all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        let environment = [("HOST", "lab.test"), ("EMPTY", ""), ("ODD", "${HOST}")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let placed = Placed { value: text.to_owned(), ..Placed::default() };
        expand(&placed, &environment).map_err(|wrong| wrong.message)
    }

    #[test]
    fn variables_are_replaced_once() {
        for (text, expected) in [
            ("plain $HOST {HOST} $", "plain $HOST {HOST} $"),
            ("http://${HOST}:${PORT:-80}/", "http://lab.test:80/"),
            ("${EMPTY}|${EMPTY:-full}|${NONE:-}", "|full|"),
            ("${ODD}", "${HOST}"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_a_mistake() {
        for (text, expected) in [
            ("${NONE}", "the environment has no `NONE`"),
            ("${HOST", "`${` is not closed"),
            ("${}", "`` is no name of a variable"),
            ("${A B:-c}", "`A B` is no name of a variable"),
        ] {
            assert_eq!(expanded(text).unwrap_err(), expected);
        }
    }
}
