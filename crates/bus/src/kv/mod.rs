//! Small keyed state: buckets with compare-and-set, read from their leader.
//!
//! An etag is the sequence of the last write to a key in the bucket's stream, a deletion too: whoever writes with the
//! etag that was read overwrites nothing that it has not seen.

mod once;
mod token;
mod watch;

use std::future::Future;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;
use futures::TryStreamExt;
use prost::Message;
use tokio::time::Instant;

use crate::connect::PATIENCE;
use crate::decide::pause;
use crate::error::publish_error;
use crate::feed::Feed;
use crate::{Bus, Error, ErrorKind, stream};

pub(crate) use once::{find_or_create, read};
pub use token::{token, untoken};
pub use watch::{Entry, Update, Watch};

/// Marks a message that says that a key is gone, as ADR-8 lays it down.
const OPERATION: &str = "KV-Operation";
/// One request with its answer may take this long: the client's own limits come first, unless it has lost its wits.
const CALL: Duration = PATIENCE;

/// Which bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BucketName {
    /// Tokens: who may come in.
    Access,
    /// Agents, teams and presence.
    Directory,
    /// Rules with their versions.
    Rules,
    /// Whose turn it is, who holds what, and what waits.
    Rotation,
    /// What was done once and is not to be done again.
    Once,
    /// What the bot knows: documents in parts, and what is in force.
    Knowledge,
    /// The channels that messages go out on.
    Channels,
    /// Who is subscribed to what.
    Webhooks,
}

impl BucketName {
    fn as_str(self) -> &'static str {
        match self {
            BucketName::Access => stream::ACCESS,
            BucketName::Directory => stream::DIRECTORY,
            BucketName::Rules => stream::RULES,
            BucketName::Rotation => stream::ROTATION,
            BucketName::Once => stream::ONCE,
            BucketName::Knowledge => stream::KNOWLEDGE,
            BucketName::Channels => stream::CHANNELS,
            BucketName::Webhooks => stream::WEBHOOKS,
        }
    }
}

/// A bucket. Keys are tokens joined by dots: [`token`] makes one of any id. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    bus: Bus,
    name: &'static str,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot<M> {
    /// Of the last write, a deletion too; 0 if there never was one. Write with it to overwrite exactly that.
    pub etag: u64,
    /// What is there.
    pub value: Option<M>,
}

/// A key with what stands under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<M> {
    /// The key, without the bucket.
    pub key: String,
    /// Of the last write.
    pub etag: u64,
    /// What is there.
    pub value: M,
}

/// What [`Bucket::modify`] is to do with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<M> {
    /// Put this there.
    Put(M),
    /// Delete the key.
    Delete,
    /// Leave it as it is.
    Keep,
}

impl Bus {
    /// A bucket, which [`Bus::ensure_streams`] has made.
    pub fn bucket(&self, name: BucketName) -> Bucket {
        Bucket::named(self.clone(), name.as_str())
    }
}

impl Bucket {
    /// One of the buckets that this crate keeps to itself.
    pub(crate) fn named(bus: Bus, name: &'static str) -> Bucket {
        Bucket { bus, name }
    }

    /// What stands under `key`, as the leader of the bucket has it.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when it is no `M`.
    pub async fn get<M: Message + Default>(&self, key: &str) -> Result<Slot<M>, Error> {
        let doing = "reading a bucket";
        let stream = self.stream().await?;
        let subject = self.subject(key);
        match timely(doing, last_of(&stream, &subject)).await? {
            Some(message) if is_gone(message.headers.get(OPERATION)) => {
                Ok(Slot { etag: message.sequence, value: None })
            }
            Some(message) => Ok(Slot { etag: message.sequence, value: Some(self.decode(key, message.payload)?) }),
            None => Ok(Slot { etag: 0, value: None }),
        }
    }

    /// Puts a value under `key`; with `expected`, only over what has that etag (0: over nothing). Returns the new etag.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something else is there; [`Error::Away`], in which case it may be written all the
    /// same: read again.
    pub async fn put<M: Message>(&self, key: &str, value: &M, expected: Option<u64>) -> Result<u64, Error> {
        self.write(key, PublishMessage::build().payload(value.encode_to_vec().into()), expected).await
    }

    /// Deletes `key`; with `expected`, only what has that etag. Returns the new etag, which a later put has to expect.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub async fn delete(&self, key: &str, expected: Option<u64>) -> Result<u64, Error> {
        self.write(key, PublishMessage::build().header(OPERATION, "DEL"), expected).await
    }

    /// Reads, changes and writes until nobody came between, for at most 8 s. Returns what `change` said of the state
    /// that held, with the etag after it. `change` may be called several times, and once more on its own result when an
    /// acknowledgement was lost: it has to come to the same then.
    ///
    /// # Errors
    /// [`Error::Away`] or [`Error::Conflict`] when time is up, in which case the change may be made all the same.
    pub async fn modify<M: Message + Default, T>(
        &self,
        key: &str,
        mut change: impl FnMut(Option<M>, u64) -> (Change<M>, T),
    ) -> Result<(u64, T), Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_modify(key, &mut change).await {
                Err(error) if may_pass(&error) && Instant::now() < deadline => {
                    tracing::debug!(key, %error, "changing a key again");
                    tokio::time::sleep(pause()).await;
                }
                done => return done,
            }
        }
    }

    async fn try_modify<M: Message + Default, T>(
        &self,
        key: &str,
        change: &mut impl FnMut(Option<M>, u64) -> (Change<M>, T),
    ) -> Result<(u64, T), Error> {
        let Slot { etag, value } = self.get::<M>(key).await?;
        let there = value.is_some();
        match change(value, etag) {
            (Change::Put(value), said) => Ok((self.put(key, &value, Some(etag)).await?, said)),
            (Change::Delete, said) if there => Ok((self.delete(key, Some(etag)).await?, said)),
            (Change::Delete | Change::Keep, said) => Ok((etag, said)),
        }
    }

    /// Everything whose key begins with `prefix` (whole tokens, ending in a dot; empty for the bucket), by key.
    ///
    /// # Errors
    /// [`Error::Away`] when it does not come within 8 s; [`Error::Unreadable`] when one is no `M`.
    pub async fn list<M: Message + Default>(&self, prefix: &str) -> Result<Vec<Stored<M>>, Error> {
        let entries = self.list_encoded(prefix).await?;
        let mut all = Vec::with_capacity(entries.len());
        for Entry { key, etag, value } in entries {
            if let Some(value) = value {
                let value = self.decode(&key, value)?;
                all.push(Stored { key, etag, value });
            }
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }

    /// Every key that begins with `prefix`, as in [`Bucket::list`], sorted.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let entries = self.list_encoded(prefix).await?;
        let mut keys: Vec<String> =
            entries.into_iter().filter(|entry| entry.value.is_some()).map(|entry| entry.key).collect();
        keys.sort();
        Ok(keys)
    }

    /// As [`Bucket::keys`], in no order, without reading what stands there: keys that were deleted are among them, those
    /// that were purged are not.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn names(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let doing = "listing a bucket";
        let (stream, bucket) = (self.stream().await?, self.subject(""));
        let names = async {
            let found = stream.info_with_subjects(format!("{}>", self.subject(prefix))).await;
            let found = found.map_err(|error| Error::away(doing, error))?;
            let subjects: Vec<(String, usize)> =
                found.try_collect().await.map_err(|error| Error::away(doing, error))?;
            Ok(subjects
                .into_iter()
                .filter_map(|(subject, _)| Some(subject.strip_prefix(&bucket)?.to_owned()))
                .collect())
        };
        timely(doing, names).await
    }

    /// Removes every key that begins with `prefix` (as in [`Bucket::list`], not empty) as if it had never been written:
    /// for keys that nobody watches, and that are never written again.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn purge(&self, prefix: &str) -> Result<(), Error> {
        let doing = "purging keys of a bucket";
        let stream = self.stream().await?;
        let filter = format!("{}>", self.subject(prefix));
        let purged = async { stream.purge().filter(filter).await.map_err(|error| Error::away(doing, error)) };
        timely(doing, purged).await.map(drop)
    }

    /// How many keys begin with `prefix`, as in [`Bucket::list`], with those that were deleted. Cheap, however many.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn count(&self, prefix: &str) -> Result<u64, Error> {
        let count = async {
            let (feed, pending) = self.feed(prefix).await?;
            feed.close(&self.bus).await;
            Ok(pending)
        };
        timely("counting in a bucket", count).await
    }

    /// A page of [`Bucket::list`]: at most `limit` entries whose keys come after `after`, and whether more follow.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub async fn page<M: Message + Default>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Stored<M>>, bool), Error> {
        let mut all = self.list::<M>(prefix).await?;
        all.retain(|stored| after.is_none_or(|after| stored.key.as_str() > after));
        let more = all.len() > limit;
        all.truncate(limit);
        Ok((all, more))
    }

    /// The etag of the last write to a key that begins with `prefix`, as in [`Bucket::list`], as the leader has it; 0 if
    /// there never was one.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn newest(&self, prefix: &str) -> Result<u64, Error> {
        let doing = "reading a bucket";
        let stream = self.stream().await?;
        let filter = format!("{}>", self.subject(prefix));
        let last = timely(doing, last_of(&stream, &filter)).await?;
        Ok(last.map_or(0, |message| message.sequence))
    }

    /// Watches everything whose key begins with `prefix`, as in [`Bucket::list`].
    pub fn watch(&self, prefix: &str) -> Watch {
        Watch::new(self.clone(), prefix.to_owned())
    }

    /// As [`Bucket::list`], in no order, not decoded; what was deleted is among it.
    pub(crate) async fn list_encoded(&self, prefix: &str) -> Result<Vec<Entry>, Error> {
        timely("listing a bucket", self.snapshot(prefix)).await
    }

    async fn snapshot(&self, prefix: &str) -> Result<Vec<Entry>, Error> {
        let (mut feed, mut pending) = self.feed(prefix).await?;
        let mut entries = Vec::new();
        while pending > 0 {
            for message in feed.next().await?.unwrap_or_default() {
                pending = message.info().map_or(0, |info| info.pending);
                entries.push(self.entry(&message)?);
            }
        }
        feed.close(&self.bus).await;
        Ok(entries)
    }

    /// What is there and whatever is written from then on, and how much of it is there.
    async fn feed(&self, prefix: &str) -> Result<(Feed, u64), Error> {
        let filter = format!("{}>", self.subject(prefix));
        let feed = Feed::open(&self.bus, &self.stream_name(), DeliverPolicy::LastPerSubject, &[filter]).await?;
        let pending = feed.pending_at_start();
        Ok((feed, pending))
    }

    fn entry(&self, message: &jetstream::Message) -> Result<Entry, Error> {
        let key = message.subject.strip_prefix(&self.subject("")).unwrap_or_default().to_owned();
        let info = message.info().map_err(|error| Error::unreadable(format!("key {key}"), error))?;
        let gone = is_gone(message.headers.as_ref().and_then(|headers| headers.get(OPERATION)));
        Ok(Entry { key, etag: info.stream_sequence, value: (!gone).then(|| message.payload.clone()) })
    }

    async fn write(&self, key: &str, message: PublishMessage, expected: Option<u64>) -> Result<u64, Error> {
        let doing = "writing to a bucket";
        let message = match expected {
            Some(expected) => message.expected_last_subject_sequence(expected),
            None => message,
        };
        let write = async {
            let sent = self.bus.0.jetstream.send_publish(self.subject(key), message).await;
            let ack = sent.map_err(|error| publish_error(doing, error))?;
            Ok(ack.await.map_err(|error| publish_error(doing, error))?.sequence)
        };
        timely(doing, write).await
    }

    fn decode<M: Message + Default>(&self, key: &str, value: Bytes) -> Result<M, Error> {
        M::decode(value).map_err(|error| Error::unreadable(format!("{}/{key}", self.name), error))
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }

    fn stream_name(&self) -> String {
        format!("KV_{}", self.name)
    }

    /// A handle alone: nothing is asked of the server.
    async fn stream(&self) -> Result<jetstream::stream::Stream<()>, Error> {
        let stream = self.bus.0.jetstream.get_stream_no_info(self.stream_name()).await;
        stream.map_err(|error| Error::away("opening a bucket", error))
    }
}

async fn timely<T>(doing: &'static str, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(CALL, call).await {
        Ok(done) => done,
        Err(late) => Err(Error::away(doing, late)),
    }
}

/// A conflict or an absence may be gone at the next try.
fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Retry)
}

fn is_gone(operation: Option<&async_nats::HeaderValue>) -> bool {
    operation.is_some_and(|operation| operation.as_str() != "PUT")
}

/// The last message on a subject, as the leader of the stream has it.
async fn last_of<I>(stream: &jetstream::stream::Stream<I>, subject: &str) -> Result<Option<StreamMessage>, Error> {
    match stream.get_last_raw_message_by_subject(subject).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
        Err(error) => Err(Error::away("reading a bucket", error)),
    }
}
