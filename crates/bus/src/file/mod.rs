//! Files: what customers send and what is sent to them, sealed like words, in an object store or in a directory.
//!
//! A file of a conversation is sealed under the key of the conversation, so that deleting the key makes it unreadable
//! wherever it lies; one for a whole channel under the key of the workspace.

mod directory;
mod frame;
mod objects;

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use conversation::ConversationId;
use proto::v1;
use tokio::io::AsyncRead;

use crate::seal::SealKey;
use crate::{Bus, Error};
use frame::Frames;

pub(crate) use objects::config;

/// How long it may take to put a file away, or to read a part of one.
const LONG: Duration = Duration::from_secs(60);

type Bytes = Pin<Box<dyn AsyncRead + Send>>;

/// Where files are kept.
#[derive(Clone, Debug)]
enum Place {
    Objects,
    Directory(PathBuf),
}

/// The files of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    bus: Bus,
    place: Place,
}

/// Whose a file is, which says under which key it is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// In which workspace.
    pub workspace: &'a str,
    /// In which conversation; `None` for one that may go to any.
    pub conversation: Option<&'a ConversationId>,
}

/// A file that is read.
pub struct OpenFile {
    head: v1::SealedFile,
    frames: Frames<Bytes>,
}

impl Files {
    /// Those in JetStream; in a directory if one is given, the same for every process.
    pub fn new(bus: Bus, directory: Option<PathBuf>) -> Files {
        Files { bus, place: directory.map_or(Place::Objects, Place::Directory) }
    }

    /// The name of the file that a channel calls `media_id`: the same each time, and it tells nothing.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn name(&self, owner: Owner<'_>, media_id: &str) -> Result<String, Error> {
        let conversation = owner.conversation.map(ConversationId::as_str).unwrap_or_default();
        Ok(self.bus.workspace(owner.workspace).await?.fact_id(&["file", conversation, media_id]))
    }

    /// The name of the mark that a file has not come yet. Another one than the file's: to replace what somebody reads
    /// would leave them waiting for bytes that are gone.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn waiting_name(&self, owner: Owner<'_>, media_id: &str) -> Result<String, Error> {
        let conversation = owner.conversation.map(ConversationId::as_str).unwrap_or_default();
        Ok(self.bus.workspace(owner.workspace).await?.fact_id(&["waiting", conversation, media_id]))
    }

    /// Keeps a file under a name, in place of any that has it. It is there whole or not at all.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] where the directory can't be written.
    pub async fn put(&self, owner: Owner<'_>, name: &str, head: &v1::SealedFile, bytes: &[u8]) -> Result<(), Error> {
        let sealed = frame::seal(&self.sealer(owner).await?, head, bytes);
        let put = async {
            match &self.place {
                Place::Objects => objects::put(&self.bus, &path(owner, name), &sealed).await,
                Place::Directory(directory) => directory::put(directory, &path(owner, name), &sealed).await,
            }
        };
        tokio::time::timeout(LONG, put).await.map_err(|late| Error::away("keeping a file", late))?
    }

    /// Whether there is a file of this name.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub async fn has(&self, owner: Owner<'_>, name: &str) -> Result<bool, Error> {
        match &self.place {
            Place::Objects => objects::has(&self.bus, &path(owner, name)).await,
            Place::Directory(directory) => directory::has(directory, &path(owner, name)).await,
        }
    }

    /// Opens a file; `None` if there is none of this name, or if its conversation was erased.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] for one that is damaged.
    pub async fn open(&self, owner: Owner<'_>, name: &str) -> Result<Option<OpenFile>, Error> {
        let Some(key) = self.opener(owner).await? else { return Ok(None) };
        let opened = match &self.place {
            Place::Objects => objects::open(&self.bus, &path(owner, name)).await?,
            Place::Directory(directory) => directory::open(directory, &path(owner, name)).await?,
        };
        let Some(bytes) = opened else { return Ok(None) };
        let mut frames = Frames::new(key, bytes);
        let head = tokio::time::timeout(LONG, frames.head()).await;
        let head = head.map_err(|late| Error::away("reading a file", late))??;
        Ok(Some(OpenFile { head, frames }))
    }

    /// Removes every file of a conversation. How many there were.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub(crate) async fn remove_all(&self, owner: Owner<'_>) -> Result<u64, Error> {
        let folder = path(owner, "");
        match &self.place {
            Place::Objects => objects::remove_all(&self.bus, &folder).await,
            Place::Directory(directory) => directory::remove_all(directory, &folder).await,
        }
    }

    /// The key to seal with, found or made.
    async fn sealer(&self, owner: Owner<'_>) -> Result<SealKey, Error> {
        match owner.conversation {
            Some(conversation) => Ok(self.bus.keyring(owner.workspace, conversation).await?.key().clone()),
            None => Ok(self.bus.workspace(owner.workspace).await?.key().clone()),
        }
    }

    /// The key to unseal with; `None` if it is gone.
    async fn opener(&self, owner: Owner<'_>) -> Result<Option<SealKey>, Error> {
        match owner.conversation {
            Some(conversation) => {
                let keyring = self.bus.conversation(owner.workspace, conversation.as_str()).await?;
                Ok(keyring.map(|keyring| keyring.key().clone()))
            }
            None => self.sealer(owner).await.map(Some),
        }
    }
}

impl OpenFile {
    /// What it is.
    pub fn head(&self) -> &v1::SealedFile {
        &self.head
    }

    /// The next part of it, at most 128 KiB; `None` at its end.
    ///
    /// # Errors
    /// As [`Files::open`]: parts that were read before are right, but what follows is not what was kept.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let next = tokio::time::timeout(LONG, self.frames.next()).await;
        next.map_err(|late| Error::away("reading a file", late))?
    }

    /// All that is left of it, at most `most` bytes.
    ///
    /// # Errors
    /// As [`Files::open`]; [`Error::Unreadable`] when there are more bytes.
    pub async fn rest(mut self, most: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(part) = self.next().await? {
            if all.len() + part.len() > most {
                return Err(Error::unreadable("a file", format!("it has more than {most} bytes")));
            }
            all.extend_from_slice(&part);
        }
        Ok(all)
    }
}

/// Where a file lies, in a store or below a directory.
fn path(owner: Owner<'_>, name: &str) -> String {
    let conversation = owner.conversation.map_or("_", ConversationId::as_str);
    format!("{}/{conversation}/{name}", owner.workspace)
}
