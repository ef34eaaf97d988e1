//! A recorded turn that a candidate is asked about, and what it would do.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Error, Keyring};
use bytes::Bytes;
use conversation::{Revision, Time};
use proto::v1;
use proto::v1::actor::Kind;
use proto::v1::bot_turn::Deed as Did;
use proto::v1::timeline_entry::Entry;

use crate::brain::{Brain, Thought};
use crate::turn::chat::Chat;
use crate::turn::deed::Deed;
use crate::turn::gather::{Stand, Turn};
use crate::turn::mark::Mark;
use crate::turn::options::Workspace;

/// Bytes that a line takes beside its words.
const OVERHEAD: usize = 200;
/// Longest words of an example, in characters.
const SHOWN: usize = 300;

/// What stands in a chat: something said, sealed, or a stamp of the bot's own.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) revision: Revision,
    said: Option<Said>,
}

#[derive(Clone, Debug)]
struct Said {
    by: Kind,
    id: String,
    r#type: String,
    sealed: Bytes,
    /// In bytes, when it was kept: an edit does not count.
    size: usize,
    revoked: bool,
}

impl Line {
    pub(super) fn of(revision: Revision, by: Kind, id: &str, r#type: &str, sealed: &Bytes) -> Line {
        // A copy: the event that it stands in may be much larger.
        let (id, sealed) = (id.to_owned(), Bytes::copy_from_slice(sealed));
        let size = sealed.len();
        Line { revision, said: Some(Said { by, id, r#type: r#type.to_owned(), sealed, size, revoked: false }) }
    }

    pub(super) fn own_stamp(revision: Revision) -> Line {
        Line { revision, said: None }
    }

    /// Of a message; empty for a stamp.
    pub(super) fn id(&self) -> &str {
        self.said.as_ref().map_or("", |said| said.id.as_str())
    }

    pub(super) fn bytes(&self) -> usize {
        OVERHEAD + self.said.as_ref().map_or(0, |said| said.size)
    }

    pub(super) fn edit(&mut self, sealed: &Bytes) {
        if let Some(said) = &mut self.said {
            said.sealed = Bytes::copy_from_slice(sealed);
        }
    }

    pub(super) fn revoke(&mut self) {
        if let Some(said) = &mut self.said {
            said.revoked = true;
        }
    }

    /// As the timeline shows it; `None` where it can't be read.
    fn entry(&self, keyring: &Keyring) -> Option<v1::TimelineEntry> {
        let entry = match &self.said {
            Some(said) => Entry::Message(said.message(keyring)?),
            None => {
                let actor = Some(v1::Actor { kind: Kind::Bot.into(), ..v1::Actor::default() });
                Entry::Stamp(v1::Stamp { actor, ..v1::Stamp::default() })
            }
        };
        let revision = i64::try_from(self.revision).unwrap_or(i64::MAX);
        Some(v1::TimelineEntry { revision, entry: Some(entry), ..v1::TimelineEntry::default() })
    }
}

impl Said {
    fn message(&self, keyring: &Keyring) -> Option<v1::Message> {
        let sealed: v1::SealedMessage = keyring.open(&self.sealed).ok()?;
        let inbound = self.by == Kind::Customer;
        let direction = if inbound { v1::Direction::Inbound } else { v1::Direction::Outbound };
        Some(v1::Message {
            id: self.id.clone(),
            actor: Some(v1::Actor { kind: self.by.into(), ..v1::Actor::default() }),
            direction: direction.into(),
            r#type: self.r#type.clone(),
            revoked: self.revoked,
            ..sealed.message.unwrap_or_default()
        })
    }
}

/// A turn that was recorded, and the chat it stands in.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) conversation: Arc<str>,
    /// Of its last message.
    pub(super) revision: Revision,
    pub(super) time: Time,
    pub(super) id: String,
    pub(super) messages: usize,
    pub(super) stand: Stand,
    /// See [`super::log::Log::mark`].
    pub(super) era: u32,
    /// Newest first.
    pub(super) lines: Vec<Line>,
}

/// What a candidate would do about a turn.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) deed: Did,
    pub(super) intent: String,
    pub(super) score: f64,
    pub(super) conversation: Arc<str>,
    pub(super) time: Time,
    /// What the customer said, cut.
    pub(super) text: String,
    /// What it would say, or why not, cut.
    pub(super) words: String,
}

/// Who is asked, and under which settings.
pub(crate) struct Candidate {
    pub(crate) brain: Arc<dyn Brain>,
    pub(crate) name: String,
    pub(super) workspace: Workspace,
    pub(super) pause: Duration,
    pub(super) think: Duration,
    pub(super) unhelpful: u32,
}

impl Candidate {
    /// What it would do, and what it counts from then on; no verdict where the words can't be read.
    pub(super) async fn judge(&self, bus: &Bus, ask: &Ask, before: Mark) -> Result<(Option<Verdict>, Mark), Error> {
        let Some(keyring) = bus.conversation(&self.name, &ask.conversation).await? else { return Ok((None, before)) };
        let chat = Chat::of(ask.lines.iter().filter_map(|line| line.entry(&keyring)).collect());
        let messages: Vec<_> = chat.back_from(&ask.id).take(ask.messages).collect();
        if messages.is_empty() {
            return Ok((None, before));
        }
        let turn = Turn::of(&self.name, &chat, &messages, before);
        if turn.is_empty() {
            let silent = Mark { deed: Did::Silent, ..before };
            return Ok((Some(verdict(ask, &turn, &Deed::Silence("nothing was said"), silent, None)), silent));
        }
        let thought = if turn.unreadable { None } else { self.thought(&turn).await };
        let (deed, mark) = turn.deed(thought.clone(), ask.stand, &self.workspace, self.unhelpful);
        Ok((Some(verdict(ask, &turn, &deed, mark, thought)), mark))
    }

    async fn thought(&self, turn: &Turn) -> Option<Thought> {
        let thinking = tokio::time::timeout(self.think, self.brain.think(turn.question.clone())).await;
        match thinking {
            Ok(thought) => thought.inspect_err(|error| tracing::debug!(%error, "a candidate could not think")).ok(),
            Err(_) => None,
        }
    }
}

fn verdict(ask: &Ask, turn: &Turn, deed: &Deed, mark: Mark, thought: Option<Thought>) -> Verdict {
    let words = match deed {
        Deed::Say { text, .. } | Deed::AskBack { text: Some(text) } | Deed::Close { text } => text.clone(),
        Deed::AskBack { text: None } => String::new(),
        Deed::HandOff { why, .. } => why.text(),
        Deed::Silence(why) => (*why).to_owned(),
    };
    Verdict {
        deed: mark.deed,
        score: thought.as_ref().map_or(0.0, |thought| thought.score),
        intent: thought.and_then(|thought| thought.intent).unwrap_or_default(),
        conversation: ask.conversation.clone(),
        time: ask.time,
        text: cut(&turn.question.text),
        words: cut(&words),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
