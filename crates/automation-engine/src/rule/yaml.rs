//! YAML as a tree with positions, within bounds: nothing is copied, so that no text grows by being read.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::Mistake;

/// Deepest nesting: a rule needs some eight.
const MAX_DEPTH: usize = 32;
/// Most mappings, lists and scalars.
const MAX_NODES: usize = 200_000;

/// A place in a text: line from 1, column in characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Something in a YAML text, and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: Mark,
    /// Just after it.
    pub(super) end: Mark,
    pub(super) value: Yaml,
}

#[derive(Debug)]
pub(super) enum Yaml {
    /// Text, and whether it is quoted or a block.
    Scalar(String, ScalarStyle),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar that isn't `null`.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Yaml::Scalar(text, _) if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Whether it says the same, wherever it stands.
    pub(super) fn same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Yaml::Scalar(a, style), Yaml::Scalar(b, other)) => a == b && style == other,
            (Yaml::List(a), Yaml::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Yaml::Map(a), Yaml::Map(b)) => {
                let pairs = a.iter().zip(b);
                a.len() == b.len() && pairs.into_iter().all(|((k, v), (l, w))| k.same(l) && v.same(w))
            }
            _ => false,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Yaml::Scalar(text, ScalarStyle::Plain) if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Yaml::Scalar(..) if self.is_null() => "nothing",
            Yaml::Scalar(..) => "a text",
            Yaml::List(_) => "a list",
            Yaml::Map(_) => "a mapping",
        }
    }
}

/// The documents of a text.
///
/// # Errors
/// The first place that can't be read: what follows it can't be told.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, Mistake> {
    let mut tree = Tree { open: Vec::new(), documents: Vec::new(), nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = Mark { line: error.marker().line(), column: error.marker().col() + 1 };
            mistake(mark, format!("this is no YAML: {}", error.info()))
        })?;
        tree.take(event, span)?;
    }
    Ok(tree.documents)
}

fn mistake(mark: Mark, message: impl Into<String>) -> Mistake {
    Mistake { line: mark.line, column: mark.column, path: String::new(), message: message.into() }
}

struct Tree {
    open: Vec<Open>,
    documents: Vec<Node>,
    nodes: usize,
}

/// A list or mapping that has not ended.
struct Open {
    start: Mark,
    last: Mark,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
        let (start, end) = (mark(span.start), mark(span.end));
        match event {
            Event::Alias(_) => Err(mistake(start, "aliases are not taken: write the value out")),
            Event::Scalar(text, style, anchor, tag) => {
                plain(start, anchor, tag.is_some())?;
                let node = Node { start, end, value: Yaml::Scalar(text.into_owned(), style) };
                self.add(node, end)
            }
            Event::SequenceStart(anchor, tag) => {
                plain(start, anchor, tag.is_some())?;
                self.open(start, end, Parts::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                plain(start, anchor, tag.is_some())?;
                self.open(start, end, Parts::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, start: Mark, last: Mark, parts: Parts) -> Result<(), Mistake> {
        if self.open.len() >= MAX_DEPTH {
            return Err(mistake(start, format!("is nested more than {MAX_DEPTH} deep")));
        }
        self.open.push(Open { start, last, parts });
        Ok(())
    }

    /// Blocks end where their last part does; brackets and braces just after the closing one, which a span may go past.
    fn close(&mut self, span: Span) -> Result<(), Mistake> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let bracket = Mark { line: span.start.line(), column: span.start.col() + 2 };
        let end = if span.is_empty() { open.last } else { bracket };
        let value = match open.parts {
            Parts::List(list) => Yaml::List(list),
            Parts::Map(entries, _) => Yaml::Map(entries),
        };
        self.add(Node { start: open.start, end, value }, end)
    }

    fn add(&mut self, node: Node, end: Mark) -> Result<(), Mistake> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(mistake(node.start, format!("there are more than {MAX_NODES} values in this text")));
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(open) => {
                open.last = open.last.max(end);
                match &mut open.parts {
                    Parts::List(list) => list.push(node),
                    Parts::Map(entries, key) => match key.take() {
                        Some(key) => entries.push((key, node)),
                        None => *key = Some(node),
                    },
                }
            }
        }
        Ok(())
    }
}

fn plain(start: Mark, anchor: usize, tagged: bool) -> Result<(), Mistake> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err(mistake(start, "tags (!…) are not taken: leave it out")),
        _ => Err(mistake(start, "anchors are not taken: leave it out")),
    }
}

fn mark(marker: saphyr_parser::Marker) -> Mark {
    Mark { line: marker.line(), column: marker.col() + 1 }
}
