//! The keys of the store. The first byte names the table; what is read together stands together.
//!
//! | table | key | row |
//! |---|---|---|
//! | position | `P` | [`super::rows::PositionRow`] |
//! | conversation | `C` conversation | [`super::rows::ConversationRow`] |
//! | timeline | `T` conversation, place time, revision, index | [`super::rows::EntryRow`] |
//! | changes | `X` conversation, change revision, index | the rest of the timeline key: place time, revision, index |
//! | known ids | `E` conversation, id | [`super::rows::KnownRow`] |
//! | windows | `K` conversation, ordinal | [`super::rows::WindowRow`] |
//! | tickets, by opening | `O` workspace, open time, conversation, ordinal | [`super::rows::TicketRow`] |
//! | by closing | `D` workspace, close time, conversation, ordinal | [`super::rows::TicketRow`] again: it changes no more |
//! | open now | `S` workspace, open time, conversation, ordinal | empty |
//! | by topic | `B` workspace, `O` or `D`, topic, open or close time, conversation, ordinal | empty |
//! | by change | `R` workspace, change revision, conversation, ordinal | open time |
//! | activity | `A` workspace, held, last entry time, conversation | [`super::rows::ActivityRow`] |
//! | counts by minute | `M` workspace, basis, dimension, day, value | the day's minutes, packed |
//! | counts by day | `Y` workspace, basis, dimension, span of 512 days, value | the span's days, packed |
//! | durations by day | `Q` workspace, basis, dimension, day, value | sketches, packed |
//! | values | `V` workspace, dimension, value | [`super::rows::ValueRow`] |
//!
//! Conversations, workspaces, ids and values stand there by digests, so that keys are short and of one length.

use conversation::{Revision, Time};
use sha2::{Digest, Sha256};

/// The table of a key.
pub(crate) mod table {
    pub(crate) const POSITION: u8 = b'P';
    pub(crate) const CONVERSATION: u8 = b'C';
    pub(crate) const TIMELINE: u8 = b'T';
    pub(crate) const CHANGES: u8 = b'X';
    pub(crate) const KNOWN: u8 = b'E';
    pub(crate) const WINDOWS: u8 = b'K';
    pub(crate) const TICKETS: u8 = b'O';
    pub(crate) const BY_CLOSE: u8 = b'D';
    pub(crate) const OPEN_NOW: u8 = b'S';
    pub(crate) const BY_TOPIC: u8 = b'B';
    pub(crate) const BY_CHANGE: u8 = b'R';
    pub(crate) const ACTIVITY: u8 = b'A';
    pub(crate) const MINUTES: u8 = b'M';
    pub(crate) const DAYS: u8 = b'Y';
    pub(crate) const DURATIONS: u8 = b'Q';
    pub(crate) const VALUES: u8 = b'V';

    /// Looked into for rows that mostly are not there: ids seen for the first time, days that begin.
    pub(crate) const MOSTLY_NEW: &[u8] = &[CONVERSATION, KNOWN, MINUTES, DAYS, DURATIONS, VALUES];
}

/// A conversation in a key: the first 16 bytes of SHA-256(workspace, 0, conversation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConversationKey(pub(crate) [u8; 16]);

/// A workspace in a key: the first 8 bytes of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkspaceKey(pub(crate) [u8; 8]);

/// An id or a value in a key: the first 8 bytes of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ShortDigest(pub(crate) [u8; 8]);

impl ConversationKey {
    pub(crate) fn of(workspace: &str, conversation: &str) -> Self {
        let digest = Sha256::new().chain_update(workspace).chain_update([0]).chain_update(conversation).finalize();
        Self(leading(&digest))
    }
}

impl WorkspaceKey {
    pub(crate) fn of(workspace: &str) -> Self {
        Self(leading(&Sha256::digest(workspace)))
    }
}

impl ShortDigest {
    pub(crate) fn of(text: &str) -> Self {
        Self(leading(&Sha256::digest(text)))
    }
}

/// The leading bytes; what is missing is zero.
fn leading<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// Eight bytes in the order of time.
pub(crate) fn time_bytes(time: Time) -> [u8; 8] {
    ((time.0 as u64) ^ (1 << 63)).to_be_bytes()
}

fn time_from(bytes: &[u8]) -> Time {
    Time((u64::from_be_bytes(leading(bytes)) ^ (1 << 63)) as i64)
}

/// Where an entry stands in its timeline: these three, in this order, sort it (W7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) time: Time,
    pub(crate) revision: Revision,
    pub(crate) index: u32,
}

impl Place {
    pub(crate) const BYTES: usize = 20;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts =
            time_bytes(self.time).into_iter().chain(self.revision.to_be_bytes()).chain(self.index.to_be_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// `None` unless there are exactly [`Self::BYTES`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, rest) = bytes.split_at_checked(8)?;
        let (revision, index) = rest.split_at_checked(8)?;
        (index.len() == 4).then(|| Self {
            time: time_from(time),
            revision: u64::from_be_bytes(leading(revision)),
            index: u32::from_be_bytes(leading(index)),
        })
    }
}

/// Puts the parts of a key together.
fn key<const N: usize>(table: u8, parts: [&[u8]; N]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(table);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub(crate) fn position() -> Vec<u8> {
    vec![table::POSITION]
}

pub(crate) fn conversation(conversation: ConversationKey) -> Vec<u8> {
    key(table::CONVERSATION, [&conversation.0])
}

/// Every entry of a conversation.
pub(crate) fn timeline_prefix(conversation: ConversationKey) -> Vec<u8> {
    key(table::TIMELINE, [&conversation.0])
}

/// The first key at or after a place time.
pub(crate) fn timeline_from(conversation: ConversationKey, time: Time) -> Vec<u8> {
    key(table::TIMELINE, [&conversation.0, &time_bytes(time)])
}

pub(crate) fn entry(conversation: ConversationKey, place: Place) -> Vec<u8> {
    key(table::TIMELINE, [&conversation.0, &place.to_bytes()])
}

/// The place in a timeline key.
pub(crate) fn entry_place(key: &[u8]) -> Option<Place> {
    Place::from_bytes(key.get(17..)?)
}

pub(crate) fn changes_prefix(conversation: ConversationKey) -> Vec<u8> {
    key(table::CHANGES, [&conversation.0])
}

/// An entry that is late or was changed, under the event that last changed it, one row each. The others are found at
/// the end of the timeline, which they joined in the order of their revisions.
pub(crate) fn change(conversation: ConversationKey, change_revision: Revision, index: u32) -> Vec<u8> {
    key(table::CHANGES, [&conversation.0, &change_revision.to_be_bytes(), &index.to_be_bytes()])
}

/// The change revision and index in a key of the changes.
pub(crate) fn change_parts(key: &[u8]) -> Option<(Revision, u32)> {
    let (revision, index) = key.get(17..)?.split_at_checked(8)?;
    (index.len() == 4).then(|| (u64::from_be_bytes(leading(revision)), u32::from_be_bytes(leading(index))))
}

pub(crate) fn known(conversation: ConversationKey, id: ShortDigest) -> Vec<u8> {
    key(table::KNOWN, [&conversation.0, &id.0])
}

/// Every ticket of a conversation.
pub(crate) fn windows_prefix(conversation: ConversationKey) -> Vec<u8> {
    key(table::WINDOWS, [&conversation.0])
}

pub(crate) fn window(conversation: ConversationKey, ordinal: u64) -> Vec<u8> {
    key(table::WINDOWS, [&conversation.0, &ordinal.to_be_bytes()])
}

/// The ordinal in a key of the windows.
pub(crate) fn window_ordinal(key: &[u8]) -> Option<u64> {
    key.get(17..).filter(|rest| rest.len() == 8).map(|rest| u64::from_be_bytes(leading(rest)))
}

/// A ticket in an index of its workspace: `O`, `D`, `S` by a time, `R` by a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TicketKey {
    pub(crate) workspace: WorkspaceKey,
    /// Of the opening: with it the row is found.
    pub(crate) open_time: Time,
    pub(crate) conversation: ConversationKey,
    pub(crate) ordinal: u64,
}

impl TicketKey {
    /// The ticket's row.
    pub(crate) fn row(&self) -> Vec<u8> {
        self.at(table::TICKETS, time_bytes(self.open_time))
    }

    pub(crate) fn open_now(&self) -> Vec<u8> {
        self.at(table::OPEN_NOW, time_bytes(self.open_time))
    }

    pub(crate) fn by_close(&self, close: Time) -> Vec<u8> {
        self.at(table::BY_CLOSE, time_bytes(close))
    }

    pub(crate) fn by_change(&self, revision: Revision) -> Vec<u8> {
        self.at(table::BY_CHANGE, revision.to_be_bytes())
    }

    /// Among those of a topic, by opening (`O`) or by closing (`D`).
    pub(crate) fn by_topic(&self, of: u8, topic: ShortDigest, time: Time) -> Vec<u8> {
        let Self { workspace, conversation, ordinal, .. } = self;
        let parts = [&workspace.0[..], &[of], &topic.0, &time_bytes(time), &conversation.0, &ordinal.to_be_bytes()];
        key(table::BY_TOPIC, parts)
    }

    fn at(&self, table: u8, order: [u8; 8]) -> Vec<u8> {
        key(table, [&self.workspace.0, &order, &self.conversation.0, &self.ordinal.to_be_bytes()])
    }
}

/// How many bytes of a key of an index say which ticket it is, and when: a time, a conversation and an ordinal.
pub(crate) const INDEX_END: usize = 32;

/// What a key of `O`, `D`, `S`, `B` or `R` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexKey {
    /// The open or close time; of `R`, see [`Self::revision`].
    pub(crate) time: Time,
    pub(crate) revision: Revision,
    pub(crate) conversation: ConversationKey,
    pub(crate) ordinal: u64,
}

/// The end of a key of an index says it, whatever the index is sorted by before that.
pub(crate) fn index_parts(key: &[u8]) -> Option<IndexKey> {
    let (order, rest) = key.last_chunk::<INDEX_END>()?.split_at_checked(8)?;
    let (conversation, ordinal) = rest.split_at_checked(16)?;
    Some(IndexKey {
        time: time_from(order),
        revision: u64::from_be_bytes(leading(order)),
        conversation: ConversationKey(leading(conversation)),
        ordinal: u64::from_be_bytes(leading(ordinal)),
    })
}

/// The open time that the rows of `R` hold.
pub(crate) fn open_time_value(open: Time) -> Vec<u8> {
    time_bytes(open).to_vec()
}

pub(crate) fn open_time_from(value: &[u8]) -> Option<Time> {
    (value.len() == 8).then(|| time_from(value))
}

/// All of a workspace in one of the tables `O`, `D`, `S`, `R`.
pub(crate) fn index_prefix(table: u8, workspace: WorkspaceKey) -> Vec<u8> {
    key(table, [&workspace.0])
}

/// The first key of `O`, `D` or `S` at or after a time.
pub(crate) fn index_from_time(table: u8, workspace: WorkspaceKey, time: Time) -> Vec<u8> {
    key(table, [&workspace.0, &time_bytes(time)])
}

/// All of a workspace that have a topic, by opening (`O`) or by closing (`D`).
pub(crate) fn topic_prefix(workspace: WorkspaceKey, of: u8, topic: ShortDigest) -> Vec<u8> {
    key(table::BY_TOPIC, [&workspace.0[..], &[of], &topic.0])
}

/// The first key of `R` at or after a revision.
pub(crate) fn index_from_revision(workspace: WorkspaceKey, revision: Revision) -> Vec<u8> {
    key(table::BY_CHANGE, [&workspace.0, &revision.to_be_bytes()])
}

/// Conversations of a workspace by their last entry. `held`: a ticket is open or somebody is assigned. The two
/// halves share no conversation; all of them are both, merged.
pub(crate) fn activity_prefix(workspace: WorkspaceKey, held: bool) -> Vec<u8> {
    key(table::ACTIVITY, [&workspace.0, &[u8::from(held)]])
}

/// A conversation without a live entry stands at [`Time::MIN`].
pub(crate) fn activity(workspace: WorkspaceKey, held: bool, last: Time, conversation: ConversationKey) -> Vec<u8> {
    key(table::ACTIVITY, [&workspace.0, &[u8::from(held)], &time_bytes(last), &conversation.0])
}

/// The last entry time and the conversation in a key of the activity.
pub(crate) fn activity_parts(key: &[u8]) -> Option<(Time, ConversationKey)> {
    let time = key.get(10..18)?;
    let conversation = key.get(18..34).filter(|_| key.len() == 34)?;
    Some((time_from(time), ConversationKey(leading(conversation))))
}

/// All series of counts or durations of one dimension: what is grouped by it is read in one go, day by day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DimensionKey {
    pub(crate) workspace: WorkspaceKey,
    /// 1 opened, 2 closed.
    pub(crate) basis: u8,
    pub(crate) dimension: u8,
}

impl DimensionKey {
    /// Every day or span.
    pub(crate) fn prefix(&self, table: u8) -> Vec<u8> {
        key(table, [&self.workspace.0, &[self.basis, self.dimension]])
    }

    /// The first key at or after a day or span.
    pub(crate) fn start_of(&self, table: u8, unit: i32) -> Vec<u8> {
        key(table, [&self.workspace.0, &[self.basis, self.dimension], &unit_bytes(unit)])
    }
}

/// One series of counts or durations: the days or spans of one value of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesKey {
    pub(crate) of: DimensionKey,
    pub(crate) value: ShortDigest,
}

impl SeriesKey {
    /// The row of a day or span.
    pub(crate) fn row(&self, table: u8, unit: i32) -> Vec<u8> {
        let DimensionKey { workspace, basis, dimension } = self.of;
        key(table, [&workspace.0, &[basis, dimension], &unit_bytes(unit), &self.value.0])
    }
}

/// Four bytes in the order of time.
fn unit_bytes(unit: i32) -> [u8; 4] {
    ((unit as u32) ^ (1 << 31)).to_be_bytes()
}

/// The day or span in a key of a series, and the value.
pub(crate) fn series_parts(key: &[u8]) -> Option<(i32, ShortDigest)> {
    let unit = key.get(11..15)?;
    let value = key.get(15..23).filter(|_| key.len() == 23)?;
    Some(((u32::from_be_bytes(leading(unit)) ^ (1 << 31)) as i32, ShortDigest(leading(value))))
}

pub(crate) fn values_prefix(workspace: WorkspaceKey, dimension: u8) -> Vec<u8> {
    key(table::VALUES, [&workspace.0, &[dimension]])
}

pub(crate) fn value(workspace: WorkspaceKey, dimension: u8, value: ShortDigest) -> Vec<u8> {
    key(table::VALUES, [&workspace.0, &[dimension], &value.0])
}

/// The value in a key of the values.
pub(crate) fn value_digest(key: &[u8]) -> Option<ShortDigest> {
    key.get(10..18).filter(|_| key.len() == 18).map(|digest| ShortDigest(leading(digest)))
}
