//! Long words as several messages.

use unicode_segmentation::UnicodeSegmentation;

/// Longest text of one message, in characters: the channel's limit.
const MAX_CHARS: usize = 4_096;
/// Most messages of one answer; what is longer ends in an ellipsis.
const MAX_PARTS: usize = 8;

/// Where a text is best taken apart.
const BOUNDS: [&str; 8] = ["\n\n", "\n", ". ", "! ", "? ", "。", "؟ ", "। "];

/// The texts of the messages that say a text, in order; none for a blank one. None is longer than the channel takes,
/// and none begins or ends within a word that fits, or within what a reader sees as one character.
pub(super) fn split(text: &str) -> Vec<String> {
    let (mut parts, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let end = first_part(rest);
        let (part, after) = rest.split_at(end);
        rest = after.trim_start();
        if parts.len() + 1 == MAX_PARTS && !rest.is_empty() {
            parts.push(shortened(part));
            break;
        }
        parts.push(part.trim_end().to_owned());
    }
    parts
}

/// How many bytes of a text the first message takes: at least one character.
fn first_part(text: &str) -> usize {
    let Some((limit, _)) = text.char_indices().nth(MAX_CHARS) else { return text.len() };
    // A bound in the first half would leave a short message before a long one.
    let fits = |at: usize| at > limit / 2 && at <= limit;
    let window = &text[..limit];
    let bound = BOUNDS.iter().find_map(|bound| window.rfind(bound).map(|at| at + bound.len()).filter(|at| fits(*at)));
    let word = || text.split_word_bound_indices().map(|(at, _)| at).take_while(|at| *at <= limit).last();
    let grapheme = || text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= limit).last();
    bound.or_else(|| word().filter(|at| fits(*at))).or_else(|| grapheme().filter(|at| *at > 0)).unwrap_or(limit)
}

fn shortened(part: &str) -> String {
    let mut end = part.trim_end();
    if end.chars().count() == MAX_CHARS {
        end = end.grapheme_indices(true).next_back().map_or("", |(at, _)| &end[..at]);
    }
    format!("{end}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether every part fits, and together they say the same, white space aside.
    fn parts_of(text: &str) -> Vec<String> {
        let parts = split(text);
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert!(parts.iter().all(|part| !part.is_empty() && part.chars().count() <= MAX_CHARS));
        assert_eq!(squeezed(&parts.concat()), squeezed(text));
        parts
    }

    #[test]
    fn what_fits_is_one_message_and_what_is_blank_is_none() {
        assert_eq!(parts_of(" hello "), ["hello"]);
        assert_eq!(parts_of(&"x".repeat(MAX_CHARS)).len(), 1);
        assert!(split(" \n ").is_empty());
    }

    #[test]
    fn a_long_text_is_taken_apart_where_a_reader_would() {
        let paragraph = format!("{}.", "word ".repeat(600).trim());
        let parts = parts_of(&[paragraph.as_str(); 3].join("\n\n"));
        assert_eq!(parts, [paragraph.as_str(); 3], "between paragraphs");
        let parts = parts_of(&"One sentence is here. ".repeat(400));
        assert!(parts.iter().all(|part| part.ends_with('.')), "between sentences");
        let parts = parts_of(&"supercalifragilistic ".repeat(400));
        assert!(parts.iter().all(|part| part.ends_with("istic") && part.starts_with("super")), "between words");
    }

    #[test]
    fn what_is_seen_as_one_character_stays_whole() {
        let family = "👩‍👩‍👧‍👦";
        let parts = parts_of(&family.repeat(2_000));
        assert!(parts.len() > 1 && parts.iter().all(|part| part.replace(family, "").is_empty()));
        let parts = parts_of(&"e\u{301}".repeat(5_000));
        assert!(parts.iter().all(|part| part.starts_with('e') && part.ends_with('\u{301}')));
        parts_of(&"日本語の長い文章です".repeat(1_000));
        parts_of(&format!("a{}", "\u{301}".repeat(10_000)));
    }

    #[test]
    fn a_text_without_end_has_one() {
        let parts = split(&"word ".repeat(20_000));
        assert_eq!(parts.len(), MAX_PARTS);
        assert!(parts[MAX_PARTS - 1].ends_with('…') && parts[MAX_PARTS - 1].chars().count() <= MAX_CHARS);
    }
}
