//! Server-sent events (WHATWG HTML section 9.2): frames inside the body of an HTTP answer.

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `event:`, empty where absent.
    pub name: String,
    /// `data:` lines joined by line feeds.
    pub data: String,
    /// `id:`, where given.
    pub id: Option<String>,
}

/// The bytes of one `message` event. Line breaks in the text become several `data:` lines.
pub fn event(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 32);
    bytes.extend_from_slice(b"event: message\n");
    for line in text.split('\n') {
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    bytes.push(b'\n');
    bytes
}

/// Takes a body in pieces of any size and gives whole events.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Decoder {
    /// Takes the next piece; gives the events that it completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Event> {
        self.pending.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some((end, next)) = line_end(&self.pending[start..]) {
            let line = String::from_utf8_lossy(&self.pending[start..start + end]).into_owned();
            start += next;
            events.extend(self.line(&line));
        }
        self.pending.drain(..start);
        events
    }

    /// What was left unfinished when the body ended: nothing may be made of it, but it should not go unseen.
    pub fn rest(&self) -> &[u8] {
        &self.pending
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = value.to_owned(),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            _ => {}
        }
        None
    }
}

/// Where the first line ends and the next begins. A `\r` at the very end waits: a `\n` may follow.
fn line_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (bytes[end], bytes.get(end + 1)) {
        (b'\n', _) => Some((end, end + 1)),
        (_, Some(b'\n')) => Some((end, end + 2)),
        (_, Some(_)) => Some((end, end + 1)),
        (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_comments_and_all_line_ends_are_read() {
        let mut decoder = Decoder::default();
        let events =
            decoder.push(b": hello\r\nid: 7\r\ndata: a\r\ndata:b\n\nevent: x\rdata: c\r\r\ndata: unfinished");
        assert_eq!(events.len(), 2);
        assert_eq!(events[0], Event { name: String::new(), data: "a\nb".into(), id: Some("7".into()) });
        assert_eq!(events[1].data, "c");
        assert_eq!(decoder.rest(), b"data: unfinished");
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(texts in proptest::collection::vec("[a-z{}\n]{0,12}", 0..5), size in 1usize..9) {
            let body: Vec<u8> = texts.iter().flat_map(|text| event(text)).collect();
            let mut decoder = Decoder::default();
            let read: Vec<String> = body.chunks(size).flat_map(|piece| decoder.push(piece)).map(|one| one.data).collect();
            prop_assert_eq!(read, texts);
        }
    }
}
