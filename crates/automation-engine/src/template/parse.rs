use super::{MAX_CHARS, Piece, Placeholder};
use crate::condition::{self, Problem, Scopes};

/// The pieces of a text.
pub(super) fn pieces(source: &str, scopes: &Scopes) -> Result<Vec<Piece>, Vec<Problem>> {
    let problem = |offset: usize, message: String| Problem { offset, message };
    if source.chars().count() > MAX_CHARS {
        return Err(vec![problem(0, format!("is longer than {MAX_CHARS} characters"))]);
    }
    let (mut pieces, mut problems) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(open) = source[at..].find("{{").map(|open| at + open) {
        push_text(&mut pieces, &source[at..open]);
        let inside = open + 2;
        let Some(close) = end(source, inside) else {
            problems.push(problem(open, "a field starts here and has no end: write {{field}}".to_owned()));
            return Err(problems);
        };
        match placeholder(&source[inside..close], scopes) {
            Ok(piece) => pieces.push(piece),
            Err((offset, message)) => problems.push(problem(inside + offset, message)),
        }
        at = close + 2;
    }
    push_text(&mut pieces, &source[at..]);
    if problems.is_empty() { Ok(pieces) } else { Err(problems) }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Where the `}}` stands that ends a field; one within quotes does not.
fn end(source: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    for (at, c) in source[from..].char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '}') if source[from + at..].starts_with("}}") => return Some(from + at),
            (None, '{') => return None,
            _ => {}
        }
    }
    None
}

type Wrong = (usize, String);

/// What stands between `{{` and `}}`.
fn placeholder(inside: &str, scopes: &Scopes) -> Result<Piece, Wrong> {
    let lead = inside.len() - inside.trim_start().len();
    if let Some(text) = quoted(inside.trim()) {
        return Ok(Piece::Text(text.to_owned()));
    }
    let (path, filter) = match inside.split_once('|') {
        Some((path, filter)) => (path.trim(), Some(filter)),
        None => (inside.trim(), None),
    };
    if path.is_empty() {
        return Err((0, "names no field: write for example {{contact.display_name}}".to_owned()));
    }
    let default = match filter {
        Some(filter) => Some(default(filter).ok_or_else(|| {
            let message = "only a default can follow |: write {{field | default: \"words\"}}".to_owned();
            (inside.len() - filter.len(), message)
        })?),
        None => None,
    };
    let (field, members) = condition::resolve(path, scopes).map_err(|message| (lead, message))?;
    Ok(Piece::Field(Placeholder { field, members, default }))
}

fn default(filter: &str) -> Option<String> {
    let words = filter.trim().strip_prefix("default")?.trim_start().strip_prefix(':')?;
    quoted(words.trim()).map(str::to_owned)
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote))
}
