//! Documents in the bucket `knowledge`: contents in parts, and one list for each workspace that says what is in force.
//!
//! Parts are written before the list that names them, and only the list counts: an import that broke off leaves nothing
//! but space taken.

use bus::{Bucket, BucketName, Bus, Error, Slot};
use proto::v1;

/// Bytes of a part: well below the largest message that a server takes by default (1 MiB).
const PART: usize = 512 * 1024;

/// What begins the keys of lists.
pub(super) const LISTS: &str = "list.";

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

    /// Removes the contents of documents that are not in force any more. What stays costs some space.
    pub(crate) async fn remove(&self, workspace: &str, document: &v1::StoredDocument) {
        for number in 0..document.part_count {
            let key = part_key(workspace, &document.id, number);
            if let Err(error) = self.0.delete(&key, None).await {
                tracing::warn!(key, %error, "a part of an old document stays");
            }
        }
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
