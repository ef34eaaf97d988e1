//! Documents in the bucket `knowledge`: contents in parts, and one list for each workspace that says what is in force.
//!
//! Parts are written before the list that names them, and only the list counts: an import that broke off leaves nothing
//! but space taken, which a later import into the workspace frees.

use std::collections::HashSet;
use std::time::Duration;

use bus::{Bucket, BucketName, Bus, Error, Slot, now};
use conversation::Time;
use proto::v1;

/// Bytes of a part: well below the largest message that a server takes by default (1 MiB).
const PART: usize = 512 * 1024;

/// What begins the keys of lists.
pub(super) const LISTS: &str = "list.";

/// How old parts are that nobody can be about to name any more: an import is over in less.
const ABANDONED: Duration = Duration::from_secs(30 * 60);

/// An id of an import, which tells when it began: `<milliseconds in hexadecimal>-<what nobody else has>`.
pub(crate) fn new_id(now: Time) -> String {
    format!("{:x}-{}", now.0 / 1_000_000, nuid::next())
}

/// When the import of an id began; `None` for ids of old, which do not tell.
fn began(id: &str) -> Option<Time> {
    let (millis, _) = id.split_once('-')?;
    Some(Time(i64::from_str_radix(millis, 16).ok()?.checked_mul(1_000_000)?))
}

/// The bucket.
#[derive(Clone)]
pub(crate) struct Store(Bucket);

impl Store {
    pub(crate) fn new(bus: &Bus) -> Store {
        Store(bus.bucket(BucketName::Knowledge))
    }

    /// What a workspace knows, with the etag to overwrite exactly that.
    pub(crate) async fn list(&self, workspace: &str) -> Result<Slot<v1::KnowledgeList>, Error> {
        self.0.get(&list_key(workspace)).await
    }

    /// Says what is in force.
    pub(crate) async fn put_list(
        &self,
        workspace: &str,
        list: &v1::KnowledgeList,
        expected: u64,
    ) -> Result<u64, Error> {
        self.0.put(&list_key(workspace), list, Some(expected)).await
    }

    /// Writes contents under an id that nobody else uses; returns the number of parts.
    pub(crate) async fn write(&self, workspace: &str, id: &str, data: &[u8]) -> Result<u32, Error> {
        let mut count = 0;
        for part in data.chunks(PART) {
            let part = v1::KnowledgePart { data: part.to_vec().into() };
            self.0.put(&part_key(workspace, id, count), &part, Some(0)).await?;
            count += 1;
        }
        Ok(count)
    }

    /// The contents of a document, as they were written.
    pub(super) async fn read(&self, workspace: &str, document: &v1::StoredDocument) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        for number in 0..document.part_count {
            let key = part_key(workspace, &document.id, number);
            let part = self.0.get::<v1::KnowledgePart>(&key).await?.value;
            let gone = || Error::Unreadable { what: format!("knowledge/{key}"), reason: "it is gone".to_owned() };
            data.extend_from_slice(&part.ok_or_else(gone)?.data);
        }
        Ok(data)
    }

    /// Removes the contents of documents that are not in force any more. What stays is swept later.
    pub(crate) async fn remove(&self, workspace: &str, document: &v1::StoredDocument) {
        self.remove_parts(workspace, &document.id).await;
    }

    async fn remove_parts(&self, workspace: &str, id: &str) {
        if let Err(error) = self.0.purge(&format!("part.{workspace}.{id}.")).await {
            tracing::warn!(workspace, id, %error, "parts of an old document stay for now");
        }
    }

    /// Removes parts that no list names: those of `ended`, an import that is over, and those of imports that broke off.
    pub(crate) async fn sweep(&self, workspace: &str, ended: Option<&str>) {
        if let Err(error) = self.try_sweep(workspace, ended).await {
            tracing::warn!(workspace, %error, "parts of broken-off imports stay for now");
        }
    }

    async fn try_sweep(&self, workspace: &str, ended: Option<&str>) -> Result<(), Error> {
        let prefix = format!("part.{workspace}.");
        let keys = self.0.names(&prefix).await?;
        let id_of = |key: &String| key.strip_prefix(&prefix)?.split('.').next().map(str::to_owned);
        let ids: HashSet<String> = keys.iter().filter_map(id_of).collect();
        // Read after the parts: whatever was named by then is in it, or was taken out of force.
        let list = self.list(workspace).await?.value.unwrap_or_default();
        let is_named = |id: &str| list.documents.iter().any(|stored| stored.id == id);
        let today = now();
        let is_old = |id: &str| began(id).is_some_and(|began| today.since(began) > ABANDONED);
        for id in ids.iter().filter(|id| !is_named(id) && (ended == Some(id.as_str()) || is_old(id))) {
            self.remove_parts(workspace, id).await;
        }
        Ok(())
    }

    /// How far the lists are, as the leader has it.
    pub(super) async fn newest(&self) -> Result<u64, Error> {
        self.0.newest(LISTS).await
    }

    pub(super) fn watch(&self) -> bus::Watch {
        self.0.watch(LISTS)
    }
}

fn list_key(workspace: &str) -> String {
    format!("{LISTS}{workspace}")
}

fn part_key(workspace: &str, id: &str, number: u32) -> String {
    format!("part.{workspace}.{id}.{number}")
}
