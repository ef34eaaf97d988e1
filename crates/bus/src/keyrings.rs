//! Keys of conversations at hand, for as long as this process is told of erasures.
//!
//! A mark in the bucket of keys says that a conversation was erased. A process that watches the marks may keep keys in
//! memory; one that is cut off learns of it when two heartbeats are missing, keeps none in use from then on, and asks
//! the leader of the bucket about each instead.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use conversation::ConversationId;
use proto::v1;
use quick_cache::sync::Cache;
use tokio::task::AbortHandle;

use crate::key::key_name;
use crate::kv::{Bucket, Slot, Update};
use crate::{Bus, Error, Keyring, stream};

/// Keys kept at hand: about 200 bytes each.
const CACHED_KEYS: usize = 100_000;
/// Where marks stand in the bucket: no workspace has such a name.
const MARKS: &str = "_erased.";
/// Pause before a watch that broke is begun anew.
const PAUSE: Duration = Duration::from_millis(200);

/// The keys at hand.
#[derive(Default)]
pub(crate) struct Keyrings {
    heard: Arc<Heard>,
    watching: OnceLock<AbortHandle>,
}

struct Heard {
    keys: Cache<String, Keyring>,
    /// The names of erased conversations, about 60 bytes each; `None` while nobody tells of them.
    erased: RwLock<Option<HashSet<String>>>,
}

impl Default for Heard {
    fn default() -> Heard {
        Heard { keys: Cache::new(CACHED_KEYS), erased: RwLock::new(None) }
    }
}

impl Drop for Keyrings {
    fn drop(&mut self) {
        if let Some(watching) = self.watching.get() {
            watching.abort();
        }
    }
}

impl Keyrings {
    /// The key of a conversation by its name, if it may be used without asking.
    pub(crate) fn get(&self, name: &str) -> Option<Keyring> {
        if self.heard.is_erased(name)? { None } else { self.heard.keys.get(name) }
    }

    pub(crate) fn insert(&self, name: String, keyring: Keyring) {
        self.heard.keys.insert(name.clone(), keyring);
        // It may have been read before the mark and come here after it.
        if self.heard.is_erased(&name) == Some(true) {
            self.heard.keys.remove(&name);
        }
    }
}

impl Heard {
    /// `None` while nobody tells.
    fn is_erased(&self, name: &str) -> Option<bool> {
        let erased = self.erased.read().unwrap_or_else(PoisonError::into_inner);
        erased.as_ref().map(|erased| erased.contains(name))
    }

    fn set(&self, told: Option<HashSet<String>>) {
        *self.erased.write().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn tell(&self, update: Update) {
        match update {
            Update::Snapshot(marks) => {
                let names: HashSet<String> = marks.iter().filter_map(|mark| name_of(&mark.key)).collect();
                self.set(Some(names.clone()));
                names.iter().for_each(|name| drop(self.keys.remove(name)));
            }
            Update::Changed(mark) => {
                let Some(name) = name_of(&mark.key) else { return };
                if let Some(erased) = self.erased.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
                    erased.insert(name.clone());
                }
                self.keys.remove(&name);
            }
        }
    }
}

/// However the watch ends, nothing in memory is used after it.
struct Watching(Arc<Heard>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Follows the marks until it is aborted.
async fn follow(bucket: Bucket, heard: Arc<Heard>) {
    let told = Watching(heard);
    let mut watch = bucket.watch(MARKS);
    loop {
        match watch.try_next().await {
            Ok(updates) => updates.into_iter().for_each(|update| told.0.tell(update)),
            Err(error) => {
                told.0.set(None);
                tracing::debug!(%error, "keys are asked for each time until erasures are told of again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Bus {
    /// Whether the contact of a conversation was erased, or is being. Begins to follow that at the first call.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn is_erased(&self, workspace: &str, conversation: &ConversationId) -> Result<bool, Error> {
        let keyrings = &self.0.keyrings;
        keyrings.watching.get_or_init(|| {
            let bucket = Bucket::named(self.apart(), stream::KEYS);
            tokio::spawn(follow(bucket, keyrings.heard.clone())).abort_handle()
        });
        match keyrings.heard.is_erased(&key_name(workspace, conversation)) {
            Some(erased) => Ok(erased),
            None => Ok(self.erasure(workspace, conversation).await?.value.is_some()),
        }
    }

    /// The mark of an erasure, from the leader of the bucket.
    pub(crate) async fn erasure(
        &self,
        workspace: &str,
        conversation: &ConversationId,
    ) -> Result<Slot<v1::Erasure>, Error> {
        Bucket::named(self.clone(), stream::KEYS).get(&mark_key(workspace, conversation)).await
    }
}

/// Where the mark of a conversation stands.
pub(crate) fn mark_key(workspace: &str, conversation: &ConversationId) -> String {
    format!("{MARKS}{}", key_name(workspace, conversation))
}

fn name_of(mark: &str) -> Option<String> {
    mark.strip_prefix(MARKS).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::Entry;

    fn mark(name: &str) -> Entry {
        Entry { key: format!("{MARKS}{name}"), etag: 1, value: Some(bytes::Bytes::new()) }
    }

    #[test]
    fn keys_are_used_only_while_erasures_are_told_of() {
        let keyrings = Keyrings::default();
        keyrings.insert("acme.c1".to_owned(), Keyring::random());
        assert!(keyrings.get("acme.c1").is_none(), "nobody tells yet");
        keyrings.heard.tell(Update::Snapshot(vec![mark("acme.c9")]));
        assert!(keyrings.get("acme.c1").is_some() && keyrings.get("acme.c2").is_none());
        let watching = Watching(keyrings.heard.clone());
        drop(watching);
        assert!(keyrings.get("acme.c1").is_none(), "the watch ended");
    }

    #[test]
    fn an_erased_key_leaves_memory_and_does_not_come_back() {
        let keyrings = Keyrings::default();
        keyrings.heard.tell(Update::Snapshot(Vec::new()));
        keyrings.insert("acme.c1".to_owned(), Keyring::random());
        keyrings.heard.tell(Update::Changed(mark("acme.c1")));
        assert!(keyrings.heard.keys.get("acme.c1").is_none());
        keyrings.insert("acme.c1".to_owned(), Keyring::random());
        assert!(keyrings.heard.keys.get("acme.c1").is_none(), "read before the mark, kept after it");
        keyrings.heard.set(None);
        keyrings.insert("acme.c2".to_owned(), Keyring::random());
        keyrings.heard.tell(Update::Snapshot(vec![mark("acme.c2")]));
        assert!(keyrings.heard.keys.get("acme.c2").is_none(), "erased while nobody told");
    }
}
