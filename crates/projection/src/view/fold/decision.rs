use conversation::ActorKind;
use proto::v1;
use proto::v1::decided_entry::Entry as Wire;
use proto::v1::stamp::Kind as StampKind;

use super::super::error::Error;
use super::super::rows::{EntryKind, EntryRow};
use super::ticket::Said;
use super::turn::Turn;

impl Turn<'_> {
    /// The entries are folded one by one: what a decision says about the state that it leaves is not leaned on.
    pub(super) fn decided(&mut self, decided: v1::Decided) -> Result<(), Error> {
        self.conversation.row.decision_revision = self.revision;
        let bot_change = decided.bot_change();
        for (index, entry) in (0..).zip(decided.entries) {
            match entry.entry {
                Some(Wire::Stamp(stamp)) => self.stamped(index, stamp)?,
                Some(Wire::Message(message)) => self.wrote(index, message)?,
                Some(Wire::Note(note)) => self.noted(index, note)?,
                None => tracing::warn!(revision = self.revision, index, "skipping an entry of no known kind"),
            }
        }
        let tags = &mut self.conversation.row.tags;
        tags.retain(|tag| !decided.tags_removed.contains(tag));
        tags.extend(decided.tags_added);
        tags.sort();
        tags.dedup();
        match bot_change {
            v1::decided::BotChange::Paused => self.conversation.row.bot_paused = true,
            v1::decided::BotChange::Resumed => self.conversation.row.bot_paused = false,
            v1::decided::BotChange::Unspecified => {}
        }
        Ok(())
    }

    fn stamped(&mut self, index: u32, mut stamp: v1::Stamp) -> Result<(), Error> {
        stamp.actor = stamp.actor.or_else(|| self.event.actor.clone());
        let time = stamp.time.as_ref().and_then(proto::time).unwrap_or_else(|| self.record_time());
        let before = self.conversation.open_ordinals();
        // A closing stamp lies in the window that it closes, every other one in those that are open after it.
        let tickets = match &stamp.kind {
            Some(StampKind::Closed(closed)) => {
                self.close(&closed.ticket_id, time, stamp.actor.as_ref())?;
                before
            }
            Some(StampKind::Opened(opened)) => {
                self.open(opened, time, stamp.actor.as_ref())?;
                self.conversation.open_ordinals()
            }
            Some(StampKind::Assigned(assigned)) => {
                let nobody = |assignee: &&v1::Assignee| assignee.agent_id.is_empty() && assignee.team_id.is_empty();
                let assignee = assigned.assignee.as_ref().filter(|assignee| !nobody(assignee));
                self.assign(assignee, time, stamp.actor.as_ref())?;
                before
            }
            Some(StampKind::Unassigned(_)) => {
                self.assign(None, time, stamp.actor.as_ref())?;
                before
            }
            None => before,
        };
        let entry =
            EntryRow { kind: EntryKind::Stamp.into(), occur_time: time.0, stamp: Some(stamp), ..self.decided_entry() };
        self.put_live_in(entry, index, tickets).map(drop)
    }

    fn wrote(&mut self, index: u32, message: v1::DecidedMessage) -> Result<(), Error> {
        let entry = EntryRow {
            kind: EntryKind::Decided.into(),
            id: message.id,
            actor: self.event.actor.clone(),
            direction: v1::Direction::Outbound.into(),
            r#type: message.r#type,
            sealed: message.sealed,
            ..self.decided_entry()
        };
        self.put_live(entry, index)?;
        let actor = self.event.actor.as_ref().and_then(proto::actor_from).map(|actor| actor.kind);
        match actor {
            Some(ActorKind::Agent) => {
                self.agent_wrote();
                self.said(Said::Agent)
            }
            Some(ActorKind::Bot) => self.said(Said::Bot),
            _ => self.said(Said::Rule),
        }
    }

    /// An entry of this decision, of no kind yet.
    fn decided_entry(&self) -> EntryRow {
        let (occur_time, record_time) = (self.occur_time().0, self.record_time().0);
        EntryRow { occur_time, record_time, ..EntryRow::default() }
    }

    fn noted(&mut self, index: u32, note: v1::DecidedNote) -> Result<(), Error> {
        let entry = EntryRow {
            kind: EntryKind::Note.into(),
            id: note.id,
            actor: self.event.actor.clone(),
            sealed: note.sealed,
            ..self.decided_entry()
        };
        self.put_live(entry, index).map(drop)
    }
}
