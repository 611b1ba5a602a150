//! What a gateway's command says of how it is driven: where it listens, what is written for it, what stands behind it.

use super::super::remote::unfit;

/// How a gateway is started, or where it runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Launch {
    /// Program and arguments; empty where it runs already.
    pub(super) words: Vec<String>,
    /// The address at which it is spoken to; `None` on stdio.
    pub(super) address: Option<String>,
    /// The files that it is given, by key; the first holds the policy.
    pub(super) files: Vec<String>,
    /// What it can stand in front of.
    pub(super) upstream: &'static str,
}

impl Launch {
    /// Of a command, a template.
    pub(super) fn of_command(command: &str) -> Result<Self, String> {
        let words = words(command)?;
        if words.is_empty() {
            return Err("`--gateway-command` names no program".to_owned());
        }
        let expressions: Vec<&str> =
            command.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0)).collect();
        let uses = |what: &str| expressions.iter().any(|expression| expression.contains(what));
        let mut files: Vec<String> = Vec::new();
        for key in expressions.iter().filter_map(|expression| file_key(expression)) {
            if !files.contains(&key) {
                files.push(key);
            }
        }
        if files.is_empty() {
            files.push("policy".to_owned());
        }
        let upstream = match (uses(".url"), uses(".command")) {
            (false, true) => "[stdio]",
            (true, _) => "[http]",
            (false, false) => "[http, stdio]",
        };
        let listens = uses("port");
        let address = listens.then(|| "http://127.0.0.1:{{ port }}/mcp".to_owned());
        Ok(Self { words, address, files, upstream })
    }

    /// Of an address.
    pub(super) fn of_url(url: &str) -> Result<Self, String> {
        let template = url.contains("{{") || url.contains('"');
        if let Some(wrong) = unfit("--url", if template { "" } else { url }, url) {
            return Err(wrong);
        }
        let files = vec!["policy".to_owned()];
        Ok(Self { words: Vec::new(), address: Some(url.to_owned()), files, upstream: "[http]" })
    }
}

/// The key in `files.KEY`.
fn file_key(expression: &str) -> Option<String> {
    let (_, behind) = expression.split_once("files.")?;
    let key: String =
        behind.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
    (!key.is_empty()).then_some(key)
}

/// The words of a command: spaces part them, but not within quotes nor within an expression.
fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut inside = false;
    let mut letters = command.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let pair = |other| letter == other && next == Some(other);
        let (opens, closes) = (!inside && pair('{'), inside && pair('}'));
        if opens || closes {
            inside = opens;
            letters.next();
            word.get_or_insert_default().push_str(if opens { "{{" } else { "}}" });
            continue;
        }
        match quote {
            _ if inside => word.get_or_insert_default().push(letter),
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    match quote {
        _ if inside => Err("`--gateway-command`: `{{` is not closed".to_owned()),
        Some(open) => Err(format!("`--gateway-command`: `{open}` is not closed")),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_one_word() {
        let launch = Launch::of_command(
            "acme run --config {{ files.config }} --listen=127.0.0.1:{{ port }} 'a b' --to {{ upstreams[0].url }}",
        );
        let launch = launch.unwrap();
        let expected = [
            "acme",
            "run",
            "--config",
            "{{ files.config }}",
            "--listen=127.0.0.1:{{ port }}",
            "a b",
            "--to",
            "{{ upstreams[0].url }}",
        ];
        assert_eq!(launch.words, expected);
        assert_eq!((launch.files, launch.upstream), (vec!["config".to_owned()], "[http]"));
        assert_eq!(launch.address.as_deref(), Some("http://127.0.0.1:{{ port }}/mcp"));
    }

    #[test]
    fn without_a_port_it_is_spoken_to_on_stdio() {
        let launch = Launch::of_command(r#"acme -- {{ upstreams[0].command | join(" ") }}"#).unwrap();
        assert_eq!((launch.address, launch.upstream), (None, "[stdio]"));
        assert_eq!(launch.words[2], r#"{{ upstreams[0].command | join(" ") }}"#);
        assert_eq!(launch.files, ["policy"]);
    }

    #[test]
    fn what_is_not_closed_is_a_mistake() {
        for (command, why) in
            [("a 'b", "`'` is not closed"), ("a {{ b", "`{{` is not closed"), (" ", "names no program")]
        {
            assert!(Launch::of_command(command).unwrap_err().contains(why), "{command}");
        }
        for url in ["x", "ftp://x", "https:///mcp", "http://x/{{port}}", "https://me:secret@x/"] {
            let wrong = Launch::of_url(url).unwrap_err();
            assert!(wrong.contains("`--url") && !wrong.contains("secret"), "{wrong}");
        }
        assert_eq!(Launch::of_url("https://x/mcp").unwrap().address.as_deref(), Some("https://x/mcp"));
    }
}
