//! Reading a turn: which messages are part of it, what was said before, and what the turn before counted.

use bus::{HandlerError, Loaded};
use conversation::{ActorKind, Revision, State, Time};
use proto::v1;
use proto::v1::bot_turn::Deed as Did;

use super::chat::{Chat, Inbound, is_foreign_stamp};
use super::deed::{About, Deed, Why, deed, hand_off};
use super::heard::{Heard, is_human_act, is_live};
use super::mark::Mark;
use super::options::{BOT, Workspace};
use super::reading::Reading;
use super::record::run_about;
use super::{Inner, away};
use crate::brain::{Question, Speaker, Thought};

/// Most messages of one turn: who writes more without a pause gets an answer in between.
pub(super) const MAX_MESSAGES: usize = 16;
/// Longest text of a turn, in characters; the newest messages count.
const MAX_TEXT: usize = 8_000;
/// Most events since a ticket was opened that are looked through for what humans did; where more has happened, one may
/// have acted.
const MAX_EVENTS: usize = 1_000;

/// Why it may be the bot's turn (W12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It holds the conversation.
    Holds,
    /// It does not, but all open tickets are of its own making, the first opened at this revision.
    OwnTickets(Revision),
}

impl Stand {
    /// `None` while humans have the conversation.
    pub(super) fn of(loaded: &Loaded) -> Option<Stand> {
        Stand::after(loaded.state(), loaded.last())
    }

    /// After the last decision, which left a state.
    pub(super) fn after(state: &State, last: Option<&v1::Event>) -> Option<Stand> {
        if state.bot_holds() {
            return Some(Stand::Holds);
        }
        let human_was_last = last.is_some_and(is_human_act);
        own_tickets(state).filter(|_| !human_was_last).map(Stand::OwnTickets)
    }
}

fn own_tickets(state: &State) -> Option<Revision> {
    let first = state.open.iter().map(|open| open.open_revision).min()?;
    let own = |actor: &conversation::Actor| actor.kind == ActorKind::Bot && actor.id == BOT;
    (!state.bot_paused && state.open.iter().all(|open| own(&open.opened_by))).then_some(first)
}

/// A turn of the customer.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) question: Question,
    /// When its first message was recorded.
    pub(super) began: Option<Time>,
    /// How many messages it has.
    pub(super) messages: usize,
    /// What the turns before counted.
    pub(super) before: Mark,
    /// Whether something beside the words can't be read.
    pub(super) captioned: bool,
    /// Whether there are no words, and something that can't be read.
    pub(super) unreadable: bool,
    /// Whether the bot has said something before.
    pub(super) spoke: bool,
}

impl Turn {
    /// Of messages of a chat, newest first.
    pub(super) fn of(workspace: &str, chat: &Chat, messages: &[Inbound<'_>], before: Mark) -> Turn {
        let first = messages.last();
        let history = chat.history(first.map_or(Revision::MAX, |first| first.revision));
        let readings: Vec<Reading<'_>> = messages.iter().map(|inbound| Reading::of(inbound.message)).collect();
        let beside = |reading: &Reading<'_>| matches!(reading, Reading::Caption(_) | Reading::Unreadable);
        let text = text(&readings);
        Turn {
            captioned: readings.iter().any(beside),
            unreadable: text.is_empty() && readings.contains(&Reading::Unreadable),
            spoke: history.iter().any(|said| said.by == Speaker::Bot),
            began: first.and_then(|first| first.message.record_time.as_ref()).and_then(proto::time),
            messages: messages.len(),
            before,
            question: Question { workspace: workspace.to_owned(), text, history, clarified: before.clarified > 0 },
        }
    }

    /// Whether there is nothing to think about: no words, and nothing beside them.
    pub(super) fn is_empty(&self) -> bool {
        self.question.text.is_empty() && !self.unreadable
    }

    /// What is done about it, and what to remember of that. `None` stands for a brain that could not think.
    pub(super) fn deed(
        &self,
        thought: Option<Thought>,
        stand: Stand,
        workspace: &Workspace,
        unhelpful: u32,
    ) -> (Deed, Mark) {
        if stand == Stand::Holds && self.unreadable {
            return (hand_off(Why::Media, ""), Mark { deed: Did::HandedOff, ..self.before });
        }
        let about = About {
            workspace,
            unhelpful,
            before: self.before,
            own_tickets: stand != Stand::Holds,
            captioned: self.captioned,
            spoke: self.spoke,
        };
        deed(thought, &about)
    }
}

impl Inner {
    /// Reads the turn that a message ends. `None` if nobody waits for its answer: it was said while humans had the
    /// conversation, or they have it still.
    pub(super) async fn gather(
        &self,
        heard: &Heard,
        loaded: &Loaded,
        stand: Stand,
    ) -> Result<Option<Turn>, HandlerError> {
        let (workspace, conversation) = (heard.workspace.as_str(), heard.conversation.as_str());
        let since = match stand {
            Stand::Holds => None,
            Stand::OwnTickets(since) => Some(since),
        };
        if let Some(since) = since
            && self.human_acted(heard, since).await?
        {
            return Ok(None);
        }
        let earlier = |entry: &v1::TimelineEntry, since| u64::try_from(entry.revision).is_ok_and(|at| at < since);
        let enough = |entry: &v1::TimelineEntry| match since {
            None => is_foreign_stamp(entry),
            Some(since) => earlier(entry, since),
        };
        let min = heard.revision.max(loaded.revision());
        let asked = self.view.newest(workspace, conversation, min, enough).await;
        let entries = asked.map_err(|status| HandlerError::Retry(format!("TicketService: {status}")))?;
        let chat = Chat::of(entries);
        let mut inbound = chat.back_from(&heard.id);
        let Some(last) = inbound.next() else { return Ok(None) };
        let (mut turn, mut before) = (vec![last], Mark::default());
        for message in inbound {
            let Some(mark) = self.mark(workspace, conversation, message.id).await? else { break };
            if mark.deed != Did::Joined || turn.len() == MAX_MESSAGES {
                before = mark;
                break;
            }
            turn.push(message);
        }
        let mut turn = Turn::of(workspace, &chat, &turn, before);
        turn.began.get_or_insert(heard.time);
        Ok(Some(turn))
    }

    /// Whether a human may have done something in a conversation since a revision. The log is asked and not the timeline,
    /// in which tags and pauses are not to be seen.
    async fn human_acted(&self, heard: &Heard, since: Revision) -> Result<bool, HandlerError> {
        let mut from = since;
        for _ in 0..MAX_EVENTS {
            let next = self.bus.event_from(&heard.workspace, &heard.conversation, from).await.map_err(away)?;
            let Some((revision, event)) = next else { return Ok(false) };
            if is_human_act(&event) {
                return Ok(true);
            }
            from = revision + 1;
        }
        Ok(true)
    }

    /// What the bot did about a message; `None` if it never had to do with it.
    async fn mark(&self, workspace: &str, conversation: &str, message: &str) -> Result<Option<Mark>, HandlerError> {
        let found = self.bus.recorded_run(workspace, &run_about(conversation, message)).await.map_err(away)?;
        Ok(found.map(|(_, run)| Mark::of(&run.turn.unwrap_or_default())))
    }

    /// The message that takes a turn further, if one has come: this turn is answered with that one.
    pub(super) async fn continued(&self, heard: &Heard, turn: &Turn) -> Result<Option<String>, HandlerError> {
        if turn.messages >= MAX_MESSAGES {
            return Ok(None);
        }
        let last = self.bus.last_message(&heard.workspace, &heard.conversation).await.map_err(away)?;
        let later = last.filter(|(revision, event)| *revision > heard.revision && event.id != heard.id);
        let Some((_, later)) = later.filter(|(_, event)| is_live(event)) else { return Ok(None) };
        // The same fact may stand on the stream twice: one that was worked on before takes nothing further.
        let known = self.mark(&heard.workspace, heard.conversation.as_str(), &later.id).await?.is_some();
        Ok(Some(later.id).filter(|_| !known))
    }
}

/// The words of a turn, whose messages come newest first, as one text, oldest first.
fn text(readings: &[Reading<'_>]) -> String {
    let mut room = MAX_TEXT;
    let mut lines = Vec::new();
    for reading in readings {
        let (Reading::Text(line) | Reading::Caption(line)) = reading else { continue };
        let end = line.char_indices().nth(room).map_or(line.len(), |(at, _)| at);
        room = room.saturating_sub(line.chars().count());
        lines.push(&line[..end]);
    }
    lines.reverse();
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_turn_are_one_text() {
        let readings =
            [Reading::Text("third"), Reading::Unreadable, Reading::Caption("second"), Reading::Text("first")];
        assert_eq!(text(&readings), "first\nsecond\nthird");
        let long = "é".repeat(MAX_TEXT + 9);
        assert_eq!(text(&[Reading::Text("new"), Reading::Text(&long)]).chars().count(), MAX_TEXT + 1);
    }
}
