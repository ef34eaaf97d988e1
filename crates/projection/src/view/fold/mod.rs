//! What an event changes in the view.
//!
//! Folding is total and deterministic: an event that makes no sense changes nothing it does not have to, no event
//! ends it, and the same events leave the same bytes, however they are cut into batches. It needs no keys: what is
//! sealed stays sealed.

mod change;
mod conversation;
mod decision;
mod decode;
mod entry;
mod fact;
mod ticket;
mod timeline;
mod turn;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ::conversation::Revision;
use prost::Message as _;
use proto::v1;
use proto::v1::event::Event as Kind;

use super::cache::{DigestMap, WriteBack};
use super::counters::Tally;
use super::error::Error;
use super::keys::{self, ConversationKey, Place, ShortDigest, WorkspaceKey};
use super::live::Commit;
use super::rows::{KnownRow, PositionRow};
use crate::store::{Batch, View};
use conversation::Conversation;
pub(crate) use decode::decode;
use turn::Turn;

/// Conversations kept in memory between batches, of about a kilobyte each.
const KEPT_CONVERSATIONS: usize = 32_768;

/// Applies events, in memory; [`Fold::write`] says what to store of it.
pub(crate) struct Fold {
    position: PositionRow,
    conversations: WriteBack<ConversationKey, Conversation>,
    pending: Pending,
    tally: Tally,
}

/// Rows that changed since the last batch, beside those that stay in memory.
#[derive(Default)]
struct Pending {
    /// Encoded: few are looked at again.
    entries: DigestMap<(ConversationKey, Place), Vec<u8>>,
    /// Together, what was ever put in.
    entry_bytes: usize,
    known: DigestMap<(ConversationKey, ShortDigest), KnownRow>,
    batch: Batch,
    conversations: BTreeSet<ConversationKey>,
    workspaces: BTreeSet<WorkspaceKey>,
}

impl Fold {
    /// A fold that goes on from a position.
    pub(crate) fn new(position: PositionRow) -> Self {
        Self {
            position,
            conversations: WriteBack::new(KEPT_CONVERSATIONS),
            pending: Pending::default(),
            tally: Tally::new(),
        }
    }

    /// Where it stands, and the id of the event there.
    pub(crate) fn position(&self) -> &PositionRow {
        &self.position
    }

    /// Applies the event at a revision. `rows` is the store with everything written so far.
    ///
    /// # Errors
    /// When the store can't be read; the fold is of no use then.
    pub(crate) fn apply(&mut self, rows: &dyn View, revision: Revision, mut event: v1::Event) -> Result<(), Error> {
        self.position.revision = revision;
        self.position.event_id.clone_from(&event.id);
        let nowhere = event.workspace.is_empty() || event.conversation.is_empty();
        let Some(kind) = event.event.take().filter(|_| !nowhere) else {
            tracing::warn!(revision, id = %event.id, "skipping an event of no known kind or conversation");
            return Ok(());
        };
        let key = ConversationKey::of(&event.workspace, &event.conversation);
        let id = ShortDigest::of(&event.id);
        // Reports are known by the entry that has them, and an id that is missing tells nothing.
        let listed = !event.id.is_empty() && !matches!(kind, Kind::MessageStatusChanged(_));
        let known = if listed { self.pending.known(rows, key, id)? } else { KnownRow::default() };
        if known.applied {
            return Ok(());
        }
        let load = || Conversation::load(rows, key, &event.workspace, &event.conversation);
        let conversation = self.conversations.change(key, load)?;
        let mut turn =
            Turn { rows, conversation, pending: &mut self.pending, tally: &mut self.tally, event, id, known, revision };
        turn.take(kind)?;
        if listed {
            let known = KnownRow { applied: true, ..turn.known };
            self.pending.known.insert((key, id), known);
        }
        Ok(())
    }

    /// Moves past an event that can't be read.
    pub(crate) fn skip(&mut self, revision: Revision) {
        self.position = PositionRow { revision, event_id: String::new() };
    }

    /// About how many operations [`Self::write`] would give.
    pub(crate) fn operations(&self) -> usize {
        let pending = &self.pending;
        let rows = pending.entries.len() + pending.known.len() + pending.batch.len() + self.tally.changed();
        // The row, and its place in the activity: one out, one in.
        rows + 3 * self.conversations.changed()
    }

    /// About how many bytes wait to be written: most of them are what was sealed.
    pub(crate) fn bytes(&self) -> usize {
        self.pending.entry_bytes
    }

    /// All that changed since the last time, with the position. It has to be committed before the next event.
    pub(crate) fn write(&mut self) -> Result<(Batch, Commit), Error> {
        let mut pending = std::mem::take(&mut self.pending);
        let batch = &mut pending.batch;
        self.conversations.write(|_, conversation| -> Result<(), Error> {
            conversation.write(batch);
            Ok(())
        })?;
        for ((conversation, place), row) in pending.entries {
            batch.put(keys::entry(conversation, place), row);
        }
        for ((conversation, id), row) in &pending.known {
            batch.put(keys::known(*conversation, *id), row.encode_to_vec());
        }
        self.tally.write(batch)?;
        batch.put(keys::position(), self.position.encode_to_vec());
        let commit = Commit {
            revision: self.position.revision,
            conversations: pending.conversations.into_iter().collect(),
            tickets: pending.workspaces.into_iter().collect(),
            rebuilt: false,
        };
        Ok((pending.batch, commit))
    }
}

impl Pending {
    /// What is known of an id.
    fn known(&self, rows: &dyn View, key: ConversationKey, id: ShortDigest) -> Result<KnownRow, Error> {
        if let Some(known) = self.known.get(&(key, id)) {
            return Ok(known.clone());
        }
        let row = rows.get(&keys::known(key, id))?;
        row.map_or(Ok(KnownRow::default()), |row| KnownRow::decode(row).map_err(|_| Error::row(keys::table::KNOWN)))
    }

    fn change_known<T>(
        &mut self,
        rows: &dyn View,
        key: ConversationKey,
        id: ShortDigest,
        change: impl FnOnce(&mut KnownRow) -> T,
    ) -> Result<T, Error> {
        let mut known = self.known(rows, key, id)?;
        let changed = change(&mut known);
        self.known.insert((key, id), known);
        Ok(changed)
    }
}
