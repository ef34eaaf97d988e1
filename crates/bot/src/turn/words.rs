//! What the bot says of its own: everything else comes from a brain.

use crate::brain::Source;

/// Longest name of a source that is shown, in characters.
const MAX_SOURCE: usize = 160;

/// Words for the moments that no brain has words for.
pub(super) struct Words {
    /// The conversation goes to humans.
    pub(super) handed_off: &'static str,
    /// It did not help, or was not understood.
    pub(super) again: &'static str,
    /// Its own ticket is closed.
    pub(super) closed: &'static str,
}

pub(super) const ENGLISH: Words = Words {
    handed_off: "I'm passing this to a colleague, who will answer you here.",
    again: "I'm sorry that did not help. Could you say it in other words?",
    closed: "Glad to hear it. I have closed your request.",
};

/// An answer with where it comes from.
pub(super) fn sourced(text: &str, source: Option<&Source>) -> String {
    match source.map(name).filter(|name| !name.is_empty()) {
        Some(name) => format!("{}\n\n— {name}", text.trim_end()),
        None => text.to_owned(),
    }
}

/// The name of a source, on one line.
pub(super) fn name(source: &Source) -> String {
    let both = [source.document.trim(), source.title.trim()].into_iter().filter(|part| !part.is_empty());
    let name = both.collect::<Vec<_>>().join(": ").replace(char::is_control, " ");
    match name.char_indices().nth(MAX_SOURCE) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name,
    }
}
