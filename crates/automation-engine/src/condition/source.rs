use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::{ParseErrors, Parser};

use super::{MAX_BRACKETS, MAX_OPERATORS, MAX_SOURCE_BYTES, Problem};

/// One of the parts that `&&` joins at the top.
pub(super) struct Piece<'s> {
    pub(super) text: &'s str,
    /// Where it starts in the whole.
    pub(super) offset: usize,
    pub(super) expr: IdedExpr,
    pub(super) info: SourceInfo,
}

/// Parses a condition, part by part.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece<'_>>, Vec<Problem>> {
    let spans = scan(source).map(|scan| scan.pieces).unwrap_or_default();
    let parts: Vec<(&str, usize)> = spans.into_iter().map(|(start, end)| trimmed(source, start, end)).collect();
    // An empty part is told by the parser, which knows what it would be.
    if source.len() > MAX_SOURCE_BYTES || parts.len() < 2 || parts.iter().any(|(text, _)| text.is_empty()) {
        return Ok(vec![parse(source, 0)?]);
    }
    let mut pieces = Vec::new();
    let mut problems = Vec::new();
    for (text, at) in parts {
        match parse(text, at) {
            Ok(piece) => pieces.push(piece),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() { Ok(pieces) } else { Err(problems) }
}

/// Parses one expression.
pub(super) fn parse(source: &str, offset: usize) -> Result<Piece<'_>, Vec<Problem>> {
    let problem = |at: usize, message: String| vec![Problem { offset: offset + at, message }];
    if source.trim().is_empty() {
        return Err(problem(0, "is empty: leave it out, or write an expression".to_owned()));
    }
    if source.len() > MAX_SOURCE_BYTES {
        return Err(problem(0, format!("is longer than {MAX_SOURCE_BYTES} bytes: split it into several rules")));
    }
    scan(source).map_err(|(at, message)| problem(at, format!("{message}: split it into several rules")))?;
    let (expr, info) =
        Parser::default().parse_with_source_info(source).map_err(|errors| syntax(source, offset, &errors))?;
    Ok(Piece { text: source, offset, expr, info })
}

struct Scan {
    /// Start and end of what `&&` joins outside of brackets; the whole where something binds less.
    pieces: Vec<(usize, usize)>,
}

/// Looks at brackets and quotes alone.
///
/// # Errors
/// Where the parser would recurse too deep.
fn scan(source: &str) -> Result<Scan, (usize, String)> {
    let bytes = source.as_bytes();
    let (mut depth, mut operators, mut at, mut start) = (0_usize, 0_usize, 0, 0);
    let (mut pieces, mut whole) = (Vec::new(), false);
    while at < bytes.len() {
        if matches!(bytes[at], b'+' | b'-' | b'*' | b'/' | b'%' | b'.' | b'[' | b'?') {
            operators += 1;
        }
        if operators > MAX_OPERATORS {
            return Err((at, format!("there are more than {MAX_OPERATORS} operators and dots")));
        }
        match bytes[at] {
            b'"' | b'\'' => at = end_of_string(bytes, at),
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > MAX_BRACKETS {
                    return Err((at, format!("brackets are nested more than {MAX_BRACKETS} deep")));
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'|' | b'?' if depth == 0 => whole = true,
            b'&' if depth == 0 && bytes.get(at + 1) == Some(&b'&') => {
                pieces.push((start, at));
                at += 1;
                start = at + 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| at + end);
            }
            _ => {}
        }
        at += 1;
    }
    pieces.push((start, bytes.len()));
    Ok(Scan { pieces: if whole { vec![(0, bytes.len())] } else { pieces } })
}

/// The last byte of the string that starts with the quote at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let raw = at > 0 && matches!(bytes[at - 1], b'r' | b'R');
    let triple = bytes[at..].starts_with(&[quote, quote, quote]);
    let width = if triple { 3 } else { 1 };
    let mut end = at + width;
    while end < bytes.len() {
        if bytes[end] == b'\\' && !raw {
            end += 2;
            continue;
        }
        if bytes[end..].starts_with(&[quote, quote, quote][..width]) {
            return end + width - 1;
        }
        end += 1;
    }
    bytes.len()
}

fn trimmed(source: &str, start: usize, end: usize) -> (&str, usize) {
    let piece = source.get(start..end).unwrap_or_default();
    let text = piece.trim_start();
    (text.trim_end(), start + piece.len() - text.len())
}

/// What the parser found, in fewer words.
fn syntax(source: &str, offset: usize, errors: &ParseErrors) -> Vec<Problem> {
    let problems = errors.errors.iter().take(3).map(|error| {
        let (line, column) = error.pos;
        let start = line_start(source, usize::try_from(line).unwrap_or(1));
        let at = start + usize::try_from(column).unwrap_or(1).saturating_sub(1);
        Problem { offset: offset + at.min(source.len()), message: plain(&error.msg) }
    });
    let mut problems: Vec<Problem> = problems.collect();
    if problems.is_empty() {
        problems.push(Problem { offset, message: "can't be parsed".to_owned() });
    }
    problems
}

/// Where a line starts, counted from 1.
fn line_start(source: &str, line: usize) -> usize {
    source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

/// The parser lists every token that it would take: that helps nobody.
fn plain(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    let input = ["mismatched input ", "extraneous input "].iter().find_map(|start| message.strip_prefix(start));
    match (input, message.strip_prefix("token recognition error at: ")) {
        (Some("'<EOF>'"), _) => "ends too early: something is missing here".to_owned(),
        (Some(input), _) => format!("{input} is not expected here"),
        (_, Some(token)) => format!("{} means nothing here", token.trim()),
        (None, None) => format!("can't be parsed: {message}"),
    }
}
