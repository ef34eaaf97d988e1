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
        if let Some(row) = self.pending.entries.get(&(key, place)) {
            return decode(&row[..]).map(Some);
        }
        self.rows.get(&keys::entry(key, place))?.map(decode).transpose()
    }

    pub(super) fn set_entry(&mut self, place: Place, entry: &EntryRow) {
        let row = entry.encode_to_vec();
        self.pending.entry_bytes += row.len();
        self.pending.entries.insert((self.conversation.key, place), row);
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
        changed.iter().for_each(|(place, entry)| self.set_entry(*place, entry));
        Ok(())
    }

    /// Entries from the end of the timeline back to a time: those in the store under those that changed since.
    fn newest_first(&self, from: Time) -> impl Iterator<Item = Result<(Place, EntryRow), Error>> + '_ {
        let key = self.conversation.key;
        let end = prefix_end(&keys::timeline_prefix(key));
        let stored = self.rows.scan_back(&keys::timeline_from(key, from), &end).map(|row| {
            let (key, value) = row?;
            let place = keys::entry_place(&key).ok_or_else(|| Error::row(table::TIMELINE))?;
            Ok((place, decode(value)?))
        });
        let mut changed: Vec<(Place, &Vec<u8>)> = Vec::new();
        for ((of, place), row) in &self.pending.entries {
            if *of == key && place.time >= from {
                changed.push((*place, row));
            }
        }
        changed.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
        merge(stored, changed.into_iter().map(|(place, row)| Ok((place, decode(&row[..])?))))
    }
}

fn decode(row: impl bytes::Buf) -> Result<EntryRow, Error> {
    EntryRow::decode(row).map_err(|_| Error::row(table::TIMELINE))
}

type Row = Result<(Place, EntryRow), Error>;

/// Two descending sequences in one; of two entries in one place the changed one stands.
fn merge(stored: impl Iterator<Item = Row>, changed: impl Iterator<Item = Row>) -> impl Iterator<Item = Row> {
    let (mut stored, mut changed) = (stored.peekable(), changed.peekable());
    std::iter::from_fn(move || match (stored.peek(), changed.peek()) {
        (Some(Ok((old, _))), Some(Ok((new, _)))) if old > new => stored.next(),
        (Some(Ok((old, _))), Some(Ok((new, _)))) if old == new => {
            stored.next();
            changed.next()
        }
        (Some(Err(_)), _) | (_, None) => stored.next(),
        (_, Some(_)) => changed.next(),
    })
}
