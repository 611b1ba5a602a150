//! How complaints are drawn: the user's own lines, with the place marked.

use super::{Diagnostic, Diagnostics, Gravity, printable};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// A file's complaints as people read them, a blank line after each.
pub(super) fn draw(diagnostics: &Diagnostics, colour: bool) -> String {
    let renderer =
        if colour { Renderer::styled().decor_style(DecorStyle::Unicode) } else { Renderer::plain() }
            .term_width(110);
    let mut out = String::new();
    for diagnostic in &diagnostics.list {
        out.push_str(&renderer.render(&groups(diagnostic, diagnostics)));
        out.push_str("\n\n");
    }
    out
}

fn groups<'a>(diagnostic: &'a Diagnostic, of: &'a Diagnostics) -> Vec<Group<'a>> {
    let level = match diagnostic.gravity {
        Gravity::Mistake => Level::ERROR,
        Gravity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.message));
    let mut group = if diagnostic.spot.line == 0 {
        Group::with_title(title).element(Origin::path(of.file.as_str()))
    } else {
        let mut snippet = Snippet::source(of.text.as_str()).path(of.file.as_str()).annotation(
            AnnotationKind::Primary.span(marked(&of.text, diagnostic.spot.start, diagnostic.spot.end)),
        );
        for (spot, label) in &diagnostic.also {
            let span = marked(&of.text, spot.start, spot.end);
            snippet = snippet.annotation(AnnotationKind::Context.span(span).label(printable(label)));
        }
        title.element(snippet)
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    vec![group]
}

/// The bytes to underline: never more than the first line of what is meant, and always whole characters.
fn marked(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (start, end) = (floor(start), floor(end.max(start)));
    let first_line = text[start..end].split('\n').next().unwrap_or_default().trim_end();
    let length = first_line
        .len()
        .max(text[start..].chars().next().filter(|next| *next != '\n').map_or(0, char::len_utf8));
    start..start + length
}
