//! Foreign text made fit to be shown: nothing in it can move the cursor, hide, or turn the line around.

use std::fmt::Write as _;

/// The text on one line, with everything invisible made visible.
pub fn printable(text: &str) -> String {
    printable_within(text, usize::MAX)
}

/// The same, cut after so many characters, with what is missing counted.
pub fn printable_within(text: &str, limit: usize) -> String {
    shown(text, limit, false)
}

/// The same over several lines: line feeds and tabs stay, a carriage return before a line feed goes.
pub fn printable_lines(text: &str, limit: usize) -> String {
    shown(&text.replace("\r\n", "\n"), limit, true)
}

/// Bytes that may be no text at all, on one line and cut after so many bytes; what is no UTF-8 reads `\xff`.
pub fn printable_bytes(bytes: &[u8], limit: usize) -> String {
    let kept = &bytes[..bytes.len().min(limit)];
    let mut out = String::with_capacity(kept.len());
    for chunk in kept.utf8_chunks() {
        chunk.valid().chars().for_each(|character| show(&mut out, character, false));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    if kept.len() < bytes.len() {
        let _ = write!(out, "… ({} more bytes)", bytes.len() - kept.len());
    }
    out
}

fn shown(text: &str, limit: usize, lines: bool) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    let mut rest = text.chars();
    rest.by_ref().take(limit).for_each(|character| show(&mut out, character, lines));
    if !rest.as_str().is_empty() {
        let _ = write!(out, "… ({} more bytes)", rest.as_str().len());
    }
    out
}

fn show(out: &mut String, character: char, lines: bool) {
    match character {
        '\n' | '\t' if lines => out.push(character),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if hides(character) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        }
        _ => out.push(character),
    }
}

/// Characters that a terminal or a reader does not show as themselves.
pub fn hides(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffc}' | '\u{fffe}' | '\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_hides_is_shown() {
        for (hostile, shown) in [
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("two\r\nlines\tand\u{85}", "two\\r\\nlines\\tand\\u{85}"),
            ("no\u{fffe}character\u{ffff}", "no\\u{fffe}character\\u{ffff}"),
            ("no\u{a0}break", "no\\u{a0}break"),
            ("Grüße, 世界 🎉", "Grüße, 世界 🎉"),
        ] {
            assert_eq!(printable(hostile), shown);
        }
        assert_eq!(printable_lines("one\r\ntwo\u{7}", 100), "one\ntwo\\u{7}");
    }

    #[test]
    fn what_is_long_is_cut_and_counted() {
        assert_eq!(printable_within("abcdef", 4), "abcd… (2 more bytes)");
        assert_eq!(printable_within("abcd", 4), "abcd");
        assert_eq!(printable_bytes(b"ab\xffcd\xf0\x9f", 5), "ab\\xffcd… (2 more bytes)");
        assert_eq!(printable_bytes("é".as_bytes(), 1), "\\xc3… (1 more bytes)");
    }

    proptest! {
        #[test]
        fn nothing_that_hides_survives(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(hides));
            prop_assert!(!printable_bytes(text.as_bytes(), 20).chars().any(hides));
        }
    }
}
