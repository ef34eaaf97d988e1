//! Fetches what customers send: channels keep it for days only.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Error, Files, Handler, HandlerError, Owner, Recorded, Source, WorkerOptions, away};
use conversation::{ConversationId, Revision, Time};
use proto::v1;
use proto::v1::event::Event as Kind;
use service::config::Config;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};

use super::again::Again;
use super::{Find, check};
use crate::channel::{Advice, Channel, Fetched};

/// Names the durable consumers: the same in every process.
const NAME: &str = "media";
/// Files that are fetched at once: each is held in memory, sealed and unsealed.
const AT_ONCE: usize = 4;
/// How long a channel is asked for a file: the Cloud API keeps files for 30 days, and says so when one is gone earlier.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
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
        let again = Again::new(self.clone());
        let source = self.source().await?;
        // All in one task: they end together, and a panic of one is seen by whoever watches this.
        tokio::select! {
            done = self.0.bus.work(&source, Arc::new(self.clone()), stop) => done,
            never = again.clone().patiently() => match never {},
            never = again.for_readers() => match never {},
        }
    }

    /// A worker that never ran begins now: channels forget files, and what was said long ago is not asked for.
    async fn source(&self) -> Result<WorkerOptions, Error> {
        let after = self.0.bus.newest(Source::Events).await?;
        Ok(WorkerOptions { after, ..WorkerOptions::new(NAME) })
    }

    /// The file of a message, where it has one: which, and what was announced of it. `None` for a message without a file,
    /// of a channel that nothing is fetched from, or of a conversation that was erased.
    async fn wanted(&self, event: &v1::Event) -> Result<Option<Wanted>, HandlerError> {
        let (kind, sealed) = match &event.event {
            Some(Kind::MessageReceived(message)) => (&message.r#type, &message.sealed),
            Some(Kind::MessageEchoed(message)) => (&message.r#type, &message.sealed),
            _ => return Ok(None),
        };
        if !TYPES.contains(&kind.as_str()) {
            return Ok(None);
        }
        let Some(channel) = (self.0.find)(&event.workspace, &event.channel) else { return Ok(None) };
        let keyring = self.0.bus.conversation(&event.workspace, &event.conversation).await.map_err(away)?;
        let (Some(keyring), Some(conversation)) = (keyring, ConversationId::parse(&event.conversation)) else {
            return Ok(None);
        };
        let inside: v1::SealedMessage =
            keyring.open(sealed).map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let media = inside.message.and_then(|message| message.media).filter(|media| !media.id.is_empty());
        let Some(media) = media else { return Ok(None) };
        let (workspace, kind) = (event.workspace.clone(), kind.clone());
        let owner = Owner { workspace: &workspace, conversation: Some(&conversation) };
        let name = self.0.files.name(owner, &media.id).await.map_err(away)?;
        let recorded = event.record_time.as_ref().and_then(proto::time);
        Ok(Some(Wanted { workspace, conversation, name, kind, media, channel, recorded }))
    }

    /// Fetches the file of a message, unless it is there or refused. What keeps it from coming is written down for
    /// readers.
    ///
    /// # Errors
    /// When the bus is away, or the message can't be read.
    pub(super) async fn fetch(&self, event: &v1::Event, revision: Revision) -> Result<Came, HandlerError> {
        let Some(wanted) = self.wanted(event).await? else { return Ok(Came::Settled) };
        let owner = wanted.owner();
        if self.0.files.has(owner, &wanted.name).await.map_err(away)? {
            return Ok(Came::Settled);
        }
        let _turn = self.0.at_once.acquire().await.map_err(|closed| HandlerError::Retry(closed.to_string()))?;
        let most = self.0.options.max_bytes;
        let fetched = match wanted.channel.fetch(&wanted.media, most).await {
            Ok(fetched) => check::check(&wanted.kind, &wanted.media.mime_type, &fetched, most)
                .map(|()| fetched)
                .map_err(|why| format!("{why}. It is not kept: ask the customer to send it again, in another form.")),
            Err(failure) if matches!(failure.advice, Advice::Reword | Advice::Unreachable) => Err(failure.to_string()),
            Err(failure) if wanted.is_forgotten() => Err(format!(
                "the channel did not give it for {} days, and keeps it no longer: ask the customer to send it again. \
                 The last answer: {failure}",
                KEPT.as_secs() / 86_400
            )),
            Err(failure) => {
                let name = self.0.files.waiting_name(owner, &wanted.media.id).await.map_err(away)?;
                if !self.0.files.has(owner, &name).await.map_err(away)? {
                    let head = v1::SealedFile {
                        waiting: failure.to_string(),
                        revision: i64::try_from(revision).unwrap_or(i64::MAX),
                        ..v1::SealedFile::default()
                    };
                    self.0.files.put(owner, &name, &head, &[]).await.map_err(away)?;
                }
                return Ok(Came::Waits(failure.retry_after.unwrap_or_default()));
            }
        };
        let (head, bytes) = kept(&wanted.media, fetched);
        self.0.files.put(owner, &wanted.name, &head, &bytes).await.map_err(away)?;
        Ok(Came::Settled)
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.0.bus
    }
}

/// A file that is to be fetched.
struct Wanted {
    workspace: String,
    conversation: ConversationId,
    /// Under which it is kept.
    name: String,
    /// The type of its message.
    kind: String,
    media: v1::Media,
    channel: Arc<dyn Channel>,
    recorded: Option<Time>,
}

impl Wanted {
    fn owner(&self) -> Owner<'_> {
        Owner { workspace: &self.workspace, conversation: Some(&self.conversation) }
    }

    /// Whether the channel keeps it no longer.
    fn is_forgotten(&self) -> bool {
        self.recorded.is_some_and(|recorded| recorded.plus(KEPT) < bus::now())
    }
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It is there, it never will be, or nobody wants it.
    Settled,
    /// The channel did not give it, and asks to be left alone for so long.
    Waits(Duration),
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
        match self.fetch(&event, recorded.revision).await? {
            Came::Settled => Ok(()),
            // The rest is patience, and holds up no other file here.
            Came::Waits(_) => {
                let queued = v1::QueuedFetch { revision: i64::try_from(recorded.revision).unwrap_or(i64::MAX) };
                self.0.bus.queue_fetch(&event.workspace, &queued).await.map_err(away)
            }
        }
    }
}
