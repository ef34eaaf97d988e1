//! Processes of one worker share its consumers.
//!
//! The server pins a consumer to whoever pulls first, and whoever comes later would have nothing to do until the first
//! one dies. So the processes tell each other how many they hold, once a second, and the one with the most lets go of
//! half of what it has more than the one with the fewest: it stops pulling for as long as the server waits before it
//! pins another. Nothing's correctness leans on it: whoever is newly pinned takes over as from one that died.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_nats::Subscriber;
use futures::StreamExt;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::seal::random;
use crate::{Bus, Error};

/// How often a process says how many consumers it holds.
const TELL: Duration = Duration::from_secs(1);
/// One that has said nothing for this long is not there.
const SILENT: Duration = Duration::from_millis(3_500);
/// How long what was let go of takes until somebody else has it and says so: the server's time and a few messages.
const SETTLE: Duration = Duration::from_secs(12);

/// What the workers of one name and stream have, in this process.
pub(crate) struct Balance {
    seats: Mutex<Vec<Weak<Seat>>>,
    telling: Mutex<Option<AbortHandle>>,
}

/// One consumer's place.
#[derive(Default)]
pub(super) struct Seat {
    held: AtomicBool,
    leave: Notify,
    /// Kept for as long as there are seats.
    _balance: Option<Arc<Balance>>,
}

impl Seat {
    /// Whether the server hands its messages to this process.
    pub(super) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// When it is to be left to another process.
    pub(super) async fn left(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Balance {
    fn drop(&mut self) {
        let telling = self.telling.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(telling) = telling.take() {
            telling.abort();
        }
    }
}

impl Bus {
    /// A seat among those of a worker's kind, on a stream.
    pub(super) fn seat(&self, kind: &str, stream: &str) -> Arc<Seat> {
        let subject = subject(kind, stream);
        let mut balances = self.0.balances.lock().unwrap_or_else(PoisonError::into_inner);
        balances.retain(|_, balance| balance.strong_count() > 0);
        let balance = balances.get(&subject).and_then(Weak::upgrade).unwrap_or_else(|| {
            let balance = Arc::new(Balance { seats: Mutex::default(), telling: Mutex::default() });
            let telling = tokio::spawn(share(self.clone(), subject.clone(), Arc::downgrade(&balance)));
            *balance.telling.lock().unwrap_or_else(PoisonError::into_inner) = Some(telling.abort_handle());
            balances.insert(subject, Arc::downgrade(&balance));
            balance
        });
        let seat = Arc::new(Seat { _balance: Some(balance.clone()), ..Seat::default() });
        balance.seats.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&seat));
        seat
    }
}

/// Where the processes of a worker tell each other what they hold.
pub(crate) fn subject(kind: &str, stream: &str) -> String {
    format!("workers.{kind}.{stream}")
}

impl Balance {
    fn held(&self) -> Vec<Arc<Seat>> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| seat.strong_count() > 0);
        let all = seats.iter().filter_map(Weak::upgrade);
        all.filter(|seat| seat.held.load(Ordering::Relaxed)).collect()
    }
}

/// Shares for as long as there is something to share.
async fn share(bus: Bus, subject: String, balance: Weak<Balance>) {
    let me = u64::from_le_bytes(random());
    while balance.strong_count() > 0 {
        if let Err(error) = tell(&bus, &subject, me, &balance).await {
            tracing::debug!(%error, "telling other processes again");
        }
        tokio::time::sleep(TELL).await;
    }
}

async fn tell(bus: &Bus, subject: &str, me: u64, balance: &Weak<Balance>) -> Result<(), Error> {
    let doing = "telling other processes what is held";
    let heard = bus.0.client.subscribe(subject.to_owned()).await;
    let mut heard: Subscriber = heard.map_err(|error| Error::away(doing, error))?;
    let mut others: HashMap<u64, (usize, Instant)> = HashMap::new();
    let mut tick = tokio::time::interval(TELL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whoever has just come hears of the others first.
    let mut settled = Instant::now() + SETTLE;
    loop {
        tokio::select! {
            message = heard.next() => {
                let message = message.ok_or_else(|| Error::away(doing, "the subscription ended"))?;
                match read(&message.payload) {
                    Some((other, held)) if other != me => drop(others.insert(other, (held, Instant::now()))),
                    _ => {}
                }
            }
            _ = tick.tick() => {
                let Some(balance) = balance.upgrade() else { return Ok(()) };
                let held = balance.held();
                let told = format!("{me} {}", held.len());
                let published = bus.0.client.publish(subject.to_owned(), told.into()).await;
                published.map_err(|error| Error::away(doing, error))?;
                others.retain(|_, (_, heard)| heard.elapsed() < SILENT);
                let excess = excess((held.len(), me), others.iter().map(|(id, (held, _))| (*held, *id)));
                if excess > 0 && Instant::now() > settled {
                    settled = Instant::now() + SETTLE;
                    tracing::info!(subject, held = held.len(), leaving = excess, "leaving consumers to another process");
                    held.iter().take(excess).for_each(|seat| seat.leave.notify_one());
                }
            }
        }
    }
}

/// How many to let go of: of all processes the one that holds the most gives half of what it has more than the one with
/// the fewest.
fn excess(mine: (usize, u64), others: impl Iterator<Item = (usize, u64)> + Clone) -> usize {
    let Some(fewest) = others.clone().map(|(held, _)| held).min() else { return 0 };
    let most = others.max().is_none_or(|other| mine > other);
    if most { mine.0.saturating_sub(fewest) / 2 } else { 0 }
}

/// What a process told: who it is, and how many it holds.
fn read(payload: &[u8]) -> Option<(u64, usize)> {
    let (who, held) = std::str::from_utf8(payload).ok()?.split_once(' ')?;
    Some((who.parse().ok()?, held.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_with_the_most_gives_half_of_what_it_has_more() {
        let give = |mine, others: &[(usize, u64)]| excess(mine, others.iter().copied());
        assert_eq!(give((8, 1), &[]), 0, "nobody else is there");
        assert_eq!(give((8, 1), &[(0, 2)]), 4);
        assert_eq!(give((4, 1), &[(4, 2)]), 0);
        assert_eq!(give((5, 1), &[(3, 2), (0, 3)]), 2);
        assert_eq!(give((3, 1), &[(5, 2), (0, 3)]), 0, "another has more");
        assert_eq!((give((4, 2), &[(4, 1), (0, 3)]), give((4, 1), &[(4, 2), (0, 3)])), (2, 0), "one of equals");
        assert_eq!(give((1, 1), &[(0, 2)]), 0, "one is no more than none, shared");
        assert_eq!((read(b"7 3"), read(b"x"), read(b"7 -1")), (Some((7, 3)), None, None));
    }
}
