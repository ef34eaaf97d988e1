//! A history, folded into a store, and the oracle's reading of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conversation::Time;
use prost::Message;
use proto::v1;
use service::Shutdown;
use tempfile::TempDir;

use super::history::{History, WORKSPACE};
use crate::query::{Key, Keys, Queries, QueryOptions};
use crate::store::{Engine, Home, Options, Store};
use crate::view::fold::Fold;
use crate::view::live::Live;
use crate::view::rows::{PositionRow, SCHEMA};

/// Opens what was never sealed, unless the conversation was erased.
#[derive(Clone, Default)]
pub(crate) struct ClearKeys {
    pub(crate) erased: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Clone)]
pub(crate) struct ClearKey;

impl Keys for ClearKeys {
    type Key = ClearKey;

    async fn find(&self, _: &str, conversation: &str) -> Result<Option<ClearKey>, bus::Error> {
        let erased = self.erased.lock().expect("not poisoned").contains(conversation);
        Ok((!erased).then_some(ClearKey))
    }
}

impl Key for ClearKey {
    fn open<M: Message + Default>(&self, sealed: &[u8]) -> Option<M> {
        M::decode(sealed).ok()
    }
}

pub(crate) struct World {
    pub(crate) history: History,
    pub(crate) live: Arc<Live>,
    pub(crate) keys: ClearKeys,
    pub(crate) shutdown: Shutdown,
    store: Arc<dyn Store>,
    fold: Fold,
    log: oracle::Log,
    /// What the oracle has said already: it is slow.
    views: RefCell<BTreeMap<Option<Time>, Rc<oracle::View>>>,
    _dir: TempDir,
}

impl World {
    pub(crate) fn new(history: History) -> World {
        let dir = TempDir::new().expect("a directory");
        let engine = if history.chats.len().is_multiple_of(2) { Engine::Fjall } else { Engine::Sled };
        let home = Home::open(dir.path(), engine, SCHEMA, Options::for_engine(engine)).expect("a home");
        let store = home.live().expect("a store");
        let live = Live::new(store.clone(), 0);
        World {
            history,
            live,
            keys: ClearKeys::default(),
            shutdown: Shutdown::new(),
            store,
            fold: Fold::new(PositionRow::default()),
            log: oracle::Log::new(),
            views: RefCell::default(),
            _dir: dir,
        }
    }

    /// Lets `n` more things happen and folds them, in batches of `batch`.
    pub(crate) fn go_on(&mut self, n: usize, batch: usize) {
        let events = self.history.go_on(n);
        self.apply(&events, batch);
    }

    pub(crate) fn apply(&mut self, events: &[(u64, v1::Event)], batch: usize) {
        self.views.borrow_mut().clear();
        for events in events.chunks(batch) {
            for (revision, event) in events {
                self.fold.apply(&*self.store, *revision, event.clone()).expect("folds");
                if let Some(event) = adapt(*revision, event) {
                    self.log.push(event);
                }
            }
            let (batch, commit) = self.fold.write().expect("rows");
            self.store.commit(batch).expect("commits");
            self.live.committed(commit);
        }
    }

    /// Builds the view anew from all events, and puts it in the place of the live one.
    pub(crate) fn rebuild(&mut self) {
        let fresh = World::new(History::new(0, Time(0), self.history.chats.len() + 1));
        let (live, log) = (self.live.clone(), std::mem::take(&mut self.log));
        (self.store, self.fold, self._dir) = (fresh.store, fresh.fold, fresh._dir);
        self.live = fresh.live;
        let events = self.history.events.clone();
        self.apply(&events, 64);
        (self.live, self.log) = (live, log);
        self.live.replace(self.store.clone(), events.len() as u64);
    }

    pub(crate) fn oracle(&self) -> oracle::View {
        oracle::read(&self.log)
    }

    /// What the oracle says when stamps after `at` are ignored.
    pub(crate) fn oracle_as_of(&self, at: Option<Time>) -> Rc<oracle::View> {
        let read = || Rc::new(at.map_or_else(|| self.oracle(), |at| oracle::read_as_of(&self.log, at.0)));
        self.views.borrow_mut().entry(at).or_insert_with(read).clone()
    }

    pub(crate) fn queries(&self) -> Queries<ClearKeys> {
        let mut options = QueryOptions::new([WORKSPACE.to_owned(), "other".to_owned()]);
        options.heartbeat = Duration::from_millis(3);
        Queries::new(self.live.clone(), self.keys.clone(), options, self.shutdown.clone())
    }

    /// The channel of a conversation.
    pub(crate) fn channel(&self, conversation: &str) -> &str {
        let chat = self.history.chats.iter().find(|chat| chat.id.as_str() == conversation);
        &chat.expect("a chat").channel
    }
}

/// An event in the plain words of the oracle; `None` for what it does not ask about.
fn adapt(revision: u64, event: &v1::Event) -> Option<oracle::Event> {
    use v1::event::Event;
    let inbound = |direction: i32| direction == i32::from(v1::Direction::Inbound);
    let changed = |target: &str, backfilled: bool| oracle::What::Changed { target: target.to_owned(), backfilled };
    let what = match event.event.as_ref().expect("an event") {
        Event::MessageReceived(_) => oracle::What::Received,
        Event::MessageEchoed(_) => oracle::What::Echoed,
        Event::MessageBackfilled(event) => oracle::What::BackFilled { inbound: inbound(event.direction) },
        Event::MessageStatusChanged(event) => {
            oracle::What::Status { reference: event.message_ref.clone(), message: event.message_id.clone() }
        }
        Event::ReactionChanged(event) => changed(&event.target_ref, event.backfilled),
        Event::MessageEdited(event) => changed(&event.target_ref, false),
        Event::MessageRevoked(event) => changed(&event.target_ref, false),
        Event::ContactChanged(event) if event.r#type.is_empty() => oracle::What::Silent,
        Event::ContactChanged(_) => oracle::What::ContactChanged,
        Event::MessagesRead(_) | Event::ContactErased(_) => return None,
        Event::Decided(decided) => oracle::What::Decided(decision(decided)),
    };
    Some(oracle::Event {
        revision,
        id: event.id.clone(),
        conversation: event.conversation.clone(),
        actor: actor(event.actor.as_ref().expect("an actor")),
        occur_time: nanos(event.occur_time.as_ref()),
        record_time: nanos(event.record_time.as_ref()),
        what,
    })
}

fn decision(decided: &v1::Decided) -> oracle::Decided {
    use v1::decided_entry::Entry;
    let entries = decided.entries.iter().map(|entry| match entry.entry.as_ref().expect("an entry") {
        Entry::Stamp(stamp) => oracle::Entry::Stamp(self::stamp(stamp)),
        Entry::Message(message) => oracle::Entry::Message(message.id.clone()),
        Entry::Note(note) => oracle::Entry::Note(note.id.clone()),
    });
    oracle::Decided {
        entries: entries.collect(),
        tags_added: decided.tags_added.clone(),
        tags_removed: decided.tags_removed.clone(),
        bot_paused: match decided.bot_change() {
            v1::decided::BotChange::Unspecified => None,
            v1::decided::BotChange::Paused => Some(true),
            v1::decided::BotChange::Resumed => Some(false),
        },
    }
}

fn stamp(stamp: &v1::Stamp) -> oracle::Stamp {
    use v1::stamp::Kind;
    let mark = match stamp.kind.as_ref().expect("a kind") {
        Kind::Opened(opened) => oracle::Mark::Opened {
            ticket: opened.ticket_id.clone(),
            primary: Some(opened.primary_id.clone()).filter(|id| !id.is_empty()),
            topic: opened.topic.clone(),
        },
        Kind::Closed(closed) => oracle::Mark::Closed { ticket: closed.ticket_id.clone() },
        Kind::Assigned(assigned) => {
            let assignee = assigned.assignee.as_ref().expect("an assignee");
            oracle::Mark::Assigned(oracle::Assignee::new(&assignee.agent_id, &assignee.team_id))
        }
        Kind::Unassigned(_) => oracle::Mark::Unassigned,
    };
    oracle::Stamp { actor: actor(stamp.actor.as_ref().expect("an actor")), time: nanos(stamp.time.as_ref()), mark }
}

pub(crate) fn actor(actor: &v1::Actor) -> oracle::Actor {
    use v1::actor::Kind;
    let kind = match actor.kind() {
        Kind::Customer => oracle::Kind::Customer,
        Kind::Bot => oracle::Kind::Bot,
        Kind::Automation => oracle::Kind::Automation,
        Kind::Agent => oracle::Kind::Agent,
        Kind::System => oracle::Kind::System,
        Kind::Unspecified => panic!("an actor without a kind"),
    };
    oracle::Actor { kind, id: actor.id.clone(), name: actor.display_name.clone() }
}

/// A time on the wire in nanoseconds.
pub(crate) fn nanos(time: Option<&prost_types::Timestamp>) -> i64 {
    proto::time(time.expect("a time")).expect("a valid one").0
}
