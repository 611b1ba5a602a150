//! What stands in a Markdown file: fenced blocks, the commands in them, and code within lines.

/// A fenced block.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// Its language.
    pub(crate) language: String,
    /// The file that it is, where the fence names one after the language.
    pub(crate) file: Option<String>,
    /// The line of its first fence.
    pub(crate) line: usize,
    /// What is in it.
    pub(crate) text: String,
}

/// A command, and what is said of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    /// Its line.
    pub(crate) line: usize,
    /// The command, without what is said of its end.
    pub(crate) command: String,
    /// How it ends.
    pub(crate) ends: Ends,
    /// Lines that it prints, in this order, perhaps with others between them.
    pub(crate) printed: Vec<String>,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    /// By itself, with this exit code.
    With(i32),
    /// It serves until somebody interrupts it.
    Interrupted,
}

/// The fenced blocks, in order.
pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (place, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some(words), false) => {
                let mut words = words.split_whitespace().map(str::to_owned);
                let (language, file) = (words.next().unwrap_or_default(), words.next());
                blocks.push(Block { language, file, line: place + 1, text: String::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                let block = blocks.last_mut().expect("a block was begun");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!inside, "the last block has no end");
    blocks
}

/// The commands of a block: lines after a dollar sign, each with what it prints below it.
pub(crate) fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (place, line) in block.text.lines().enumerate() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(text), _) => {
                let (command, remark) = text.split_once("   # ").unwrap_or((text, "exits 0"));
                let ends = match remark.strip_prefix("exits ") {
                    Some(code) => Ends::With(code.trim().parse().expect("an exit code")),
                    None if remark == "until Ctrl-C" => Ends::Interrupted,
                    None => panic!("README.md:{}: `{remark}` says no end", block.line + place + 1),
                };
                let command = command.trim().to_owned();
                steps.push(Step { line: block.line + place + 1, command, ends, printed: Vec::new() });
            }
            (None, Some(step)) => step.printed.push(line.to_owned()),
            (None, None) => panic!("README.md:{}: nothing was run yet", block.line + place + 1),
        }
    }
    steps
}

/// Code within lines, with the line that it begins on; it may go on in the next one.
pub(crate) fn spans(markdown: &str) -> Vec<(usize, String)> {
    let mut prose = String::new();
    let mut inside = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            prose.push_str(line);
        }
        prose.push('\n');
    }
    let mut line = 1;
    let mut spans = Vec::new();
    for (place, part) in prose.split('`').enumerate() {
        if place % 2 == 1 {
            spans.push((line, part.replace('\n', " ")));
        }
        line += part.matches('\n').count();
    }
    spans
}

#[test]
fn blocks_know_their_language_their_file_and_their_line() {
    let found = blocks("# Title\n\n```yaml a/b.yaml\nx: 1\n```\n");
    let expected =
        Block { language: "yaml".into(), file: Some("a/b.yaml".into()), line: 3, text: "x: 1\n".into() };
    assert_eq!(found, [expected]);
}

#[test]
fn commands_know_how_they_end_and_what_they_print() {
    let text =
        "$ gauntlet run   # exits 1\n0 passed\n$ gauntlet list mocks\n$ gauntlet mock x   # until Ctrl-C\n";
    let block = Block { language: "console".into(), file: None, line: 1, text: text.into() };
    let found = steps(&block);
    let ends: Vec<_> = found.iter().map(|step| (step.line, step.command.as_str(), step.ends)).collect();
    assert_eq!(
        ends,
        [
            (2, "gauntlet run", Ends::With(1)),
            (4, "gauntlet list mocks", Ends::With(0)),
            (5, "gauntlet mock x", Ends::Interrupted)
        ]
    );
    assert_eq!(found[0].printed, ["0 passed"]);
}

#[test]
fn code_within_lines_is_found_outside_of_blocks() {
    assert_eq!(spans("a `b` c\n```\n`no`\n```\n`d\ne`"), [(1, "b".to_owned()), (5, "d e".to_owned())]);
}
