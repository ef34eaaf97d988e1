//! Plain text: paragraphs with empty lines between them.

use unicode_segmentation::UnicodeSegmentation;

use super::contents::{Contents, Passage};

/// A passage is cut between sentences from this length on, in bytes: about what fits a screen of a phone.
const LONG: usize = 1_200;

pub(super) fn parse(text: &str) -> Contents {
    let mut passages = Vec::new();
    let mut paragraph = String::new();
    let mut begin = 1;
    for (number, line) in (1..).zip(text.lines().chain([""])) {
        if !line.trim().is_empty() {
            if paragraph.is_empty() {
                begin = number;
            } else {
                paragraph.push('\n');
            }
            paragraph.push_str(line.trim_end());
        } else if !paragraph.is_empty() {
            passages.extend(self::passages("", &paragraph, begin));
            paragraph.clear();
        }
    }
    Contents { passages, rows: Vec::new() }
}

/// A text as passages, none much longer than [`LONG`] unless a sentence is.
pub(super) fn passages(title: &str, text: &str, line: u32) -> Vec<Passage> {
    let passage = |text: &str| Passage { title: title.to_owned(), text: text.trim().to_owned(), line };
    if text.len() <= LONG {
        return vec![passage(text)];
    }
    let mut passages = Vec::new();
    let mut part = String::new();
    for piece in text.split_sentence_bounds().flat_map(pieces) {
        if !part.is_empty() && part.len() + piece.len() > LONG {
            passages.push(passage(&part));
            part.clear();
        }
        part.push_str(piece);
    }
    passages.push(passage(&part));
    passages.retain(|passage| !passage.text.is_empty());
    passages
}

/// A sentence, cut where it is longer than any sentence.
fn pieces(sentence: &str) -> impl Iterator<Item = &str> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.len().min(LONG);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}
