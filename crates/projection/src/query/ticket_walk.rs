use std::iter::{empty, once};

use bytes::Bytes;
use conversation::{Basis, Time};
use proto::v1::ticket::State;

use super::read::{decode, unreadable};
use super::tickets::TicketList;
use crate::store::{Scan, View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, ConversationKey, ShortDigest, WorkspaceKey, table};
use crate::view::rows::WindowRow;

/// Where a ticket stands in a list: by the time of the basis, then by conversation and ordinal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) time: Time,
    pub(crate) conversation: ConversationKey,
    pub(crate) ordinal: u64,
}

/// Where a page begins: behind a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) spot: Spot,
    /// See [`super::ticket_end::End`].
    pub(crate) met: u64,
}

impl Spot {
    fn to_bytes(self) -> Vec<u8> {
        [&keys::time_bytes(self.time)[..], &self.conversation.0, &self.ordinal.to_be_bytes()].concat()
    }
}

impl Stand {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [&self.spot.to_bytes()[..], &self.met.to_be_bytes()].concat()
    }

    /// `None` unless they came from [`Stand::to_bytes`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Stand> {
        let (spot, met) = bytes.split_last_chunk()?;
        let spot = Some(spot).filter(|spot| spot.len() == keys::INDEX_END).and_then(keys::index_parts)?;
        Some(Stand { spot: spot.into(), met: u64::from_be_bytes(*met) })
    }
}

impl From<keys::IndexKey> for Spot {
    fn from(key: keys::IndexKey) -> Spot {
        Spot { time: key.time, conversation: key.conversation, ordinal: key.ordinal }
    }
}

/// A ticket that a walk came by.
pub(crate) struct Found {
    pub(crate) spot: Spot,
    row: Row,
}

/// Where the row of a ticket is: in the index, or under a key of its own.
enum Row {
    Here(Bytes),
    At(Vec<u8>),
}

impl Found {
    /// Its row, not decoded yet. `None` only if the index is ahead of the rows, which one view of the store never shows.
    pub(crate) fn row(self, view: &dyn View) -> Result<Option<Bytes>, Error> {
        match self.row {
            Row::Here(row) => Ok(Some(row)),
            Row::At(key) => Ok(view.get(&key)?),
        }
    }
}

/// Tickets that a list may hold, newest first, from the narrowest index that has them all.
pub(crate) struct Walk<'a>(Box<dyn Iterator<Item = Result<Found, Error>> + 'a>);

impl Iterator for Walk<'_> {
    type Item = Result<Found, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(list: &TicketList, view: &'a dyn View) -> Result<Walk<'a>, Error> {
        let workspace = WorkspaceKey::of(&list.workspace);
        if !list.filter.conversation.is_empty() {
            return of_conversation(list, view, workspace);
        }
        let open_now = list.filter.state == Some(State::Open) && list.as_of.is_none();
        // Whose rows are whole, and where they are walked through.
        let (of, index) = match list.basis {
            Basis::Closed if list.filter.state == Some(State::Open) => return Ok(Walk(Box::new(empty()))),
            Basis::Opened | Basis::OpenDuring if open_now => {
                (table::TICKETS, keys::index_prefix(table::OPEN_NOW, workspace))
            }
            Basis::Closed => by_topic_or_all(list, workspace, table::BY_CLOSE),
            Basis::Opened | Basis::OpenDuring => by_topic_or_all(list, workspace, table::TICKETS),
        };
        Ok(Walk(by_index(list, view, workspace, of, index)))
    }
}

/// The narrowest index of those opened (`O`) or closed (`D`).
fn by_topic_or_all(list: &TicketList, workspace: WorkspaceKey, of: u8) -> (u8, Vec<u8>) {
    let index = match &list.filter.topic {
        Some(topic) => keys::topic_prefix(workspace, of, ShortDigest::of(topic)),
        None => keys::index_prefix(of, workspace),
    };
    (of, index)
}

/// The times between which the time of the basis lies. `None`: no bound.
fn bounds(list: &TicketList) -> (Option<Time>, Option<Time>) {
    let low = match list.basis {
        // One that is open during a period may have been opened at any time before.
        Basis::OpenDuring => None,
        Basis::Opened | Basis::Closed => Some(list.period.start),
    };
    let as_of = list.as_of.and_then(|at| at.0.checked_add(1)).map(Time);
    let end = Some(list.period.end).filter(|end| *end != Time::MAX);
    (low, as_of.into_iter().chain(end).min())
}

/// Newest first through an index, with the rows of `O` or `D`.
fn by_index<'a>(
    list: &TicketList,
    view: &'a dyn View,
    workspace: WorkspaceKey,
    of: u8,
    index: Vec<u8>,
) -> Box<dyn Iterator<Item = Result<Found, Error>> + 'a> {
    let (low, high) = bounds(list);
    let from = |time: Time| [&index[..], &keys::time_bytes(time)].concat();
    let begin = low.map_or_else(|| index.clone(), from);
    let end = high.map_or_else(|| prefix_end(&index), from);
    let reached = list.after.map(|stand| [&index[..], &stand.spot.to_bytes()].concat());
    let end = once(end).chain(reached).min().unwrap_or_default();
    let holds_rows = index == keys::index_prefix(of, workspace);
    let scan: Scan<'a> = view.scan_back(&begin, &end);
    Box::new(scan.map(move |row| {
        let (key, value) = row?;
        let spot = Spot::from(keys::index_parts(&key).ok_or_else(|| unreadable(&key))?);
        let row = if holds_rows { Row::Here(value) } else { Row::At(row_key(workspace, of, spot)) };
        Ok(Found { spot, row })
    }))
}

/// The key of a row of `O` or `D`.
fn row_key(workspace: WorkspaceKey, of: u8, spot: Spot) -> Vec<u8> {
    [keys::index_prefix(of, workspace), spot.to_bytes()].concat()
}

/// Newest first through the windows of one conversation. They are small, and sorted here: by closing they stand in no
/// index of the conversation.
fn of_conversation<'a>(list: &TicketList, view: &'a dyn View, workspace: WorkspaceKey) -> Result<Walk<'a>, Error> {
    let conversation = ConversationKey::of(&list.workspace, &list.filter.conversation);
    let prefix = keys::windows_prefix(conversation);
    let mut found = Vec::new();
    for row in view.scan(&prefix, &prefix_end(&prefix)) {
        let (key, value) = row?;
        let ordinal = keys::window_ordinal(&key).ok_or_else(|| unreadable(&key))?;
        let window: WindowRow = decode(&key, value)?;
        let time = match list.basis {
            Basis::Closed => window.close_time,
            Basis::Opened | Basis::OpenDuring => Some(window.open_time),
        };
        let Some(time) = time.map(Time) else { continue };
        let spot = Spot { time, conversation, ordinal };
        if list.after.is_none_or(|after| spot < after.spot) {
            found.push((spot, Time(window.open_time)));
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    let found = found.into_iter();
    Ok(Walk(Box::new(found.map(move |(spot, time)| {
        let row = row_key(workspace, table::TICKETS, Spot { time, ..spot });
        Ok(Found { spot, row: Row::At(row) })
    }))))
}
