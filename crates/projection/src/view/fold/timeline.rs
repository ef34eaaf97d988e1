use std::iter::Peekable;

use conversation::{Revision, Time};
use prost::Message as _;

use super::super::error::Error;
use super::super::keys::{self, Place, table};
use super::super::rows::{EntryKind, EntryRow};
use super::turn::Turn;
use crate::store::prefix_end;

impl Turn<'_> {
    /// An entry by its place.
    pub(super) fn entry(&self, place: Place) -> Result<Option<EntryRow>, Error> {
        let key = self.conversation.key;
        if let Some(entry) = self.pending.entries.get(&(key, place)) {
            return Ok(Some(entry.clone()));
        }
        let row = self.rows.get(&keys::entry(key, place))?;
        row.map(|row| EntryRow::decode(row).map_err(|_| Error::row(table::TIMELINE))).transpose()
    }

    /// Live messages of the customer after a revision.
    pub(super) fn received_after(&self, through: Revision) -> Result<u32, Error> {
        let mut count = 0;
        for row in self.newest_first(Time::MIN) {
            let (place, entry) = row?;
            // Live entries stand in the order of their revisions.
            if !entry.late && !entry.hidden && place.revision <= through {
                break;
            }
            count += u32::from(entry.kind() == EntryKind::Received && !entry.late);
        }
        Ok(count)
    }

    /// A window opened (or closed) by a clock that is behind an entry that was placed by time: the entry is put right.
    /// Its change revision stays, for what it says has not changed.
    pub(super) fn put_late_right(&mut self, from: Time, change: impl Fn(&mut Vec<u64>)) -> Result<(), Error> {
        if self.conversation.row.last_late_time.is_none_or(|last| last < from.0) {
            return Ok(());
        }
        let mut changed = Vec::new();
        for row in self.newest_first(from) {
            let (place, mut entry) = row?;
            if entry.late {
                change(&mut entry.tickets);
                changed.push((place, entry));
            }
        }
        let key = self.conversation.key;
        self.pending.entries.extend(changed.into_iter().map(|(place, entry)| ((key, place), entry)));
        Ok(())
    }

    /// Entries from the end of the timeline back to a time: those in the store under those that changed since.
    fn newest_first(&self, from: Time) -> impl Iterator<Item = Result<(Place, EntryRow), Error>> + '_ {
        let key = self.conversation.key;
        let end = prefix_end(&keys::timeline_prefix(key));
        let stored = self.rows.scan_back(&keys::timeline_from(key, from), &end).map(|row| {
            let (key, value) = row?;
            let place = keys::entry_place(&key).ok_or_else(|| Error::row(table::TIMELINE))?;
            Ok((place, EntryRow::decode(value).map_err(|_| Error::row(table::TIMELINE))?))
        });
        let first = Place { time: from, revision: 0, index: 0 };
        let last = Place { time: Time::MAX, revision: u64::MAX, index: u32::MAX };
        let changed = self.pending.entries.range((key, first)..=(key, last)).rev();
        merge(stored, changed.map(|((_, place), entry)| (*place, entry.clone())))
    }
}

/// Two descending sequences in one; of two entries in one place the changed one stands.
fn merge(
    stored: impl Iterator<Item = Result<(Place, EntryRow), Error>>,
    changed: impl Iterator<Item = (Place, EntryRow)>,
) -> impl Iterator<Item = Result<(Place, EntryRow), Error>> {
    let (mut stored, mut changed) = (stored.peekable(), changed.peekable());
    std::iter::from_fn(move || match (stored.peek(), changed.peek()) {
        (Some(Ok((old, _))), Some((new, _))) if old > new => stored.next(),
        (Some(Ok((old, _))), Some((new, _))) if old == new => {
            stored.next();
            changed.next().map(Ok)
        }
        (Some(Err(_)), _) | (_, None) => stored.next(),
        (_, Some(_)) => next_ok(&mut changed),
    })
}

fn next_ok<T, I: Iterator<Item = T>>(items: &mut Peekable<I>) -> Option<Result<T, Error>> {
    items.next().map(Ok)
}
