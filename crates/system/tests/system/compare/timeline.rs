//! The timeline: every entry in its place, by pages both ways, and what became of each message.

use fastrand::Rng;
use oracle::{Conversation, Line, Shown};
use proto::v1;
use v1::list_timeline_request::Direction;
use v1::timeline_entry::Entry;

use super::Read;
use super::changes::Changes;
use crate::adapter::{self, nanos};

impl Read<'_> {
    /// Random pages from either end, and from an instant.
    pub(super) async fn timeline(&self, wanted: &Conversation, random: &mut Rng) {
        let older = self.pages(&wanted.id, Direction::Older, None, random).await;
        let mut lines: Vec<Line> = older.iter().map(|entry| self.line(entry)).collect();
        lines.reverse();
        assert_eq!(lines, wanted.timeline, "{}", wanted.id);
        let newer = self.pages(&wanted.id, Direction::Newer, None, random).await;
        assert_eq!(newer, older.iter().rev().cloned().collect::<Vec<_>>(), "{}", wanted.id);

        let from = random.choice(&wanted.timeline).map(|line| line.time).unwrap_or_default();
        let since = self.pages(&wanted.id, Direction::Newer, Some(from), random).await;
        let at_or_after = |entry: &&v1::TimelineEntry| nanos(entry.time.as_ref()) >= from;
        assert_eq!(since, newer.iter().filter(at_or_after).cloned().collect::<Vec<_>>(), "{} from {from}", wanted.id);
        let before = self.pages(&wanted.id, Direction::Older, Some(from), random).await;
        let is_before = |entry: &&v1::TimelineEntry| nanos(entry.time.as_ref()) < from;
        assert_eq!(before, older.iter().filter(is_before).cloned().collect::<Vec<_>>(), "{} to {from}", wanted.id);
    }

    async fn pages(
        &self,
        conversation: &str,
        direction: Direction,
        from: Option<i64>,
        random: &mut Rng,
    ) -> Vec<v1::TimelineEntry> {
        let mut all = Vec::new();
        let mut request = v1::ListTimelineRequest {
            workspace: self.name(),
            conversation_id: conversation.to_owned(),
            direction: direction.into(),
            from_time: from.map(adapter::to_time),
            min_revision: self.min_revision(),
            ..v1::ListTimelineRequest::default()
        };
        loop {
            request.page_size = random.i32(1..60);
            let page = self.clients().tickets.clone().list_timeline(request.clone()).await.unwrap().into_inner();
            assert!(page.entries.len() <= usize::try_from(request.page_size).unwrap());
            all.extend(page.entries);
            if page.next_page_token.is_empty() {
                return all;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// What became of each message, and the words of each stamp.
    pub(super) async fn entries(&self, wanted: &Conversation) {
        let changes = Changes::of(self.workspace.events, &wanted.id);
        let entries = self.pages(&wanted.id, Direction::Newer, None, &mut Rng::with_seed(1)).await;
        for (entry, line) in entries.iter().zip(&wanted.timeline) {
            match (entry.entry.as_ref().unwrap(), &line.shown) {
                (Entry::Stamp(given), Shown::Stamp(stamp)) => assert_eq!(given.text, words(stamp)),
                (Entry::Message(given), _) => changes.check(given),
                _ => {}
            }
        }
    }

    /// An entry in the words of the oracle.
    fn line(&self, entry: &v1::TimelineEntry) -> Line {
        assert!(entry.change_revision >= entry.revision);
        let revision = u64::try_from(entry.revision).unwrap();
        Line {
            revision,
            index: entry.index,
            time: nanos(entry.time.as_ref()),
            late: entry.late,
            tickets: entry.ticket_ids.clone(),
            shown: match entry.entry.as_ref().expect("an entry") {
                Entry::Stamp(stamp) => Shown::Stamp(adapter::stamp(stamp)),
                Entry::Note(note) => Shown::Note(note.id.clone()),
                Entry::Message(message) if self.is_change(revision) => Shown::Other(message.id.clone()),
                Entry::Message(message) if message.direction() == v1::Direction::Inbound => {
                    Shown::Inbound(message.id.clone())
                }
                Entry::Message(message) => Shown::Outbound(message.id.clone()),
            },
        }
    }

    /// An edit of a message that is not known reads like a message: the event says what it is.
    fn is_change(&self, revision: u64) -> bool {
        use v1::event::Event as Wire;
        let event = self.workspace.events.iter().find(|(at, _)| *at == revision);
        let (_, event) = event.unwrap_or_else(|| panic!("an entry of no event of this workspace: {revision}"));
        matches!(
            event.event,
            Some(Wire::ReactionChanged(_) | Wire::MessageEdited(_) | Wire::MessageRevoked(_) | Wire::ContactChanged(_))
        )
    }
}

/// The words of a stamp. Who takes a conversation goes by the name that they gave, which an assignee does not have.
fn words(stamp: &oracle::Stamp) -> String {
    match &stamp.mark {
        oracle::Mark::Assigned(to) if to.agent == stamp.actor.id => format!("Assigned to {}", stamp.actor.shown()),
        _ => stamp.text(),
    }
}
