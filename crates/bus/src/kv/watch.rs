//! Watching a bucket, whatever happens to the server or the connection.

use std::time::Duration;

use bytes::Bytes;

use super::Bucket;
use crate::Error;
use crate::feed::Feed;

/// First and longest pause before asking anew.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A key as a watch tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, without the bucket.
    pub key: String,
    /// Of the last write. Within a bucket, later writes have larger ones.
    pub etag: u64,
    /// What stands there, encoded; `None` once it was deleted.
    pub value: Option<Bytes>,
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// Everything that is there, in no order: at the start, and again after each break, when what is missing here is
    /// gone.
    Snapshot(Vec<Entry>),
    /// A key was written or deleted.
    Changed(Entry),
}

/// Tells everything that is in a bucket, then what changes. It never ends.
pub struct Watch {
    bucket: Bucket,
    prefix: String,
    open: Option<Open>,
    pause: Duration,
}

struct Open {
    feed: Feed,
    /// What has come of the snapshot; `None` once it was told.
    collected: Option<Vec<Entry>>,
}

impl Watch {
    pub(super) fn new(bucket: Bucket, prefix: String) -> Watch {
        Watch { bucket, prefix, open: None, pause: PAUSE }
    }

    /// The next news, at least one; first a snapshot. Waits for as long as it takes. Nothing is lost when the wait is
    /// given up and begun again.
    pub async fn next(&mut self) -> Vec<Update> {
        loop {
            match self.try_next().await {
                Ok(updates) if !updates.is_empty() => {
                    self.pause = PAUSE;
                    return updates;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(prefix = self.prefix, %error, "watching a bucket again from the start");
                    tokio::time::sleep(self.pause).await;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// As [`Watch::next`], but tells when the watch broke; it may be called again. May have no news.
    pub(crate) async fn try_next(&mut self) -> Result<Vec<Update>, Error> {
        let news = self.read().await;
        if news.is_err() {
            self.open = None;
        }
        news
    }

    async fn read(&mut self) -> Result<Vec<Update>, Error> {
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let (feed, pending) = self.bucket.feed(&self.prefix).await?;
                let open = self.open.insert(Open { feed, collected: Some(Vec::new()) });
                if pending == 0 {
                    open.collected = None;
                    return Ok(vec![Update::Snapshot(Vec::new())]);
                }
                open
            }
        };
        let Some(messages) = open.feed.next().await? else {
            open.feed.check_whole().await?;
            return Ok(Vec::new());
        };
        let mut updates = Vec::new();
        for message in messages {
            let pending = message.info().map_or(0, |info| info.pending);
            let entry = self.bucket.entry(&message)?;
            match &mut open.collected {
                None => updates.push(Update::Changed(entry)),
                Some(collected) => {
                    if entry.value.is_some() {
                        collected.push(entry);
                    }
                    if pending == 0 {
                        updates.push(Update::Snapshot(std::mem::take(collected)));
                        open.collected = None;
                    }
                }
            }
        }
        Ok(updates)
    }
}
