//! What a fold left in a store, read row by row.

use std::sync::Arc;

use conversation::{Revision, TicketId, Time};
use prost::Message;
use proto::v1;
use tempfile::TempDir;

use super::super::Fold;
use super::log::WORKSPACE;
use crate::store::{Engine, Home, Options, Store, content_hash, prefix_end};
use crate::view::keys::{self, ConversationKey, Place, WorkspaceKey};
use crate::view::rows::{ConversationRow, EntryRow, KnownRow, PositionRow, SCHEMA, TicketRow, WindowRow};

pub(super) const ENGINES: [Engine; 2] = [Engine::Sled, Engine::Fjall];

/// A store of its own, and what was folded into it.
pub(super) struct Folded {
    pub(super) store: Arc<dyn Store>,
    _dir: TempDir,
}

impl Folded {
    pub(super) fn empty(engine: Engine) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Home::open(dir.path(), engine, SCHEMA, Options::for_engine(engine)).unwrap().live().unwrap();
        Self { store, _dir: dir }
    }

    /// Everything in one batch.
    pub(super) fn of(events: &[(Revision, v1::Event)]) -> Self {
        let folded = Self::empty(Engine::Fjall);
        folded.fold(events, |_| Cut::None);
        folded
    }

    /// Folds on from where the store stands; `cut` is asked after every event.
    pub(super) fn fold(&self, events: &[(Revision, v1::Event)], mut cut: impl FnMut(usize) -> Cut) {
        let mut fold = Fold::new(self.position());
        for (n, (revision, event)) in
            events.iter().enumerate().skip_while(|(_, (at, _))| *at <= self.position().revision)
        {
            fold.apply(&*self.store, *revision, event.clone()).unwrap();
            match cut(n) {
                Cut::None => {}
                Cut::Batch => self.commit(&mut fold),
                Cut::Restart => {
                    self.commit(&mut fold);
                    fold = Fold::new(self.position());
                }
            }
        }
        self.commit(&mut fold);
    }

    fn commit(&self, fold: &mut Fold) {
        self.store.commit(fold.write().unwrap().0).unwrap();
    }

    pub(super) fn position(&self) -> PositionRow {
        self.row(&keys::position()).unwrap_or_default()
    }

    pub(super) fn hash(&self) -> String {
        content_hash(&*self.store, &[]).unwrap().to_string()
    }

    pub(super) fn row<T: Message + Default>(&self, key: &[u8]) -> Option<T> {
        self.store.get(key).unwrap().map(|row| T::decode(row).unwrap())
    }

    pub(super) fn rows(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = self.store.scan(prefix, &prefix_end(prefix));
        rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
    }

    pub(super) fn conversation(&self, chat: &str) -> ConversationRow {
        self.row(&keys::conversation(key(chat))).unwrap()
    }

    pub(super) fn timeline(&self, chat: &str) -> Vec<(Place, EntryRow)> {
        let rows = self.rows(&keys::timeline_prefix(key(chat))).into_iter();
        rows.map(|(key, row)| (keys::entry_place(&key).unwrap(), EntryRow::decode(&row[..]).unwrap())).collect()
    }

    /// The entry of an event, or the first of its entries.
    pub(super) fn entry(&self, chat: &str, revision: Revision) -> EntryRow {
        self.entry_at(chat, revision, 0)
    }

    pub(super) fn entry_at(&self, chat: &str, revision: Revision, index: u32) -> EntryRow {
        let timeline = self.timeline(chat);
        let found = timeline.into_iter().find(|(place, _)| (place.revision, place.index) == (revision, index));
        found.unwrap().1
    }

    pub(super) fn ticket(&self, id: &str) -> TicketRow {
        let (chat, ordinal) = TicketId::new(id).parts().unwrap();
        let conversation = ConversationKey::of(WORKSPACE, chat.as_str());
        let window: WindowRow = self.row(&keys::window(conversation, ordinal)).unwrap();
        let workspace = WorkspaceKey::of(WORKSPACE);
        self.row(&keys::TicketKey { workspace, open_time: Time(window.open_time), conversation, ordinal }.row())
            .unwrap()
    }

    pub(super) fn known(&self, chat: &str, id: &str) -> KnownRow {
        self.row(&keys::known(key(chat), keys::ShortDigest::of(id))).unwrap_or_default()
    }
}

pub(super) fn key(chat: &str) -> ConversationKey {
    ConversationKey::of(WORKSPACE, chat)
}

/// What happens between two events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    None,
    /// The batch ends.
    Batch,
    /// The batch ends, and whoever folded starts anew from the store.
    Restart,
}
