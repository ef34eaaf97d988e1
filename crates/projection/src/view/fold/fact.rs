use proto::v1;

use super::super::error::Error;
use super::super::rows::{EntryKind, EntryRow, PlaceRow};
use super::ticket::Said;
use super::turn::Turn;

impl Turn<'_> {
    /// The id of this event names an entry: the message came another way, or was sent by us and the channel told us
    /// its id.
    fn is_there(&self) -> bool {
        self.known.entry.is_some()
    }

    pub(super) fn received(&mut self, message: v1::MessageReceived) -> Result<(), Error> {
        if self.is_there() {
            return Ok(());
        }
        let entry = EntryRow {
            kind: EntryKind::Received.into(),
            direction: v1::Direction::Inbound.into(),
            r#type: message.r#type,
            sealed: message.sealed,
            ..self.new_entry()
        };
        let put = self.put_fact(entry, false)?;
        self.names_contact(put.place, message.names_contact);
        if put.live {
            let row = &mut self.conversation.row;
            row.unread_count = row.unread_count.saturating_add(1);
            row.last_inbound = self.revision;
            self.said(Said::Customer)?;
        }
        Ok(())
    }

    pub(super) fn echoed(&mut self, message: v1::MessageEchoed) -> Result<(), Error> {
        if self.is_there() {
            return Ok(());
        }
        let entry = EntryRow {
            kind: EntryKind::Echoed.into(),
            direction: v1::Direction::Outbound.into(),
            r#type: message.r#type,
            sealed: message.sealed,
            ..self.new_entry()
        };
        let put = self.put_fact(entry, false)?;
        self.may_name_contact(put.place.into());
        if put.live {
            self.agent_wrote();
            self.said(Said::Agent)?;
        }
        Ok(())
    }

    pub(super) fn backfilled(&mut self, message: v1::MessageBackfilled) -> Result<(), Error> {
        if self.is_there() {
            return Ok(());
        }
        let entry = EntryRow {
            kind: EntryKind::Backfilled.into(),
            direction: message.direction,
            r#type: message.r#type,
            sealed: message.sealed,
            ..self.new_entry()
        };
        let put = self.put_fact(entry, true)?;
        self.may_name_contact(put.place.into());
        Ok(())
    }

    /// The contact changed. It shows in the log where the channel has a word for it; else the entry is hidden.
    pub(super) fn contact_changed(&mut self, contact: v1::ContactChanged) -> Result<(), Error> {
        if !contact.continues.is_empty() {
            self.conversation.row.continues = contact.continues;
        }
        if contact.sealed.is_empty() {
            return Ok(());
        }
        let entry = EntryRow {
            kind: EntryKind::Contact.into(),
            direction: v1::Direction::Inbound.into(),
            hidden: contact.r#type.is_empty(),
            r#type: contact.r#type,
            sealed: contact.sealed,
            ..self.new_entry()
        };
        let put = self.put_fact(entry, false)?;
        self.names_contact(put.place, contact.names_contact);
        Ok(())
    }

    /// Who the contact is, where nothing better says so.
    fn may_name_contact(&mut self, place: PlaceRow) {
        self.conversation.row.contact_entry.get_or_insert(place);
    }

    /// An agent wrote: all so far is read.
    pub(super) fn agent_wrote(&mut self) {
        let row = &mut self.conversation.row;
        row.unread_count = 0;
        row.read_through = row.read_through.max(self.revision);
    }

    pub(super) fn messages_read(&mut self, read: v1::MessagesRead) -> Result<(), Error> {
        let through = match u64::try_from(read.through_revision) {
            Ok(0) | Err(_) => self.revision,
            Ok(through) => through.min(self.revision),
        };
        if through <= self.conversation.row.read_through {
            return Ok(());
        }
        let unread = if through >= self.conversation.row.last_inbound { 0 } else { self.received_after(through)? };
        let row = &mut self.conversation.row;
        row.read_through = through;
        row.unread_count = unread;
        Ok(())
    }
}
