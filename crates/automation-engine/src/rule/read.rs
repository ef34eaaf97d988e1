use std::time::Duration;

use saphyr_parser::ScalarStyle;

use super::yaml::{Mark, Node, Yaml};
use super::{Known, Mistake, length, nearest};
use crate::condition::{Problem, Scopes};
use crate::template::Template;

/// Reads nodes into rules, and collects all that is wrong.
pub(super) struct Reader<'t> {
    lines: Vec<&'t str>,
    pub(super) known: &'t Known,
    mistakes: Vec<Mistake>,
    path: Vec<String>,
}

/// A mapping whose keys are known.
pub(super) struct Map<'n> {
    pub(super) node: &'n Node,
    entries: Vec<(&'n str, &'n Node)>,
}

impl<'n> Map<'n> {
    /// The value of a key, unless it is left out or `null`.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, node)| *node).filter(|node| !node.is_null())
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, known: &'t Known) -> Reader<'t> {
        Reader { lines: text.lines().collect(), known, mistakes: Vec::new(), path: Vec::new() }
    }

    /// What was wrong, in the order of the text.
    pub(super) fn into_mistakes(mut self) -> Vec<Mistake> {
        self.mistakes.sort();
        self.mistakes.dedup();
        self.mistakes
    }

    pub(super) fn wrong(&mut self, node: &Node, message: impl Into<String>) {
        self.wrong_at(node.start, message);
    }

    fn wrong_at(&mut self, mark: Mark, message: impl Into<String>) {
        let path = self.path();
        self.mistakes.push(Mistake { line: mark.line, column: mark.column, path, message: message.into() });
    }

    pub(super) fn wrong_elsewhere(&mut self, mark: Mark, path: String, message: String) {
        self.mistakes.push(Mistake { line: mark.line, column: mark.column, path, message });
    }

    /// Where it reads now.
    pub(super) fn path(&self) -> String {
        self.path.concat().trim_start_matches('.').to_owned()
    }

    /// Reads something under a key or an index.
    pub(super) fn inside<T>(&mut self, step: impl Into<String>, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.into());
        let found = read(self);
        self.path.pop();
        found
    }

    /// A mapping with these keys and no others.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str, keys: &[&str]) -> Option<Map<'n>> {
        let Yaml::Map(pairs) = &node.value else {
            self.wrong(node, format!("{what} is a mapping of {}; this is {}", keys.join(", "), node.kind()));
            return None;
        };
        let mut entries: Vec<(&str, &Node)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Some(name) = key.text() else {
                self.wrong(key, format!("a key of {what} is a word: {}", keys.join(", ")));
                continue;
            };
            if entries.iter().any(|(known, _)| *known == name) {
                self.wrong(key, format!("`{name}` stands twice: leave one out"));
            } else if keys.contains(&name) {
                entries.push((name, value));
            } else {
                let hint = nearest(name, keys.iter().copied());
                let hint = if hint.is_empty() { format!(": it has {}", keys.join(", ")) } else { hint };
                self.wrong(key, format!("{what} has no `{name}`{hint}"));
            }
        }
        Some(Map { node, entries })
    }

    /// A required value.
    pub(super) fn need<'n>(&mut self, map: &Map<'n>, what: &str, key: &str) -> Option<&'n Node> {
        let found = map.get(key);
        if found.is_none() {
            self.wrong(map.node, format!("{what} needs `{key}`"));
        }
        found
    }

    /// The elements of a list; a list alone.
    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Yaml::List(list) => list,
            _ => {
                self.wrong(node, format!("{what} is a list; this is {}", node.kind()));
                &[]
            }
        }
    }

    /// A text within a length, in bytes.
    pub(super) fn text<'n>(&mut self, node: &'n Node, what: &str, max: usize) -> Option<&'n str> {
        let Some(text) = node.text() else {
            self.wrong(node, format!("{what} is a text; this is {}", node.kind()));
            return None;
        };
        if text.is_empty() || text.len() > max {
            self.wrong(node, format!("{what} has 1 to {max} bytes; this has {}", text.len()));
            return None;
        }
        Some(text)
    }

    /// A text that stands in the clear for ever: no field of a customer may go into it.
    pub(super) fn clear_text(&mut self, node: &Node, what: &str, max: usize) -> Option<String> {
        let text = self.text(node, what, max)?;
        if text.contains("{{") {
            self.wrong(node, format!("{what} stands in the clear, so it takes no fields: write fixed words"));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.wrong(node, format!("{what} has no control characters"));
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn truth(&mut self, node: &Node, what: &str) -> Option<bool> {
        let truth = match &node.value {
            Yaml::Scalar(text, ScalarStyle::Plain) => match text.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if truth.is_none() {
            self.wrong(node, format!("{what} is true or false"));
        }
        truth
    }

    pub(super) fn number(&mut self, node: &Node, what: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let number = node.text().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(node, format!("{what} is a number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A length of time within bounds.
    pub(super) fn length(&mut self, node: &Node, what: &str, min: Duration, max: Duration) -> Option<Duration> {
        let Some(text) = node.text() else {
            self.wrong(node, format!("{what} is a length of time such as 30s, 10m or 24h; this is {}", node.kind()));
            return None;
        };
        match length::length(text) {
            Ok(length) if (min..=max).contains(&length) => Some(length),
            Ok(_) => {
                let (min, max) = (length::length_text(min), length::length_text(max));
                self.wrong(node, format!("{what} is {min} to {max}"));
                None
            }
            Err(message) => {
                self.wrong(node, message);
                None
            }
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = node.text().unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = nearest(text, all.iter().copied());
            self.wrong(node, format!("{what} is one of {}{hint}", all.join(", ")));
        }
        found
    }

    /// A text with fields.
    pub(super) fn template(&mut self, node: &Node, what: &str, scopes: &Scopes) -> Option<Template> {
        let text = self.text(node, what, crate::template::MAX_CHARS * 4)?;
        match Template::compile(text, scopes) {
            Ok(template) => Some(template),
            Err(problems) => {
                self.problems(node, &problems);
                None
            }
        }
    }

    /// Problems within a scalar, each at its place.
    pub(super) fn problems(&mut self, node: &Node, problems: &[Problem]) {
        for problem in problems {
            let mark = self.place(node, problem.offset);
            self.wrong_at(mark, problem.message.clone());
        }
    }

    /// Where a byte of a scalar's text stands in the source. Folding and indenting only change white space, so the
    /// characters in between are counted; an escape counts as one.
    fn place(&self, node: &Node, offset: usize) -> Mark {
        let Yaml::Scalar(text, style) = &node.value else { return node.start };
        let before = text.get(..offset).unwrap_or(text);
        let mut left = before.chars().filter(|c| !c.is_whitespace()).count();
        let quote = usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
        for (index, line) in self.lines.iter().enumerate().skip(node.start.line - 1) {
            let from = if index + 1 == node.start.line { node.start.column - 1 + quote } else { 0 };
            let mut chars = line.chars().enumerate().skip(from).peekable();
            while let Some((column, c)) = chars.next() {
                if c.is_whitespace() {
                    continue;
                }
                if left == 0 {
                    return Mark { line: index + 1, column: column + 1 };
                }
                left -= 1;
                let escape = c == '\\' && *style == ScalarStyle::DoubleQuoted
                    || c == '\'' && *style == ScalarStyle::SingleQuoted;
                if escape {
                    chars.next();
                }
            }
        }
        node.start
    }

    /// The text of a node as it stands, without the indentation that its first line has.
    pub(super) fn source(&self, node: &Node) -> String {
        let indent = node.start.column - 1;
        let lines = self.lines.iter().enumerate().take(node.end.line).skip(node.start.line - 1);
        let mut text = String::new();
        for (index, line) in lines {
            let number = index + 1;
            let end = if number == node.end.line { byte(line, node.end.column - 1) } else { line.len() };
            let blank = line.chars().take_while(|c| *c == ' ').count().min(indent);
            let start = if number == node.start.line { byte(line, indent) } else { blank };
            text.push_str(line.get(start..end.max(start)).unwrap_or_default());
            text.push('\n');
        }
        text
    }
}

/// Where the character of this number starts, in bytes.
fn byte(line: &str, characters: usize) -> usize {
    line.char_indices().nth(characters).map_or(line.len(), |(at, _)| at)
}
