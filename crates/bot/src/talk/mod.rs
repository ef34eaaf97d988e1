//! What customers say about the chat itself: that they want a human, that it did not help, thanks, greetings.
//!
//! Small tables of phrases in many languages. A wish for a human is found anywhere in a message; everything else has to
//! be the whole message, so that "thanks, but my card does not work" is no thanks.

mod phrase;
#[cfg(test)]
mod tests;
mod words;

use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

use crate::retrieval::words::fold;
use phrase::{Kind, Table};

pub(crate) use words::{Sentence, say};

/// The phrases, as they come with the program.
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("phrases.txt")));
/// Words of a message that are looked at: who writes more does not only say thanks.
const MOST: usize = 200;
/// Signs that are thanks on their own.
const THANKFUL: [char; 12] = ['👍', '🙏', '❤', '😊', '🙂', '😀', '😍', '👌', '🎉', '💯', '😁', '🤝'];

/// What a message says about the chat itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// The customer wants a human.
    Human,
    /// The last answer did not help.
    NotHelped,
    /// It is solved.
    Solved,
    /// Thanks, or goodbye.
    Thanks,
    /// A greeting.
    Greeting,
}

/// What a message says about the chat itself; `None` where it is about something else.
pub(crate) fn remark(text: &str) -> Option<Remark> {
    let folded = fold(text);
    let words: Vec<&str> = folded.unicode_words().take(MOST).collect();
    if words.is_empty() {
        return text.chars().any(|c| THANKFUL.contains(&c)).then_some(Remark::Thanks);
    }
    if TABLE.finds(Kind::Human, &words) && !TABLE.finds(Kind::NotHuman, &words) {
        return Some(Remark::Human);
    }
    let kinds = TABLE.covers(&words)?;
    [
        (Kind::AloneHuman, Remark::Human),
        (Kind::NotHelped, Remark::NotHelped),
        (Kind::Solved, Remark::Solved),
        (Kind::Thanks, Remark::Thanks),
        (Kind::Greeting, Remark::Greeting),
    ]
    .into_iter()
    .find_map(|(kind, remark)| kinds.contains(&kind).then_some(remark))
}

/// Whether there are words in a text: emoji and signs are none.
pub(crate) fn has_words(text: &str) -> bool {
    text.unicode_words().next().is_some()
}
