use conversation::{Revision, Time};
use proto::v1;
use proto::v1::event::Event as Kind;

use super::super::counters::Tally;
use super::super::error::Error;
use super::super::keys::{Place, ShortDigest};
use super::super::rows::{KnownRow, ReportRow};
use super::Pending;
use super::conversation::Conversation;
use crate::store::View;

/// One event at work on its conversation.
pub(super) struct Turn<'a> {
    pub(super) rows: &'a dyn View,
    pub(super) conversation: &'a mut Conversation,
    pub(super) pending: &'a mut Pending,
    pub(super) tally: &'a mut Tally,
    /// Without its kind; a fact gives its id and actor to its entry.
    pub(super) event: v1::Event,
    /// Of the event.
    pub(super) id: ShortDigest,
    /// What is known of the event's id; nothing of a report's.
    pub(super) known: KnownRow,
    pub(super) revision: Revision,
}

impl Turn<'_> {
    pub(super) fn take(&mut self, kind: Kind) -> Result<(), Error> {
        if let Kind::MessageStatusChanged(status) = &kind
            && !self.status_changed(status)?
        {
            return Ok(());
        }
        let row = &mut self.conversation.row;
        row.revision = self.revision;
        if row.channel.is_empty() {
            row.channel.clone_from(&self.event.channel);
        }
        self.pending.conversations.insert(self.conversation.key);
        match kind {
            Kind::MessageReceived(message) => self.received(message),
            Kind::MessageEchoed(message) => self.echoed(message),
            Kind::MessageBackfilled(message) => self.backfilled(message),
            // What is stored is sealed, and its key is gone.
            Kind::MessageStatusChanged(_) | Kind::ContactErased(_) => Ok(()),
            Kind::ReactionChanged(reaction) => self.reaction_changed(reaction),
            Kind::MessageEdited(edit) => self.edited(edit),
            Kind::MessageRevoked(revocation) => self.revoked(revocation),
            Kind::ContactChanged(contact) => self.contact_changed(contact),
            Kind::MessagesRead(read) => self.messages_read(read),
            Kind::Decided(decided) => self.decided(decided),
        }
    }

    /// When the event was recorded; an event that does not say happened and was recorded at one time.
    pub(super) fn record_time(&self) -> Time {
        let of = |time: &Option<_>| time.as_ref().and_then(proto::time);
        of(&self.event.record_time).or_else(|| of(&self.event.occur_time)).unwrap_or_default()
    }

    pub(super) fn occur_time(&self) -> Time {
        self.event.occur_time.as_ref().and_then(proto::time).unwrap_or_else(|| self.record_time())
    }

    pub(super) fn known_of(&self, id: &str) -> Result<KnownRow, Error> {
        self.pending.known(self.rows, self.conversation.key, ShortDigest::of(id))
    }

    /// Lets an id name an entry, unless it names one already, and returns the reports that waited for it.
    pub(super) fn name_entry(&mut self, id: ShortDigest, place: Place) -> Result<Vec<ReportRow>, Error> {
        let name = |known: &mut KnownRow| {
            known.entry = known.entry.or(Some(place.into()));
            std::mem::take(&mut known.pending)
        };
        if id == self.id {
            return Ok(name(&mut self.known));
        }
        self.pending.change_known(self.rows, self.conversation.key, id, name)
    }
}
