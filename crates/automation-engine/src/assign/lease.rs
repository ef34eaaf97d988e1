//! Which process does what only one should do. It is no lock: what is done under it has to be right without it too.

use std::time::Duration;

use bus::{Bucket, BucketName, Bus, Error, Slot};
use proto::v1;
use tokio::time::Instant;

/// No workspace is called so.
const KEY: &str = "_drainer";
/// How often the holder says that it lives.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// A holder that has not been heard of for this long is taken over from. Measured on each observer's own clock.
const EXPIRE: Duration = Duration::from_secs(3);

pub(super) struct Lease {
    bucket: Bucket,
    me: String,
    /// The last sign of life, and when it was first seen.
    seen: Option<(u64, Instant)>,
    /// Until when this process may believe that it holds it, and what it wrote last.
    held: Option<(Instant, u64)>,
}

impl Lease {
    pub(super) fn new(bus: &Bus) -> Lease {
        Lease { bucket: bus.bucket(BucketName::Rotation), me: nuid::next().to_string(), seen: None, held: None }
    }

    /// Says that this process lives, or looks whether another does. Whether this one holds the lease.
    pub(super) async fn beat(&mut self) -> bool {
        let asked = Instant::now();
        match self.try_beat().await {
            Ok(held) => self.held = held.map(|etag| (asked + EXPIRE, etag)),
            Err(error) => tracing::debug!(%error, "the lease of the queues can't be looked at"),
        }
        self.held.is_some_and(|(until, _)| Instant::now() < until)
    }

    async fn try_beat(&mut self) -> Result<Option<u64>, Error> {
        let Slot { etag, value } = self.bucket.get::<v1::Lease>(KEY).await?;
        let known = self.seen.filter(|(seen, _)| *seen == etag);
        let (_, since) = *self.seen.insert(known.unwrap_or((etag, Instant::now())));
        let beat = match &value {
            Some(lease) if lease.holder != self.me && since.elapsed() <= EXPIRE => return Ok(None),
            Some(lease) => lease.beat,
            None => 0,
        };
        let lease = v1::Lease { holder: self.me.clone(), beat: beat.saturating_add(1) };
        match self.bucket.put(KEY, &lease, Some(etag)).await {
            Ok(etag) => Ok(Some(etag)),
            Err(Error::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets another process have it at once.
    pub(super) async fn release(&mut self) {
        if let Some((_, etag)) = self.held.take()
            && let Err(error) = self.bucket.delete(KEY, Some(etag)).await
        {
            tracing::debug!(%error, "the lease of the queues was not given back: it lapses");
        }
    }
}
