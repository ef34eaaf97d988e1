//! The chat as the bot may know it: what was said since the last stamp. Pure.

use conversation::Revision;
use proto::v1;
use proto::v1::actor::Kind;
use proto::v1::timeline_entry::Entry;

use super::reading::Reading;
use crate::brain::{Said, Speaker};

/// Longest context that a brain gets, in characters; what was said earlier is left out.
const MAX_HISTORY: usize = 12_000;

/// What was said since anybody else had the conversation, newest first.
#[derive(Debug, Default)]
pub(super) struct Chat {
    said: Vec<Line>,
}

/// A message in the chat.
#[derive(Debug)]
struct Line {
    revision: Revision,
    by: Speaker,
    message: v1::Message,
    /// Whether a stamp of the bot's own stands after it.
    before_stamp: bool,
}

/// A message of the customer.
pub(super) struct Inbound<'a> {
    pub(super) id: &'a str,
    pub(super) revision: Revision,
    pub(super) message: &'a v1::Message,
}

impl Chat {
    /// Of live entries, newest first. What was said before somebody else's stamp is of another time. A message may stand
    /// before a stamp of the bot's own and wait for its answer still: it came while the bot was deciding.
    pub(super) fn of(entries: Vec<v1::TimelineEntry>) -> Chat {
        let mut before_stamp = false;
        let mut said = Vec::new();
        for entry in entries.into_iter().take_while(|entry| !is_foreign_stamp(entry)) {
            match entry.entry {
                Some(Entry::Message(message)) => {
                    let (revision, by) = (u64::try_from(entry.revision).unwrap_or(0), speaker(&message));
                    said.push(Line { revision, by, message, before_stamp });
                }
                Some(Entry::Stamp(_)) => before_stamp = true,
                _ => {}
            }
        }
        Chat { said }
    }

    /// The customer's message of this id, and those before it, newest first. Empty if it is of another time.
    pub(super) fn back_from<'a>(&'a self, id: &str) -> impl Iterator<Item = Inbound<'a>> {
        let inbound = self.said.iter().filter(|line| line.by == Speaker::Customer);
        let inbound =
            inbound.map(|line| Inbound { id: &line.message.id, revision: line.revision, message: &line.message });
        inbound.skip_while(move |inbound| inbound.id != id)
    }

    /// What was said besides the turn that begins with `first`, oldest first. What the customer said after the
    /// turn is another.
    pub(super) fn history(&self, first: Revision) -> Vec<Said> {
        let besides = |line: &&Line| !line.before_stamp && (line.by != Speaker::Customer || line.revision < first);
        let mut room = MAX_HISTORY;
        let fits = |line: &&Line| {
            let long = line.message.text.chars().count();
            let fits = long <= room;
            room = room.saturating_sub(long);
            fits
        };
        let mut history: Vec<Said> =
            self.said.iter().filter(besides).take_while(fits).filter_map(|line| line.said()).collect();
        history.reverse();
        history
    }
}

impl Line {
    fn said(&self) -> Option<Said> {
        let text = match Reading::of(&self.message) {
            Reading::Text(text) | Reading::Caption(text) => text.to_owned(),
            Reading::Unreadable => format!("({})", self.message.r#type),
            Reading::Nothing => return None,
        };
        Some(Said { by: self.by, text })
    }
}

/// What stands between two times of the bot: a stamp that is not its own.
pub(super) fn is_foreign_stamp(entry: &v1::TimelineEntry) -> bool {
    let Some(Entry::Stamp(stamp)) = &entry.entry else { return false };
    stamp.actor.as_ref().is_none_or(|actor| actor.kind() != Kind::Bot)
}

fn speaker(message: &v1::Message) -> Speaker {
    match message.actor.as_ref().map(v1::Actor::kind) {
        Some(Kind::Agent) => Speaker::Agent,
        Some(Kind::Bot | Kind::Automation | Kind::System) => Speaker::Bot,
        _ if message.direction() == v1::Direction::Outbound => Speaker::Agent,
        _ => Speaker::Customer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(revision: i64, entry: Entry) -> v1::TimelineEntry {
        v1::TimelineEntry { revision, entry: Some(entry), ..v1::TimelineEntry::default() }
    }

    fn message(revision: i64, kind: Kind, text: &str) -> v1::TimelineEntry {
        let actor = Some(v1::Actor { kind: kind.into(), ..v1::Actor::default() });
        let (id, text) = (format!("m{revision}"), text.to_owned());
        let message = v1::Message { id, actor, r#type: "text".to_owned(), text, ..v1::Message::default() };
        entry(revision, Entry::Message(message))
    }

    fn stamp(revision: i64, kind: Kind) -> v1::TimelineEntry {
        let actor = Some(v1::Actor { kind: kind.into(), ..v1::Actor::default() });
        entry(revision, Entry::Stamp(v1::Stamp { actor, ..v1::Stamp::default() }))
    }

    fn told(chat: &Chat, turn: u64) -> Vec<String> {
        chat.history(turn).into_iter().map(|said| said.text).collect()
    }

    #[test]
    fn a_chat_begins_after_the_last_stamp() {
        let chat = Chat::of(vec![
            message(9, Kind::Customer, "again"),
            message(8, Kind::Bot, "hello"),
            message(7, Kind::Customer, "new"),
            stamp(6, Kind::Agent),
            message(5, Kind::Agent, "secret of another time"),
            message(4, Kind::Customer, "old"),
        ]);
        assert_eq!(chat.back_from("m9").map(|inbound| inbound.id).collect::<Vec<_>>(), ["m9", "m7"]);
        assert_eq!(chat.back_from("m4").count(), 0, "said before the stamp");
        assert_eq!(told(&chat, 9), ["new", "hello"]);
        assert_eq!(told(&chat, 7), ["hello"], "what the customer said later is another turn");
    }

    #[test]
    fn what_came_while_the_bot_closed_its_ticket_is_not_lost() {
        let said = [message(9, Kind::Bot, "bye"), stamp(9, Kind::Bot), message(8, Kind::Customer, "one more thing")];
        let before = [message(7, Kind::Customer, "it is solved"), stamp(5, Kind::Bot), message(4, Kind::Bot, "hi")];
        let chat = Chat::of([said, before].concat());
        assert_eq!(chat.back_from("m8").map(|inbound| inbound.id).collect::<Vec<_>>(), ["m8", "m7"]);
        assert_eq!(told(&chat, 8), ["bye"], "and what was said before is of another time");
    }

    #[test]
    fn context_has_an_end() {
        let chat = Chat::of((0..50).rev().map(|nth| message(nth, Kind::Customer, &"x".repeat(1_000))).collect());
        assert_eq!(told(&chat, 50).len(), 12);
    }
}
