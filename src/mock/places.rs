//! Templates of URIs (RFC 6570): whether a URI is one that a template makes, and what stands in its places.

/// What stands in the places of a template, by their names.
pub(super) type Places<'a> = Vec<(&'a str, &'a str)>;

/// What is wrong with a template: only `{name}`, which stands for anything but `/`, and `{+name}`, which stands for
/// anything, are known here.
pub(super) fn unreadable(template: &str) -> Option<String> {
    let mut rest = template;
    while let Some((_, place, after)) = next_place(rest) {
        let name = place.strip_prefix('+').unwrap_or(place);
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Some(format!(
                "`{{{place}}}` is no place that is known here; use `{{name}}` or `{{+name}}`"
            ));
        }
        rest = after;
    }
    rest.contains(['{', '}']).then(|| "a `{` or `}` stands alone".to_owned())
}

/// The text before the next place of a template, what the place says, and the text after it.
fn next_place(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

/// What stands in the template's places, if the URI is one that it makes.
pub(super) fn filled<'a>(template: &'a str, uri: &'a str) -> Option<Places<'a>> {
    let Some((before, place, after)) = next_place(template) else {
        return (template == uri).then(Vec::new);
    };
    let rest = uri.strip_prefix(before)?;
    let (name, takes_slashes) = match place.strip_prefix('+') {
        Some(name) => (name, true),
        None => (place, false),
    };
    // The longest value first; then it is tried with ever less.
    let longest = if takes_slashes { rest.len() } else { rest.find('/').unwrap_or(rest.len()) };
    (1..=longest).rev().filter(|end| rest.is_char_boundary(*end)).find_map(|end| {
        let mut places = filled(after, &rest[end..])?;
        places.insert(0, (name, &rest[..end]));
        Some(places)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_found_in_a_uri() {
        for (template, uri, places) in [
            ("a://x/{id}/y", "a://x/12/y", Some(vec![("id", "12")])),
            ("a://{one}/{two}", "a://b/c", Some(vec![("one", "b"), ("two", "c")])),
            ("a://{+path}", "a://b/c", Some(vec![("path", "b/c")])),
            ("a://{name}.txt", "a://b.txt.txt", Some(vec![("name", "b.txt")])),
            ("a://x/{id}", "a://x/", None),
            ("a://x/{id}", "a://x/1/2", None),
            ("a://x", "a://x", Some(Vec::new())),
            ("a://x/{id}/y", "b://x/12/y", None),
        ] {
            assert_eq!(filled(template, uri), places, "{template} {uri}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_read_is_told() {
        assert_eq!(unreadable("a://{id}/{+rest}"), None);
        assert!(unreadable("a://{?query}").unwrap().contains("`{?query}`"));
        assert!(unreadable("a://{}").is_some() && unreadable("a://{open").is_some());
    }
}
