//! Entries as clients see them, made of their rows and what the key opens.

use conversation::Time;
use proto::{timestamp, v1};
use v1::timeline_entry::Entry;

use super::unseal::{Key, unseal};
use crate::view::keys::Place;
use crate::view::rows::{EntryKind, EntryRow, ReactionRow, ReportRow, ticket_id};

/// An entry in its place, as the store holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) place: Place,
    pub(crate) row: EntryRow,
}

impl Placed {
    /// The event that last changed it: the one that made it, until another does.
    pub(crate) fn change_revision(&self) -> u64 {
        if self.row.change_revision == 0 { self.place.revision } else { self.row.change_revision }
    }

    /// The entry whole. Without a key it has no words.
    pub(crate) fn show(self, conversation: &str, key: Option<&impl Key>) -> v1::TimelineEntry {
        let change_revision = to_wire(self.change_revision());
        let Placed { place, row } = self;
        v1::TimelineEntry {
            revision: to_wire(place.revision),
            index: place.index,
            change_revision,
            time: Some(timestamp(place.time)),
            late: row.late,
            erased: key.is_none() && row.kind() != EntryKind::Stamp,
            ticket_ids: row.tickets.iter().map(|ordinal| ticket_id(conversation, *ordinal)).collect(),
            entry: Some(match row.kind() {
                EntryKind::Stamp => Entry::Stamp(show_stamp(row)),
                EntryKind::Note => Entry::Note(show_note(row, key)),
                _ => Entry::Message(show_message(row, key)),
            }),
        }
    }
}

/// Whether it is a message rather than a note or a stamp.
pub(crate) fn is_message(row: &EntryRow) -> bool {
    !matches!(row.kind(), EntryKind::Stamp | EntryKind::Note)
}

/// A revision on the wire.
pub(crate) fn to_wire(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

/// In the words that the log has for ever; in those of the domain where it has none.
fn show_stamp(row: EntryRow) -> v1::Stamp {
    let mut stamp = row.stamp.unwrap_or_default();
    if !stamp.text.is_empty() {
        return stamp;
    }
    let entry = v1::DecidedEntry { entry: Some(v1::decided_entry::Entry::Stamp(stamp.clone())) };
    if let Some(conversation::Entry::Stamp(known)) = proto::entry_from(&entry) {
        stamp.text = known.text();
    }
    stamp
}

fn show_note(row: EntryRow, key: Option<&impl Key>) -> v1::Note {
    let sealed: v1::SealedNote = unseal(key, &row.sealed);
    v1::Note { id: row.id, actor: row.actor, time: Some(timestamp(Time(row.occur_time))), text: sealed.text }
}

fn show_message(row: EntryRow, key: Option<&impl Key>) -> v1::Message {
    let (contact, mut content) = content(&row, key);
    let mut statuses = Vec::with_capacity(row.reports.len());
    for report in &row.reports {
        let sealed: v1::SealedStatus = unseal(key, &report.sealed);
        // What we said ourselves has no id of the channel's until a report tells it.
        if content.channel_message_id.is_empty() {
            content.channel_message_id.clone_from(&sealed.channel_message_id);
        }
        statuses.push(show_report(report, sealed));
    }
    v1::Message {
        id: row.id,
        direction: row.direction,
        actor: named(row.actor, &contact),
        reactions: row.reactions.iter().filter_map(|reaction| show_reaction(reaction, key)).collect(),
        edited: row.edit.is_some(),
        revoked: row.revoked,
        occur_time: Some(timestamp(Time(row.occur_time))),
        record_time: Some(timestamp(Time(row.record_time))),
        status: row.status,
        statuses,
        ..content
    }
}

/// Who the contact is and what the message says now: the last edit's words on the first message's frame.
pub(crate) fn content(row: &EntryRow, key: Option<&impl Key>) -> (v1::Contact, v1::Message) {
    let first: v1::SealedMessage = unseal(key, &row.sealed);
    let contact = first.contact.unwrap_or_default();
    let mut message = v1::Message { r#type: row.r#type.clone(), ..first.message.unwrap_or_default() };
    if let Some(edit) = &row.edit {
        let now: v1::SealedMessage = unseal(key, &edit.sealed);
        let now = now.message.unwrap_or_default();
        message = v1::Message {
            channel_message_id: message.channel_message_id,
            r#type: if edit.r#type.is_empty() { message.r#type } else { edit.r#type.clone() },
            reply_to: if now.reply_to.is_empty() { message.reply_to } else { now.reply_to.clone() },
            forwarded: message.forwarded || now.forwarded,
            ..now
        };
    }
    (contact, message)
}

/// In the log a customer stands by kind alone; who it is was sealed.
fn named(actor: Option<v1::Actor>, contact: &v1::Contact) -> Option<v1::Actor> {
    let mut actor = actor?;
    if actor.kind() == v1::actor::Kind::Customer {
        actor.id.clone_from(&contact.id);
        actor.display_name.clone_from(&contact.display_name);
    }
    Some(actor)
}

/// `None` for one that was taken back.
fn show_reaction(row: &ReactionRow, key: Option<&impl Key>) -> Option<v1::Reaction> {
    if row.removed {
        return None;
    }
    let sealed: v1::SealedMessage = unseal(key, &row.sealed);
    Some(v1::Reaction {
        actor: named(row.actor.clone(), &sealed.contact.unwrap_or_default()),
        emoji: sealed.message.unwrap_or_default().text,
        time: Some(timestamp(Time(row.occur_time))),
    })
}

/// What stands in the clear goes before what was sealed, so that a report without its key still says how far it came.
fn show_report(row: &ReportRow, sealed: v1::SealedStatus) -> v1::StatusReport {
    let mut report = sealed.report.unwrap_or_default();
    report.status = row.status;
    report.time.get_or_insert_with(|| timestamp(Time(row.occur_time)));
    if report.errors.is_empty() {
        let codes = row.error_codes.iter();
        report.errors = codes.map(|code| v1::StatusError { code: *code, ..v1::StatusError::default() }).collect();
    }
    report
}
