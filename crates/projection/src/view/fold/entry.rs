use conversation::{Time, holds, is_late};

use super::super::error::Error;
use super::super::keys::{self, Place};
use super::super::rows::{EntryRow, PlaceRow};
use super::turn::Turn;

/// Where an entry was put.
pub(super) struct Put {
    pub(super) place: Place,
    /// It counts for metrics: neither late nor hidden.
    pub(super) live: bool,
}

impl Turn<'_> {
    /// The entry of this fact, of no kind yet.
    pub(super) fn new_entry(&mut self) -> EntryRow {
        EntryRow {
            id: std::mem::take(&mut self.event.id),
            actor: self.event.actor.take(),
            occur_time: self.occur_time().0,
            record_time: self.record_time().0,
            ..EntryRow::default()
        }
    }

    /// Puts the entry of a fact into its place (W7): live at the end, late where it happened.
    pub(super) fn put_fact(&mut self, mut entry: EntryRow, backfilled: bool) -> Result<Put, Error> {
        let (occur, record) = (Time(entry.occur_time), Time(entry.record_time));
        if !is_late(occur, record, backfilled) {
            return self.put_live(entry, 0);
        }
        entry.late = true;
        entry.tickets = self.windows_at(occur)?;
        let place = Place { time: occur, revision: self.revision, index: 0 };
        let row = &mut self.conversation.row;
        row.last_late_time = row.last_late_time.max(Some(occur.0));
        if !entry.hidden {
            let key = keys::change(self.conversation.key, self.revision, place.index);
            self.pending.batch.put(key, place.to_bytes());
        }
        self.keep(entry, place)
    }

    /// Puts an entry at the end of the log, into the windows that are open there; `tickets` says which.
    pub(super) fn put_live_in(&mut self, mut entry: EntryRow, index: u32, tickets: Vec<u64>) -> Result<Put, Error> {
        entry.tickets = tickets;
        let row = &mut self.conversation.row;
        let time = row.last_entry_time.map_or(entry.record_time, |last| last.max(entry.record_time));
        if !entry.hidden {
            row.last_entry_time = Some(time);
        }
        self.keep(entry, Place { time: Time(time), revision: self.revision, index })
    }

    pub(super) fn put_live(&mut self, entry: EntryRow, index: u32) -> Result<Put, Error> {
        let tickets = self.conversation.open_ordinals();
        self.put_live_in(entry, index, tickets)
    }

    fn keep(&mut self, mut entry: EntryRow, place: Place) -> Result<Put, Error> {
        let live = !entry.late && !entry.hidden;
        if !entry.id.is_empty() {
            let id = keys::ShortDigest::of(&entry.id);
            let waiting = self.name_entry(id, place)?;
            self.add_waiting(&mut entry, place, waiting)?;
        }
        self.set_entry(place, &entry);
        Ok(Put { place, live })
    }

    /// The windows that hold an instant, the primary first.
    fn windows_at(&self, instant: Time) -> Result<Vec<u64>, Error> {
        if self.conversation.row.first_open_time.is_none_or(|first| instant.0 < first) {
            return Ok(Vec::new());
        }
        let windows = self.conversation.windows(self.rows)?;
        let held =
            windows.iter().filter(|(_, window)| holds(Time(window.open_time), window.close_time.map(Time), instant));
        let mut held: Vec<(bool, u64)> = held.map(|(ordinal, window)| (window.nested, *ordinal)).collect();
        held.sort_unstable();
        Ok(held.into_iter().map(|(_, ordinal)| ordinal).collect())
    }

    /// The entry says who the contact is.
    pub(super) fn names_contact(&mut self, place: Place, with_name: bool) {
        let row = &mut self.conversation.row;
        row.contact_entry = Some(PlaceRow::from(place));
        if with_name {
            row.named_entry = Some(PlaceRow::from(place));
        }
    }
}
