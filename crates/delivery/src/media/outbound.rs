//! Files that were uploaded to us go to the channel when they are sent, not before.

use std::sync::Arc;

use bus::{Error, ErrorKind, Files, Owner};
use conversation::ConversationId;
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::v1;
use quick_cache::sync::Cache;

use crate::channel::{Accepted, Advice, Channel, Failure, Fetched, Outgoing, Recipient, Upload};

/// What the ids of uploaded files begin with.
const OURS: &str = "tm-";
/// Largest file that is uploaded, in bytes: what a request to us may have.
const MAX_FILE: usize = 16 * 1024 * 1024;
/// Files whose id at the channel is remembered: about 200 bytes each.
const REMEMBERED: usize = 10_000;

/// A channel that sends the files which were uploaded to us, too.
pub struct WithFiles {
    channel: Arc<dyn Channel>,
    files: Files,
    workspace: String,
    /// Our id of a file -> the channel's. Forgotten with the process: then it is uploaded again.
    known: Cache<String, String>,
}

impl WithFiles {
    /// The channel of a workspace.
    pub fn new(channel: Arc<dyn Channel>, files: Files, workspace: impl Into<String>) -> WithFiles {
        WithFiles { channel, files, workspace: workspace.into(), known: Cache::new(REMEMBERED) }
    }

    async fn send_one(&self, outgoing: &Outgoing) -> Result<Accepted, Failure> {
        let ours = outgoing.message.media.as_ref().filter(|media| media.id.starts_with(OURS));
        let Some(media) = ours else { return self.channel.send(outgoing).await };
        let id = match self.known.get(&media.id) {
            Some(id) => id,
            None => self.upload_ours(media, &outgoing.message_id).await?,
        };
        let mut message = outgoing.message.clone();
        message.media = Some(v1::Media { id, ..media.clone() });
        let sent = self.channel.send(&Outgoing { message, ..outgoing.clone() }).await;
        if sent.as_ref().is_err_and(|failure| failure.advice != Advice::Unknown) {
            // The channel may have forgotten it: channels keep files for 30 days.
            self.known.remove(&media.id);
        }
        sent
    }

    async fn upload_ours(&self, media: &v1::Media, message_id: &str) -> Result<String, Failure> {
        let file = self.read(media, message_id).await.map_err(|error| away(&error))?;
        let file =
            file.ok_or_else(|| gone(Advice::Reword, "There is no such file, or it was erased: upload it again."))?;
        let id = self.channel.upload(&file).await.map_err(not_sent)?;
        self.known.insert(media.id.clone(), id.clone());
        Ok(id)
    }

    /// A file of the conversation, else of the workspace.
    async fn read(&self, media: &v1::Media, message_id: &str) -> Result<Option<Upload>, Error> {
        let conversation =
            message_id.rsplit_once("-m").and_then(|(conversation, _)| ConversationId::parse(conversation));
        for conversation in [conversation.as_ref(), None] {
            let owner = Owner { workspace: &self.workspace, conversation };
            let name = self.files.name(owner, &media.id).await?;
            let Some(file) = self.files.open(owner, &name).await? else { continue };
            let v1::SealedFile { mime_type, file_name, .. } = file.head().clone();
            let file_name = if media.file_name.is_empty() { file_name } else { media.file_name.clone() };
            return Ok(Some(Upload { mime_type, file_name, bytes: file.rest(MAX_FILE).await? }));
        }
        Ok(None)
    }
}

/// A failure of an upload: the message itself did not go out for sure.
fn not_sent(failure: Failure) -> Failure {
    let advice = if failure.advice == Advice::Unknown { Advice::Retry } else { failure.advice };
    Failure { advice, title: format!("the file could not be uploaded: {}", failure.title), ..failure }
}

fn away(error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::Retry | ErrorKind::Conflict => gone(Advice::Retry, &error.to_string()),
        ErrorKind::Refused | ErrorKind::Fatal => gone(Advice::Reword, &error.to_string()),
    }
}

fn gone(advice: Advice, details: &str) -> Failure {
    let title = "the file can't be read".to_owned();
    Failure { advice, code: 0, title, details: details.to_owned(), retry_after: None }
}

impl Channel for WithFiles {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, Failure>> {
        self.send_one(outgoing).boxed()
    }

    fn seen<'a>(&'a self, channel_message_id: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>> {
        self.channel.seen(channel_message_id, typing)
    }

    fn seen_of<'a>(&'a self, to: &'a Recipient, id: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>> {
        self.channel.seen_of(to, id, typing)
    }

    fn fetch<'a>(&'a self, media: &'a v1::Media, most: usize) -> BoxFuture<'a, Result<Fetched, Failure>> {
        self.channel.fetch(media, most)
    }

    fn upload<'a>(&'a self, file: &'a Upload) -> BoxFuture<'a, Result<String, Failure>> {
        self.channel.upload(file)
    }
}
