//! Text as a terminal shows it: what is safe to print, how wide it is, where it may be broken.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// How many cells a text without control characters takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// What others wrote, safe to print: line breaks stay, other control characters (a terminal would obey them) are
/// replaced, and characters that reorder the text around them are taken out.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\r' => {}
            '\t' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// As [`clean`], on one line.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Broken into lines of at most `cells`, at spaces where there are any, else between characters as people count them.
/// Words wider than a whole line are broken; a single character that is wider stands alone.
pub(crate) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        lines.push(String::new());
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            add_word(&mut lines, word, cells);
        }
    }
    while lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn add_word(lines: &mut Vec<String>, word: &str, cells: usize) {
    let used = lines.last().map_or(0, |line| width(line));
    let gap = if used > 0 { " " } else { "" };
    if used + gap.len() + width(word) <= cells {
        append(lines, gap);
        return append(lines, word);
    }
    if used > 0 {
        lines.push(String::new());
    }
    for character in word.graphemes(true) {
        let used = lines.last().map_or(0, |line| width(line));
        if used > 0 && used + width(character) > cells {
            lines.push(String::new());
        }
        append(lines, character);
    }
}

fn append(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// Cut to at most `cells`, with an ellipsis where something is missing.
pub(crate) fn fit(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut out = String::new();
    for character in text.graphemes(true) {
        if width(&out) + width(character) + 1 > cells {
            break;
        }
        out.push_str(character);
    }
    if cells > 0 {
        out.push('…');
    }
    out
}

/// A line that reads from right to left is isolated, so that a terminal which reorders text leaves brackets and times
/// around it alone.
pub(crate) fn isolate(line: &str) -> String {
    if line.chars().any(is_rtl) { format!("\u{2068}{line}\u{2069}") } else { line.to_owned() }
}

fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("", 5, &[""]),
            ("one two three", 7, &["one two", "three"]),
            ("one  two", 20, &["one two"]),
            ("a\n\nb\n", 9, &["a", "", "b"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("to abcdefgh me", 4, &["to", "abcd", "efgh", "me"]),
            ("日本語です", 4, &["日本", "語で", "す"]),
            ("👩‍👩‍👧👍🏽x", 2, &["👩‍👩‍👧", "👍🏽", "x"]),
            ("日", 1, &["日"]),
        ];
        for (text, cells, lines) in cases {
            assert_eq!(wrap(text, *cells), *lines, "{text:?} in {cells}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_taken_out() {
        assert_eq!(clean("a\u{1b}[31mb\tc\r\nd\u{202e}e\u{9b}f"), "a\u{fffd}[31mb c\nde\u{fffd}f");
        assert_eq!(clean_line("a\nb"), "a b");
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(fit("hello", 5), "hello");
        assert_eq!(fit("hello", 4), "hel…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("hello", 0), "");
    }

    #[test]
    fn text_from_right_to_left_is_isolated() {
        assert_eq!(isolate("שלום 12"), "\u{2068}שלום 12\u{2069}");
        assert_eq!(isolate("hello"), "hello");
        assert_eq!(width(&isolate("שלום")), 4);
    }
}
