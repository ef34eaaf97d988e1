//! Markdown: headings are titles, blocks below them passages.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::contents::{Contents, Passage};
use super::text::passages;

/// Blocks under one heading are one passage up to this length, in bytes: an answer is read whole.
const TOGETHER: usize = 800;

pub(super) fn parse(text: &str) -> Contents {
    let mut reading = Reading::default();
    let mut lines = Lines { text, at: 0, line: 1 };
    for (event, place) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        if reading.depth == 0 {
            reading.line = lines.of(place.start);
        }
        reading.take(event);
    }
    reading.end_passage();
    Contents { passages: reading.passages, rows: Vec::new() }
}

/// Counts lines as places come, in order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> u32 {
        let between = self.text.as_bytes().get(self.at..place).unwrap_or_default();
        let more = between.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.at = self.at.max(place);
        self.line
    }
}

#[derive(Default)]
struct Reading {
    passages: Vec<Passage>,
    headings: Vec<(HeadingLevel, String)>,
    /// Tags that are open.
    depth: usize,
    /// Where the block begins that is being read, and what it says so far.
    line: u32,
    block: String,
    /// The passage that is being put together.
    begin: u32,
    passage: String,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                match tag {
                    Tag::Heading { .. } => self.end_passage(),
                    Tag::Item => self.block.push_str("\n- "),
                    Tag::TableCell if !self.block.ends_with('\n') && !self.block.is_empty() => {
                        self.block.push_str(" | ")
                    }
                    _ => {}
                }
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                match tag {
                    TagEnd::Heading(level) => self.heading(level),
                    TagEnd::TableRow | TagEnd::TableHead | TagEnd::Paragraph => self.block.push('\n'),
                    _ => {}
                }
                if self.depth == 0 {
                    self.end_block();
                }
            }
            Event::Text(text) | Event::Code(text) => self.block.push_str(&text),
            Event::SoftBreak => self.block.push(' '),
            Event::HardBreak => self.block.push('\n'),
            _ => {}
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        self.headings.retain(|(above, _)| *above < level);
        let title = std::mem::take(&mut self.block).trim().to_owned();
        if !title.is_empty() {
            self.headings.push((level, title));
        }
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        let block = block.trim();
        if block.is_empty() {
            return;
        }
        if self.passage.len() + block.len() > TOGETHER {
            self.end_passage();
        }
        if self.passage.is_empty() {
            self.begin = self.line;
        } else {
            self.passage.push_str("\n\n");
        }
        self.passage.push_str(block);
    }

    fn end_passage(&mut self) {
        let passage = std::mem::take(&mut self.passage);
        if !passage.is_empty() {
            let titles: Vec<&str> = self.headings.iter().map(|(_, title)| title.as_str()).collect();
            self.passages.extend(passages(&titles.join(" / "), &passage, self.begin));
        }
    }
}
