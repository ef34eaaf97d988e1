//! Fetches what customers send: channels keep it for days only.

use std::sync::Arc;

use bus::{Bus, Error, Files, Handler, HandlerError, Owner, Recorded, Source, WorkerOptions, away};
use conversation::ConversationId;
use proto::v1;
use proto::v1::event::Event as Kind;
use service::config::Config;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};

use super::{Find, check};
use crate::channel::{Advice, Fetched};

/// Names the durable consumers: the same in every process.
const NAME: &str = "media";
/// Files that are fetched at once: each is held in memory, sealed and unsealed.
const AT_ONCE: usize = 4;
/// The types of messages that have a file.
const TYPES: [&str; 6] = ["image", "video", "audio", "voice", "document", "sticker"];

/// How files of customers are fetched.
#[derive(Clone, Debug)]
pub struct InboundOptions {
    /// Largest file, in bytes.
    pub max_bytes: usize,
}

impl InboundOptions {
    /// What the configuration says.
    pub fn from_config(config: &Config) -> InboundOptions {
        InboundOptions { max_bytes: usize::try_from(config.media.max_bytes).unwrap_or(usize::MAX) }
    }
}

/// Fetches the files of every message that comes in, once, and keeps them sealed. Cheap to clone.
#[derive(Clone)]
pub struct Inbound(Arc<Inner>);

struct Inner {
    bus: Bus,
    files: Files,
    find: Find,
    options: InboundOptions,
    at_once: Semaphore,
}

impl Inbound {
    /// One that finds channels so.
    pub fn new(bus: Bus, files: Files, find: Find, options: InboundOptions) -> Inbound {
        Inbound(Arc::new(Inner { bus, files, find, options, at_once: Semaphore::new(AT_ONCE) }))
    }

    /// Makes the consumers: the files of what is recorded from now on will be fetched, by whichever process works.
    ///
    /// # Errors
    /// [`bus::Error`].
    pub async fn prepare(&self) -> Result<(), Error> {
        self.0.bus.prepare(&self.source().await?).await
    }

    /// Works until `stop` is true.
    ///
    /// # Errors
    /// When the consumers can't be made.
    pub async fn work(&self, stop: watch::Receiver<bool>) -> Result<(), Error> {
        self.0.bus.work(&self.source().await?, Arc::new(self.clone()), stop).await
    }

    /// A worker that never ran begins now: channels forget files, and what was said long ago is not asked for.
    async fn source(&self) -> Result<WorkerOptions, Error> {
        let after = self.0.bus.newest(Source::Events).await?;
        Ok(WorkerOptions { after, ..WorkerOptions::new(NAME) })
    }

    async fn fetch(&self, event: &v1::Event, kind: &str, sealed: &[u8]) -> Result<(), HandlerError> {
        let Some(channel) = (self.0.find)(&event.workspace, &event.channel) else { return Ok(()) };
        let keyring = self.0.bus.conversation(&event.workspace, &event.conversation).await.map_err(away)?;
        let conversation = ConversationId::parse(&event.conversation);
        // Erased since: nobody will ever read it.
        let (Some(keyring), Some(conversation)) = (keyring, conversation) else { return Ok(()) };
        let inside: v1::SealedMessage =
            keyring.open(sealed).map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let Some(media) = inside.message.and_then(|message| message.media).filter(|media| !media.id.is_empty()) else {
            return Ok(());
        };
        let owner = Owner { workspace: &event.workspace, conversation: Some(&conversation) };
        let name = self.0.files.name(owner, &media.id).await.map_err(away)?;
        if self.0.files.has(owner, &name).await.map_err(away)? {
            return Ok(());
        }
        let _turn = self.0.at_once.acquire().await.map_err(|closed| HandlerError::Retry(closed.to_string()))?;
        let most = self.0.options.max_bytes;
        let fetched = match channel.fetch(&media, most).await {
            Ok(fetched) => check::check(kind, &media.mime_type, &fetched, most).map(|()| fetched),
            Err(failure) if matches!(failure.advice, Advice::Reword | Advice::Unreachable) => Err(failure.to_string()),
            Err(failure) => return Err(HandlerError::Retry(failure.to_string())),
        };
        let (head, bytes) = kept(&media, fetched);
        self.0.files.put(owner, &name, &head, &bytes).await.map_err(away)
    }
}

/// What is kept of a file, or why it is not.
fn kept(media: &v1::Media, fetched: Result<Fetched, String>) -> (v1::SealedFile, Vec<u8>) {
    let head = v1::SealedFile { file_name: media.file_name.clone(), ..v1::SealedFile::default() };
    match fetched {
        Ok(Fetched { mime_type, bytes, .. }) => {
            let mime_type = if mime_type.is_empty() { media.mime_type.clone() } else { mime_type };
            let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            (v1::SealedFile { mime_type, size, sha256: Sha256::digest(&bytes).to_vec().into(), ..head }, bytes)
        }
        Err(refused) => (v1::SealedFile { mime_type: media.mime_type.clone(), refused, ..head }, Vec::new()),
    }
}

impl Handler for Inbound {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        if recorded.subject.ends_with(".decision") {
            return Ok(());
        }
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let (kind, sealed) = match &event.event {
            Some(Kind::MessageReceived(message)) => (&message.r#type, &message.sealed),
            Some(Kind::MessageEchoed(message)) => (&message.r#type, &message.sealed),
            _ => return Ok(()),
        };
        if !TYPES.contains(&kind.as_str()) {
            return Ok(());
        }
        self.fetch(&event, kind, sealed).await
    }
}
