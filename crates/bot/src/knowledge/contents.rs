//! What a document holds, whatever its format.

/// What a document holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Passages that can be given as an answer.
    pub(crate) passages: Vec<Passage>,
    /// Phrases of customers.
    pub(crate) rows: Vec<Row>,
}

impl Contents {
    /// What can be given as an answer.
    pub(crate) fn passage_count(&self) -> usize {
        self.passages.len() + self.rows.iter().filter(|row| !row.answer.is_empty()).count()
    }

    /// Phrases of customers.
    pub(crate) fn example_count(&self) -> usize {
        self.rows.iter().map(|row| row.phrases.len()).sum()
    }
}

/// A passage of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    /// The headings above it, joined by " / ".
    pub(crate) title: String,
    /// The words.
    pub(crate) text: String,
    /// Where it begins, counted from 1.
    pub(crate) line: u32,
}

/// What customers may say, what they mean by it, and what to say to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// What customers say: one phrase or two.
    pub(crate) phrases: Vec<String>,
    /// What they mean; rows without one are an intent of their own.
    pub(crate) intent: Option<String>,
    /// What to say; empty for nothing.
    pub(crate) answer: String,
    /// Where it stands, counted from 1.
    pub(crate) line: u32,
}

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub(crate) line: usize,
    /// In characters, counted from 1.
    pub(crate) column: usize,
    /// What is wrong and what to do.
    pub(crate) reason: String,
}

impl Mistake {
    pub(crate) fn at(line: usize, column: usize, reason: impl Into<String>) -> Mistake {
        Mistake { line, column, reason: reason.into() }
    }
}

/// Longest document, in bytes: what one request with its envelope carries with room to spare.
pub(crate) const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Rows or passages of a document at most.
pub(crate) const MAX_ITEMS: usize = 100_000;
/// Passages and examples of a workspace at most: an index of so many is built in well under a minute.
pub(crate) const MAX_PASSAGES: i64 = 200_000;
/// Longest phrase, in bytes: a long chat message.
pub(crate) const MAX_PHRASE: usize = 4 * 1024;
/// Longest answer, in bytes: eight messages of the longest that WhatsApp takes.
pub(crate) const MAX_ANSWER: usize = 32 * 1024;
/// Longest intent, in bytes: it may become the topic of a ticket.
pub(crate) const MAX_INTENT: usize = 256;
/// Mistakes that are told at once.
pub(crate) const MAX_MISTAKES: usize = 50;
