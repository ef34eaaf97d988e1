//! How fast a line sends: so many messages a second in all, and so many to one recipient.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use service::config::Delivery;

/// Recipients that are remembered before those who got nothing of late are forgotten.
const REMEMBERED: usize = 10_000;

type At = <MonotonicClock as Clock>::Instant;

/// Waits until a message may go out.
pub(crate) struct Pace {
    number: RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<At>>,
    pairs: RateLimiter<String, HashMapStateStore<String>, MonotonicClock, NoOpMiddleware<At>>,
}

impl Pace {
    pub(crate) fn new(delivery: &Delivery) -> Pace {
        let number = Quota::per_second(at_least_one(delivery.per_second));
        let each = Duration::from_secs(delivery.pair_seconds.max(1));
        let pair = Quota::with_period(each).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let pair = pair.allow_burst(at_least_one(delivery.pair_burst));
        Pace {
            number: RateLimiter::direct_with_clock(number, MonotonicClock),
            pairs: RateLimiter::new(pair, HashMapStateStore::default(), MonotonicClock),
        }
    }

    /// Waits for the recipient's turn, then for the number's.
    pub(crate) async fn turn(&self, recipient: &str) {
        let recipient = recipient.to_owned();
        while let Err(later) = self.pairs.check_key(&recipient) {
            until(later).await;
        }
        if self.pairs.len() > REMEMBERED {
            self.pairs.retain_recent();
        }
        while let Err(later) = self.number.check() {
            until(later).await;
        }
    }
}

async fn until(later: NotUntil<At>) {
    tokio::time::sleep(later.wait_time_from(MonotonicClock.now())).await;
}

fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}
