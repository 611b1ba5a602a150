//! From bytes to [`Json`]: strictly by RFC 8259, or as carelessly as real parsers are known to read.

use super::json::{Json, Object};
use super::number::Number;

/// Deeper nesting than this is refused: a frame must not take the stack down.
const MAX_DEPTH: usize = 512;

/// Why bytes are no JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct ParseError {
    /// What was wrong, a fragment.
    pub what: &'static str,
    /// The offset in the bytes.
    pub at: usize,
}

/// How forgiving a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leniency {
    /// RFC 8259; repeated members are kept, not refused.
    Strict,
    /// Also a byte order mark, UTF-16, `NaN` and `Infinity`, comments, trailing commas, raw control characters,
    /// lone surrogates, and anything after the value.
    Lenient,
}

/// Reads one value, strictly. Repeated members are kept; ask [`Json::repeats`].
pub fn parse(bytes: &[u8]) -> Result<Json, ParseError> {
    read(bytes, Leniency::Strict)
}

/// Reads one value as a careless parser would.
pub fn parse_lenient(bytes: &[u8]) -> Result<Json, ParseError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => read(rest, Leniency::Lenient),
        [0xFF, 0xFE, rest @ ..] => read(&from_utf16(rest, u16::from_le_bytes), Leniency::Lenient),
        [0xFE, 0xFF, rest @ ..] => read(&from_utf16(rest, u16::from_be_bytes), Leniency::Lenient),
        [0, b'{' | b'[', ..] => read(&from_utf16(bytes, u16::from_be_bytes), Leniency::Lenient),
        [b'{' | b'[', 0, ..] => read(&from_utf16(bytes, u16::from_le_bytes), Leniency::Lenient),
        _ => read(bytes, Leniency::Lenient),
    }
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
}

fn read(bytes: &[u8], leniency: Leniency) -> Result<Json, ParseError> {
    let mut reader = Reader { bytes, at: 0, lenient: leniency == Leniency::Lenient };
    let value = reader.value(0)?;
    reader.space()?;
    if reader.at < bytes.len() && !reader.lenient {
        return reader.fail("unexpected text after the value");
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    lenient: bool,
}

impl Reader<'_> {
    fn fail<T>(&self, what: &'static str) -> Result<T, ParseError> {
        Err(ParseError { what, at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn space(&mut self) -> Result<(), ParseError> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.lenient => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), ParseError> {
        let rest = &self.bytes[self.at..];
        let length = if rest.starts_with(b"//") {
            rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            rest.windows(2).skip(2).position(|pair| pair == b"*/").map_or(rest.len(), |end| end + 4)
        } else {
            return self.fail("unexpected `/`");
        };
        self.at += length;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Json, ParseError> {
        if depth > MAX_DEPTH {
            return self.fail("nested too deeply");
        }
        self.space()?;
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b't') if self.word("true") => Ok(Json::Bool(true)),
            Some(b'f') if self.word("false") => Ok(Json::Bool(false)),
            Some(b'n') if self.word("null") => Ok(Json::Null),
            Some(_) => self.number(),
            None => self.fail("the text ends where a value should be"),
        }
    }

    fn number(&mut self) -> Result<Json, ParseError> {
        if self.lenient {
            for word in ["NaN", "Infinity", "-Infinity"] {
                if self.word(word) {
                    return Ok(Json::Number(Number::not_finite(word)));
                }
            }
        }
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let spelling = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        match Number::from_spelling(spelling) {
            Some(number) => {
                self.at += length;
                Ok(Json::Number(number))
            }
            None => self.fail("neither a value nor a number"),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.at += 1;
        let mut elements = Vec::new();
        self.space()?;
        if self.take(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.space()?;
            if self.take(b']') {
                return Ok(Json::Array(elements));
            }
            if !self.take(b',') {
                return self.fail("expected `,` or `]`");
            }
            self.space()?;
            if self.lenient && self.take(b']') {
                return Ok(Json::Array(elements));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.at += 1;
        let mut members = Vec::new();
        self.space()?;
        if self.take(b'}') {
            return Ok(Json::Object(Object(members)));
        }
        loop {
            self.space()?;
            if self.peek() != Some(b'"') {
                return self.fail("expected a member name");
            }
            let name = self.string()?;
            self.space()?;
            if !self.take(b':') {
                return self.fail("expected `:`");
            }
            members.push((name, self.value(depth + 1)?));
            self.space()?;
            if self.take(b'}') {
                return Ok(Json::Object(Object(members)));
            }
            if !self.take(b',') {
                return self.fail("expected `,` or `}`");
            }
            self.space()?;
            if self.lenient && self.take(b'}') {
                return Ok(Json::Object(Object(members)));
            }
        }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain =
                rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0x00..=0x1f)).unwrap_or(rest.len());
            text.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return self.utf8(text);
                }
                Some(b'\\') => self.escape(&mut text)?,
                Some(control) if self.lenient => {
                    text.push(control);
                    self.at += 1;
                }
                Some(_) => return self.fail("a raw control character in a string"),
                None => return self.fail("the text ends within a string"),
            }
        }
    }

    fn utf8(&self, text: Vec<u8>) -> Result<String, ParseError> {
        match String::from_utf8(text) {
            Ok(text) => Ok(text),
            Err(bad) if self.lenient => Ok(String::from_utf8_lossy(bad.as_bytes()).into_owned()),
            Err(_) => self.fail("a string that is not UTF-8"),
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), ParseError> {
        self.at += 1;
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let character = self.unicode()?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return self.fail("an unknown escape"),
        };
        text.push(plain);
        self.at += 1;
        Ok(())
    }

    /// From `u` on; two units where the first is a high surrogate.
    fn unicode(&mut self) -> Result<char, ParseError> {
        let first = self.unit()?;
        let mut units = vec![first];
        if (0xD800..0xDC00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 1;
            let second = self.unit()?;
            if (0xDC00..0xE000).contains(&second) {
                units.push(second);
            } else {
                self.at = back;
            }
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            _ if self.lenient => Ok(char::REPLACEMENT_CHARACTER),
            _ => self.fail("a lone surrogate"),
        }
    }

    fn unit(&mut self) -> Result<u16, ParseError> {
        let digits = self.bytes.get(self.at + 1..self.at + 5).and_then(|hex| std::str::from_utf8(hex).ok());
        match digits.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            Some(hex) => {
                self.at += 5;
                Ok(u16::from_str_radix(hex, 16).unwrap_or_default())
            }
            None => self.fail("`\\u` without four hex digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_written_is_kept() {
        let text = r#"{"b":1.0,"a":[true,null,"x\n\u00e9"],"b":1e3}"#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value.to_string(), "{\"b\":1.0,\"a\":[true,null,\"x\\n\u{e9}\"],\"b\":1e3}");
        assert!(value.repeats());
        assert_eq!(value.get("b").unwrap().to_string(), "1e3");
    }

    #[test]
    fn only_a_lenient_reader_takes_what_is_no_json() {
        let frames: [&[u8]; 10] = [
            b"\xEF\xBB\xBF{}",
            b"{\"a\":NaN}",
            b"{\"a\":-Infinity}",
            b"{} // over",
            b"/* first */ {}",
            b"{\"a\":1,}",
            b"[1,]",
            b"{} {}",
            b"\"a\x01b\"",
            b"\"\\ud800\"",
        ];
        for frame in frames {
            assert!(parse(frame).is_err(), "{}", String::from_utf8_lossy(frame));
            assert!(parse_lenient(frame).is_ok(), "{}", String::from_utf8_lossy(frame));
        }
        let wide: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(parse(&wide).is_err());
        assert_eq!(parse_lenient(&wide).unwrap().to_string(), "{\"a\":1}");
    }

    #[test]
    fn a_mistake_is_placed() {
        assert_eq!(parse(b"{\"a\" 1}").unwrap_err(), ParseError { what: "expected `:`", at: 5 });
        assert_eq!(parse(&b"[".repeat(2000)).unwrap_err().what, "nested too deeply");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse_lenient(&bytes);
        }

        #[test]
        fn what_is_printed_reads_back(text in "\\PC*", number in any::<f64>()) {
            let value = Json::from(serde_json::json!({"text": text, "number": number, "list": [text, null, true]}));
            prop_assert_eq!(parse(&value.to_bytes()).unwrap(), value);
        }
    }
}
