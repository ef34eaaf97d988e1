//! What every workspace knows, ready to be asked: a watched copy of the lists, with a fence.
//!
//! A watch tells of a change some time after it was made, and an index takes time to build. Whoever asks first learns
//! from the leader how far the lists are, and waits until the index of the workspace is that far: so what is recorded
//! after the answer to an import is answered by it.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::{Bus, Entry, Error, Update};
use futures::FutureExt;
use prost::Message;
use proto::v1;
use service::{Shutdown, Supervisor};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Store, parse};
use crate::retrieval::{Document, Index};

/// How long an index may take to come as far as the bucket: the largest knowledge is built in less.
const CATCH_UP: Duration = Duration::from_secs(20);
/// Pause before an index is built again that could not be.
const AGAIN: Duration = Duration::from_secs(1);

/// What every workspace knows, followed from the bus. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Inner>);

struct Inner {
    store: Store,
    shelves: Mutex<BTreeMap<String, Shelf>>,
    /// How far the lists are known here.
    seen: watch::Sender<u64>,
    /// Rings whenever an index was built.
    built: watch::Sender<u64>,
}

/// What is known of a workspace.
#[derive(Default)]
struct Shelf {
    etag: u64,
    list: v1::KnowledgeList,
    building: bool,
    /// The etag of the list that the index was built from.
    built: u64,
    /// The etag of the last list that no index could be built from.
    failed: u64,
    index: Option<Arc<Index>>,
    /// What the index was built from, by id.
    documents: HashMap<String, Arc<Document>>,
}

/// An index, and what it was built from, by id.
type Shelved = (Option<Arc<Index>>, HashMap<String, Arc<Document>>);

/// What building came to.
struct Built {
    workspace: String,
    etag: u64,
    result: Result<Shelved, Error>,
}

impl Library {
    /// A library that knows nothing until [`Library::start`].
    pub fn new(bus: Bus) -> Library {
        Library(Arc::new(Inner {
            store: Store::new(&bus),
            shelves: Mutex::default(),
            seen: watch::channel(0).0,
            built: watch::channel(0).0,
        }))
    }

    /// Follows the bus until shutdown begins.
    pub fn start(&self, supervisor: &Supervisor) {
        let library = self.clone();
        let shutdown = supervisor.shutdown().clone();
        supervisor.restart("knowledge", move || {
            let (library, shutdown) = (library.clone(), shutdown.clone());
            async move {
                library.follow(&shutdown).await;
                Ok::<(), Infallible>(())
            }
        });
    }

    async fn follow(&self, shutdown: &Shutdown) {
        // What was being built when this ended before is nobody's.
        self.shelves().values_mut().for_each(|shelf| shelf.building = false);
        let mut watch = self.0.store.watch();
        let mut builds = JoinSet::new();
        loop {
            tokio::select! {
                updates = watch.next() => {
                    updates.into_iter().for_each(|update| self.take(update));
                }
                Some(built) = builds.join_next() => match built {
                    Ok(built) => self.shelve(built),
                    Err(error) => tracing::error!(%error, "building an index broke off"),
                },
                () = shutdown.begun() => return,
            }
            self.build(&mut builds);
        }
    }

    fn shelves(&self) -> MutexGuard<'_, BTreeMap<String, Shelf>> {
        self.0.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, update: Update) {
        let mut shelves = self.shelves();
        let entries = match update {
            Update::Snapshot(entries) => entries,
            Update::Changed(entry) => vec![entry],
        };
        let newest = entries.iter().map(|entry| entry.etag).max().unwrap_or(0);
        for Entry { key, etag, value } in entries {
            let workspace = key.strip_prefix(super::store::LISTS).unwrap_or(&key).to_owned();
            let list = value.map_or(Ok(v1::KnowledgeList::default()), v1::KnowledgeList::decode);
            match list {
                Ok(list) => {
                    let shelf = shelves.entry(workspace).or_default();
                    (shelf.etag, shelf.list) = (etag, list);
                }
                Err(error) => tracing::error!(workspace, %error, "the list of what is known can't be read"),
            }
        }
        drop(shelves);
        self.0.seen.send_modify(|seen| *seen = (*seen).max(newest));
    }

    /// Sets off what has to be built.
    fn build(&self, builds: &mut JoinSet<Built>) {
        let mut shelves = self.shelves();
        for (workspace, shelf) in shelves.iter_mut().filter(|(_, shelf)| !shelf.building && shelf.built < shelf.etag) {
            shelf.building = true;
            let (workspace, etag, list) = (workspace.clone(), shelf.etag, shelf.list.clone());
            let (library, known) = (self.clone(), shelf.documents.clone());
            builds.spawn(async move {
                let building = AssertUnwindSafe(read_and_build(&library.0.store, &workspace, list, known));
                let broke = || Error::Unreadable {
                    what: format!("what {workspace} knows"),
                    reason: "building it broke off".to_owned(),
                };
                let result = building.catch_unwind().await.unwrap_or_else(|_| Err(broke()));
                if let Err(error) = &result {
                    tracing::warn!(workspace, %error, "what a workspace knows can't be built yet");
                    library.fail(&workspace, etag);
                    tokio::time::sleep(AGAIN).await;
                }
                Built { workspace, etag, result }
            });
        }
    }

    /// Whoever waits learns at once that there is no newer index, and is answered by the one before.
    fn fail(&self, workspace: &str, etag: u64) {
        if let Some(shelf) = self.shelves().get_mut(workspace) {
            shelf.failed = etag;
        }
        self.0.built.send_modify(|count| *count += 1);
    }

    fn shelve(&self, built: Built) {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(built.workspace).or_default();
        shelf.building = false;
        if let Ok((index, documents)) = built.result {
            (shelf.built, shelf.index, shelf.documents) = (built.etag, index, documents);
        }
        drop(shelves);
        self.0.built.send_modify(|count| *count += 1);
    }

    /// What a workspace knows, with everything that was imported before this was called; `None` for nothing. While no
    /// index can be built of that, what it knew before.
    ///
    /// # Errors
    /// [`Error::Away`] when that can't be known in time.
    pub(crate) async fn index(&self, workspace: &str) -> Result<Option<Arc<Index>>, Error> {
        let late = |_| Error::Away { doing: "waiting for knowledge", source: "the index is behind".into() };
        tokio::time::timeout(CATCH_UP, self.up_to_date(workspace)).await.map_err(late)?
    }

    async fn up_to_date(&self, workspace: &str) -> Result<Option<Arc<Index>>, Error> {
        let gone = |_| Error::Away { doing: "waiting for knowledge", source: "the library is closed".into() };
        let newest = self.0.store.newest().await?;
        self.0.seen.subscribe().wait_for(|seen| *seen >= newest).await.map_err(gone)?;
        let mut built = self.0.built.subscribe();
        loop {
            {
                let shelves = self.shelves();
                match shelves.get(workspace) {
                    None => return Ok(None),
                    Some(shelf) if shelf.built >= shelf.etag.min(newest) => return Ok(shelf.index.clone()),
                    Some(shelf) if shelf.failed >= shelf.etag.min(newest) && shelf.index.is_some() => {
                        return Ok(shelf.index.clone());
                    }
                    Some(_) => {}
                }
            }
            built.changed().await.map_err(gone)?;
        }
    }
}

async fn read_and_build(
    store: &Store,
    workspace: &str,
    list: v1::KnowledgeList,
    known: HashMap<String, Arc<Document>>,
) -> Result<Shelved, Error> {
    let mut documents = HashMap::new();
    let mut in_order = Vec::new();
    for stored in list.documents {
        let document = match known.get(&stored.id) {
            Some(document) => document.clone(),
            None => Arc::new(read(store, workspace, &stored).await?),
        };
        in_order.push(document.clone());
        documents.insert(stored.id, document);
    }
    if in_order.is_empty() {
        return Ok((None, documents));
    }
    let build = tokio::task::spawn_blocking(move || Index::build(&in_order));
    let broke = |error: &dyn std::fmt::Display| Error::Unreadable {
        what: format!("what {workspace} knows"),
        reason: error.to_string(),
    };
    let index = build.await.map_err(|error| broke(&error))?.map_err(|error| broke(&error))?;
    Ok((Some(Arc::new(index)), documents))
}

async fn read(store: &Store, workspace: &str, stored: &v1::StoredDocument) -> Result<Document, Error> {
    let data = store.read(workspace, stored).await?;
    let document = stored.document.clone().unwrap_or_default();
    let format = document.format();
    let parsed = tokio::task::spawn_blocking(move || parse(format, &data)).await;
    let what = || format!("document {:?} of {workspace}", document.name);
    let parsed = parsed.map_err(|error| Error::Unreadable { what: what(), reason: error.to_string() })?;
    let contents = parsed.map_err(|mistakes| {
        let reason = mistakes.into_iter().next().map_or_else(String::new, |mistake| mistake.reason);
        Error::Unreadable { what: what(), reason }
    })?;
    Ok(Document { name: document.name, version: document.version, contents })
}
