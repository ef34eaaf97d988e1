//! What a brain is asked, and what it may say.

use futures::future::BoxFuture;

/// One turn of the customer: messages that came within a short pause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Whose knowledge is asked.
    pub workspace: String,
    /// What the customer says, one message on each line.
    pub text: String,
    /// What was said before since the bot took the chat, oldest first.
    pub history: Vec<Said>,
    /// Whether the bot has asked back already since it took the chat.
    pub clarified: bool,
}

/// Something that was said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// By whom.
    pub by: Speaker,
    /// The words.
    pub text: String,
}

/// Who speaks in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The bot, or a rule.
    Bot,
    /// A human of the business.
    Agent,
}

/// What a brain says of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Thought {
    /// What to do.
    pub outcome: Outcome,
    /// The probability that the best answer is right, in 0..=1, whatever the outcome is.
    pub score: f64,
    /// The best intent, if what comes nearest has one.
    pub intent: Option<String>,
}

/// What to do about a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Say this. An empty text: the intent is sure and there are no words for it, so a live bot hands off.
    Reply {
        /// The words.
        text: String,
        /// Where they come from, best first.
        sources: Vec<Source>,
    },
    /// Ask back, once.
    Clarify {
        /// The words.
        text: String,
    },
    /// Give the chat to humans.
    Handoff {
        /// Why.
        reason: HandoffReason,
        /// What it is about, as far as that is known.
        topic: Option<String>,
    },
    /// The customer says that it is solved. Words to say to that, possibly none.
    Solved {
        /// The words.
        text: String,
    },
    /// Nothing is asked: thanks, a greeting. Words to say back, possibly none.
    Nothing {
        /// The words.
        text: String,
    },
}

/// Why a chat is given to humans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffReason {
    /// Nothing that is known is surely meant.
    NotSure,
    /// The customer asks for a human.
    AskedForHuman,
    /// The customer says that the last answer did not help. How often it has to be said is the turn's to count.
    NotHelped,
    /// The workspace has no knowledge.
    NoKnowledge,
    /// There are no words in it.
    NoWords,
}

/// Where an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The document's name.
    pub document: String,
    /// Its version.
    pub version: i64,
    /// The headings above the passage, joined by " / ", or a row's question.
    pub title: String,
    /// The passage.
    pub text: String,
    /// Where it begins in the document, counted from 1.
    pub line: u32,
}

/// Why a brain has nothing to say.
#[derive(Debug, thiserror::Error)]
pub enum BrainError {
    /// It is away or too slow: another may be asked, or this one later.
    #[error("{0}")]
    Away(String),
    /// It says what makes no sense, and would say it again.
    #[error("{0}")]
    Nonsense(String),
}

/// Thinks about turns; decides nothing.
pub trait Brain: Send + Sync {
    /// What to do about a turn.
    ///
    /// # Errors
    /// [`BrainError`]. It answers within its own deadline.
    fn think(&self, question: Question) -> BoxFuture<'_, Result<Thought, BrainError>>;
}
