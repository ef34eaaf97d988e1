//! Conversations as clients see them.

use conversation::Time;
use proto::{timestamp, v1};

use super::read;
use super::show_entry::to_wire;
use super::unseal::{Key, unseal};
use crate::store::View;
use crate::view::error::Error;
use crate::view::keys::ConversationKey;
use crate::view::rows::{ConversationRow, PlaceRow};

/// A conversation with the sealed words that say who the contact is.
#[derive(Clone, Debug)]
pub(crate) struct SealedConversation {
    pub(crate) row: ConversationRow,
    contact: prost::bytes::Bytes,
    name: prost::bytes::Bytes,
}

impl SealedConversation {
    pub(crate) fn load(view: &dyn View, key: ConversationKey) -> Result<Option<SealedConversation>, Error> {
        let Some(row) = read::conversation(view, key)? else { return Ok(None) };
        let sealed = |place: Option<PlaceRow>| {
            let Some(place) = place else { return Ok(prost::bytes::Bytes::new()) };
            Ok::<_, Error>(read::entry(view, key, place.into())?.map(|entry| entry.sealed).unwrap_or_default())
        };
        let contact = sealed(row.contact_entry)?;
        let name = if row.named_entry == row.contact_entry { contact.clone() } else { sealed(row.named_entry)? };
        Ok(Some(SealedConversation { row, contact, name }))
    }

    /// What it weighs, about.
    pub(crate) fn bytes(&self) -> usize {
        prost::Message::encoded_len(&self.row) + self.contact.len() + self.name.len()
    }

    /// Who the contact is: ids from the newest entry that says them, the name from the newest that has one.
    pub(crate) fn contact(&self, key: Option<&impl Key>) -> v1::Contact {
        let message: v1::SealedMessage = unseal(key, &self.contact);
        let mut contact = message.contact.unwrap_or_default();
        let named: v1::SealedMessage = unseal(key, &self.name);
        if let Some(named) = named.contact.filter(|named| !named.display_name.is_empty()) {
            contact.display_name = named.display_name;
        }
        contact
    }

    pub(crate) fn show(&self, key: Option<&impl Key>) -> v1::Conversation {
        let row = &self.row;
        v1::Conversation {
            id: row.id.clone(),
            workspace: row.workspace.clone(),
            channel: row.channel.clone(),
            contact: Some(self.contact(key)),
            assignee: row.assignee.clone(),
            open_ticket_count: u32::try_from(row.open.len()).unwrap_or(u32::MAX),
            last_entry_time: row.last_entry_time.map(|last| timestamp(Time(last))),
            unread_count: row.unread_count,
            tags: row.tags.clone(),
            continues: row.continues.clone(),
            bot_paused: row.bot_paused,
            open_ticket_ids: row.open.iter().map(|open| row.ticket_id(open.ordinal)).collect(),
            revision: to_wire(row.revision),
            erased: key.is_none(),
        }
    }
}
