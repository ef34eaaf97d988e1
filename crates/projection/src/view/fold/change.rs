use bytes::Bytes;
use proto::v1;

use super::super::error::Error;
use super::super::keys::{self, Place, ShortDigest};
use super::super::rows::{EditRow, EntryKind, EntryRow, KnownRow, ReactionRow, ReportRow};
use super::turn::Turn;

/// Most reports kept of one message: a channel sends a handful.
const MAX_REPORTS: usize = 1_000;

impl Turn<'_> {
    /// Whether the report is a new one.
    pub(super) fn status_changed(&mut self, status: &v1::MessageStatusChanged) -> Result<bool, Error> {
        let report = ReportRow {
            status: status.status,
            sealed: status.sealed.clone(),
            error_codes: status.error_codes.clone(),
            revision: self.revision,
            occur_time: self.occur_time().0,
            // Found by this alone, there is nothing else to be found by it.
            message_ref: if status.message_id.is_empty() { String::new() } else { status.message_ref.clone() },
            event: u64::from_be_bytes(self.id.0),
        };
        let place = match self.place_of(&status.message_id)? {
            Some(place) => Some(place),
            None => self.place_of(&status.message_ref)?,
        };
        match place {
            Some(place) => self.change_entry(place, |turn, entry| turn.add_waiting(entry, place, vec![report])),
            None => self.wait(status, report),
        }
    }

    /// The entry that an id names.
    fn place_of(&self, id: &str) -> Result<Option<Place>, Error> {
        if id.is_empty() {
            return Ok(None);
        }
        Ok(self.known_of(id)?.entry.map(Place::from))
    }

    /// Keeps a report until the message that it speaks of is known.
    fn wait(&mut self, status: &v1::MessageStatusChanged, report: ReportRow) -> Result<bool, Error> {
        let id = if status.message_id.is_empty() { &status.message_ref } else { &status.message_id };
        if id.is_empty() {
            tracing::warn!(revision = self.revision, "skipping a status report that names no message");
            return Ok(true);
        }
        let mut added = false;
        let add = |known: &mut KnownRow| added = add_report(&mut known.pending, report);
        self.pending.change_known(self.rows, self.conversation.key, ShortDigest::of(id), add)?;
        Ok(added)
    }

    /// Adds reports to a message. One that knows the channel's id of the message lets that id name it too, and brings
    /// the reports that waited under it.
    pub(super) fn add_waiting(
        &mut self,
        entry: &mut EntryRow,
        place: Place,
        reports: Vec<ReportRow>,
    ) -> Result<bool, Error> {
        let before = entry.reports.len();
        let mut reports = reports;
        while let Some(mut report) = reports.pop() {
            let message_ref = std::mem::take(&mut report.message_ref);
            if !message_ref.is_empty() && message_ref != entry.id {
                reports.append(&mut self.name_entry(ShortDigest::of(&message_ref), place)?);
            }
            entry.status = entry.status.max(report.status);
            add_report(&mut entry.reports, report);
        }
        entry.reports.sort_by_key(|report| report.revision);
        Ok(entry.reports.len() > before)
    }

    /// Changes an entry, if `change` says that it does, under the revision of this event.
    fn change_entry(
        &mut self,
        place: Place,
        change: impl FnOnce(&mut Self, &mut EntryRow) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let Some(mut entry) = self.entry(place)? else {
            tracing::warn!(revision = self.revision, ?place, "skipping the change of an entry that is not there");
            return Ok(true);
        };
        if !change(self, &mut entry)? {
            return Ok(false);
        }
        let key = self.conversation.key;
        let listed = match entry.change_revision {
            0 => entry.late.then_some(place.revision),
            revision => Some(revision),
        };
        listed.iter().for_each(|listed| self.pending.batch.delete(keys::change(key, *listed, place.index)));
        entry.change_revision = self.revision;
        self.pending.batch.put(keys::change(key, self.revision, place.index), place.to_bytes());
        self.set_entry(place, &entry);
        Ok(true)
    }

    pub(super) fn reaction_changed(&mut self, reaction: v1::ReactionChanged) -> Result<(), Error> {
        let Some(place) = self.place_of(&reaction.target_ref)? else {
            return self.put_own(
                EntryKind::Reaction,
                "reaction".to_owned(),
                reaction.direction,
                reaction.sealed,
                reaction.backfilled,
            );
        };
        let row = ReactionRow {
            actor: self.event.actor.take(),
            direction: reaction.direction,
            removed: reaction.removed,
            sealed: reaction.sealed,
            occur_time: self.occur_time().0,
            revision: self.revision,
        };
        self.change_entry(place, |_, entry| Ok(set_reaction(&mut entry.reactions, row))).map(drop)
    }

    pub(super) fn edited(&mut self, edit: v1::MessageEdited) -> Result<(), Error> {
        let Some(place) = self.place_of(&edit.target_ref)? else {
            return self.put_own(EntryKind::Edit, edit.r#type, edit.direction, edit.sealed, false);
        };
        let row = EditRow {
            r#type: edit.r#type,
            sealed: edit.sealed,
            occur_time: self.occur_time().0,
            revision: self.revision,
        };
        self.change_entry(place, |_, entry| {
            let newer = entry.edit.as_ref().is_none_or(|old| old.occur_time <= row.occur_time);
            if newer {
                entry.edit = Some(row);
            }
            Ok(newer)
        })
        .map(drop)
    }

    pub(super) fn revoked(&mut self, revocation: v1::MessageRevoked) -> Result<(), Error> {
        let Some(place) = self.place_of(&revocation.target_ref)? else {
            return self.put_own(
                EntryKind::Revocation,
                "revoke".to_owned(),
                revocation.direction,
                revocation.sealed,
                false,
            );
        };
        self.change_entry(place, |_, entry| Ok(!std::mem::replace(&mut entry.revoked, true))).map(drop)
    }

    /// A change of a message that is not known: an entry of its own.
    fn put_own(
        &mut self,
        kind: EntryKind,
        r#type: String,
        direction: i32,
        sealed: Bytes,
        backfilled: bool,
    ) -> Result<(), Error> {
        let entry = EntryRow { kind: kind.into(), direction, r#type, sealed, ..self.new_entry() };
        self.put_fact(entry, backfilled).map(drop)
    }
}

/// Adds a report, and says whether it was not there yet.
fn add_report(reports: &mut Vec<ReportRow>, report: ReportRow) -> bool {
    let repeated = reports.iter().any(|known| known.event == report.event);
    let added = !repeated && reports.len() < MAX_REPORTS;
    if added {
        reports.push(report);
    }
    added
}

/// Puts in what someone did last, by the channel's clock and then by the log's order.
fn set_reaction(reactions: &mut Vec<ReactionRow>, row: ReactionRow) -> bool {
    let who = |row: &ReactionRow| (row.direction, row.actor.as_ref().map(|actor| (actor.kind, actor.id.clone())));
    match reactions.iter_mut().find(|known| who(known) == who(&row)) {
        Some(known) if known.occur_time > row.occur_time => return false,
        Some(known) => *known = row,
        None => reactions.push(row),
    }
    true
}
