//! Files that a channel did not give: asked for again, later each time, and at once when somebody wants to see one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bus::{Asked, Error, Handed};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use proto::v1;
use tokio::task::JoinSet;

use super::inbound::{Came, Inbound};

/// Pause before the second try; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between tries: readers need not wait for it, they ask.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Longest pause that a channel may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);
/// Tries under way at once.
const AT_ONCE: usize = 16;
/// Readers who wait at once; beyond that they are told what is known.
const READERS: usize = 256;
/// A file that was tried within this time is not tried again for a reader.
const LATELY: Duration = Duration::from_secs(2);
/// Longest time for one try: the connection, two answers and putting it away.
const LONGEST_TRY: Duration = Duration::from_secs(180);
/// Pause before a queue that broke is opened again.
const PAUSE: Duration = Duration::from_millis(500);

type Flight = Shared<BoxFuture<'static, Came>>;

/// Asks again. Cheap to clone.
#[derive(Clone)]
pub(super) struct Again {
    inbound: Inbound,
    /// By revision: what is tried now, for all who want it, or was lately.
    flights: Arc<Mutex<HashMap<i64, (Instant, Flight)>>>,
}

impl Again {
    pub(super) fn new(inbound: Inbound) -> Again {
        Again { inbound, flights: Arc::default() }
    }

    /// Works on what waits, for ever.
    pub(super) async fn patiently(self) -> Infallible {
        loop {
            let Err(error) = self.drain().await;
            tracing::debug!(%error, "pulling files to fetch again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn drain(&self) -> Result<Infallible, Error> {
        let queue = self.inbound.bus().fetch_queue().await?;
        let attempt = |item| {
            let again = self.clone();
            async move { again.settle(item).await }
        };
        queue.work(AT_ONCE, attempt).await
    }

    async fn settle(&self, item: Handed<v1::QueuedFetch>) {
        match item.during(self.flight(item.queued.revision)).await {
            Came::Settled => item.done().await,
            Came::Waits(asked) => {
                let pause = pause(item.attempt).max(asked.min(LONGEST_ASKED));
                item.later(pause).await;
            }
        }
    }

    /// Tries for readers at once, for ever.
    pub(super) async fn for_readers(self) -> Infallible {
        let mut tries = JoinSet::new();
        loop {
            match self.inbound.bus().fetch_askers().await {
                Ok(mut askers) => {
                    while let Some(asked) = askers.next().await {
                        while tries.try_join_next().is_some() {}
                        match tries.len() {
                            0..READERS => drop(tries.spawn(self.clone().answer(asked))),
                            _ => asked.done().await,
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "listening for readers again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn answer(self, asked: Asked) {
        self.flight(asked.queued.revision).await;
        asked.done().await;
    }

    /// One try for all who want the file of a message now.
    fn flight(&self, revision: i64) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, (begun, flight)| flight.peek().is_none() || begun.elapsed() < LATELY);
        if let Some((_, flight)) = flights.get(&revision) {
            return flight.clone();
        }
        let inbound = self.inbound.clone();
        // On its own, so that it goes on when whoever began it does not wait any more.
        let trying = tokio::spawn(async move { tokio::time::timeout(LONGEST_TRY, attempt(&inbound, revision)).await });
        let flight = trying
            .map(|tried| match tried {
                Ok(Ok(came)) => came,
                _ => Came::Waits(Duration::ZERO),
            })
            .boxed()
            .shared();
        flights.insert(revision, (Instant::now(), flight.clone()));
        flight
    }
}

async fn attempt(inbound: &Inbound, revision: i64) -> Came {
    let event: Result<Option<v1::Event>, Error> = match u64::try_from(revision) {
        Ok(0) | Err(_) => Ok(None),
        Ok(revision) => inbound.bus().event_at(revision).await,
    };
    let tried = match event {
        Ok(Some(event)) => inbound.fetch(&event, u64::try_from(revision).unwrap_or_default()).await,
        Ok(None) => Ok(Came::Settled),
        Err(error) => Err(bus::away(error)),
    };
    match tried {
        Ok(came) => came,
        Err(bus::HandlerError::Retry(why)) => {
            tracing::debug!(revision, why, "a file is fetched again later");
            Came::Waits(Duration::ZERO)
        }
        Err(bus::HandlerError::GiveUp(why)) => {
            tracing::error!(revision, why, "a file is not fetched: its message can't be read");
            Came::Settled
        }
    }
}

/// Before the next try, up to a tenth more or less, so that what failed together does not come again together.
fn pause(attempt: u64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE);
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
