//! A server behind the gateway as users name it, in one word or in a mapping.

use super::wanted::{Behind, unfit};
use crate::diagnostic::Diagnostic;
use crate::mock::Mock;
use crate::source::Spot;
use http::Uri;
use std::path::Path;

/// Reads `NAME=mock:MOCK`, `NAME=URL` or `NAME=stdio:COMMAND`; the spots are those of the argument.
pub(super) fn read(argument: &str) -> Result<(String, Behind), Diagnostic> {
    let help = "write `NAME=mock:MOCK`, `NAME=URL` or `NAME=stdio:COMMAND`";
    let whole = stretch(argument, 0);
    let Some((name, what)) = argument.split_once('=') else {
        return Err(Diagnostic::mistake(whole, "an upstream needs a name").help(help));
    };
    if let Some(wrong) = unfit(name) {
        return Err(Diagnostic::mistake(whole, wrong).help(help));
    }
    let at = |prefix: &str| stretch(argument, name.len() + 1 + prefix.len());
    let behind = if let Some(mock) = what.strip_prefix("mock:") {
        mock_of(mock, at("mock:"))?
    } else if let Some(command) = what.strip_prefix("stdio:") {
        let words = words(command).map_err(|wrong| Diagnostic::mistake(at("stdio:"), wrong))?;
        command_of(words, Vec::new(), at("stdio:"))?
    } else {
        url_of(what.to_owned(), Vec::new(), at(""))
            .map_err(|wrong| if wrong.help.is_none() { wrong.help(help) } else { wrong })?
    };
    Ok((name.to_owned(), behind))
}

/// A mock, by name or by folder.
pub(super) fn mock_of(name: &str, spot: Spot) -> Result<Behind, Diagnostic> {
    if Mock::named(name).is_none() && !Path::new(name).is_dir() {
        return Err(Diagnostic::unknown(spot, "mock", name, Mock::names()));
    }
    Ok(Behind::Mock(name.to_owned()))
}

/// A server with an address.
pub(super) fn url_of(url: String, headers: Vec<(String, String)>, spot: Spot) -> Result<Behind, Diagnostic> {
    let uri = url.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    match uri.as_ref().and_then(Uri::authority) {
        Some(authority) if authority.as_str().contains('@') => {
            let help =
                "write it into `headers` of the settings, as `authorization`, with `${NAME}` in its place";
            Err(Diagnostic::mistake(spot, "an address has no place for a credential").help(help))
        }
        Some(authority) if !authority.host().is_empty() => Ok(Behind::Url { url, headers }),
        _ => Err(Diagnostic::mistake(
            spot,
            format!("`{url}` is no address such as `http://127.0.0.1:9000/mcp`"),
        )),
    }
}

/// A server that is started.
pub(super) fn command_of(
    words: Vec<String>,
    environment: Vec<(String, String)>,
    spot: Spot,
) -> Result<Behind, Diagnostic> {
    if words.first().is_none_or(String::is_empty) {
        return Err(Diagnostic::mistake(spot, "names no program"));
    }
    Ok(Behind::Command { words, environment })
}

fn stretch(text: &str, start: usize) -> Spot {
    let column = text[..start].chars().count() + 1;
    Spot { line: 1, column: u32::try_from(column).unwrap_or_default(), start, end: text.len() }
}

/// The words of a command: spaces part them, quotes of either kind hold them together, nothing else is special.
fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in command.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("`{open}` is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;

    fn wrong(argument: &str) -> String {
        Diagnostics::new("--upstream", argument, vec![read(argument).unwrap_err()]).render(false)
    }

    #[test]
    fn each_kind_of_server_has_a_word() {
        let command = |words: &[&str]| Behind::Command {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            environment: Vec::new(),
        };
        let url = |url: &str| Behind::Url { url: url.to_owned(), headers: Vec::new() };
        for (argument, expected) in [
            ("lab=mock:ludus", Behind::Mock("ludus".into())),
            ("lab=http://127.0.0.1:9/mcp?a=b", url("http://127.0.0.1:9/mcp?a=b")),
            ("lab=https://lab.test/mcp", url("https://lab.test/mcp")),
            ("lab=stdio:npx -y 'a server' \"\"", command(&["npx", "-y", "a server", ""])),
        ] {
            assert_eq!(read(argument), Ok(("lab".to_owned(), expected)), "{argument}");
        }
    }

    #[test]
    fn mistakes_are_told_within_the_argument() {
        insta::assert_snapshot!(wrong("lab=mock:lduus"), @"
        error: unknown mock `lduus`
         --> --upstream:1:10
          |
        1 | lab=mock:lduus
          |          ^^^^^
          |
          = help: did you mean `ludus`?
        ");
        for (argument, expected) in [
            ("mock:ludus", "an upstream needs a name"),
            ("a/b=mock:ludus", "`a/b` is no name"),
            ("lab=https:///mcp", "`https:///mcp` is no address"),
            ("lab=wss://lab.test/mcp", "`wss://lab.test/mcp` is no address"),
            ("lab=https://me:secret@lab.test/mcp", "no place for a credential"),
            ("lab=ludus", "`ludus` is no address"),
            ("lab=stdio:", "names no program"),
            ("lab=stdio:a 'b", "`'` is not closed"),
        ] {
            assert!(wrong(argument).contains(expected), "{}", wrong(argument));
        }
    }
}
