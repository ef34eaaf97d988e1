//! How much is taken of a number, and for one recipient.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::GraphError;

/// How fast a number may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Messages a second of a number; beyond that 130429.
    pub per_second: Option<u32>,
    /// Pause between messages to one recipient in the long run; beyond that 131056.
    pub pair_pause: Option<Duration>,
    /// Messages to one recipient at once.
    pub pair_burst: u32,
}

impl Limits {
    /// None at all.
    pub const NONE: Limits = Limits { per_second: None, pair_pause: None, pair_burst: 45 };

    /// Those of the real one: 80 a second; to one recipient one in 6 seconds, 45 at once.
    pub const REAL: Limits = Limits { per_second: Some(80), pair_pause: Some(Duration::from_secs(6)), pair_burst: 45 };
}

/// Recipients that are remembered for their limit; the fullest buckets are forgotten first, since they limit nobody.
const MAX_PAIRS: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Gauge {
    limits: Limits,
    numbers: HashMap<String, Bucket>,
    pairs: HashMap<(String, String), Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(size: f64, now: Instant) -> Bucket {
        Bucket { tokens: size, at: now }
    }

    /// Whether there is something to take, after what came in since.
    fn has(&mut self, size: f64, per_second: f64, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * per_second;
        *self = Bucket { tokens: (self.tokens + gained).min(size), at: now };
        self.tokens >= 1.0
    }
}

impl Gauge {
    pub(crate) fn new(limits: Limits) -> Gauge {
        Gauge { limits, numbers: HashMap::new(), pairs: HashMap::new() }
    }

    pub(crate) fn set(&mut self, limits: Limits) {
        *self = Gauge::new(limits);
    }

    /// Takes one message into account, or says which limit it would break: what is refused counts for none.
    pub(crate) fn take(&mut self, number: &str, recipient: &str, now: Instant) -> Result<(), GraphError> {
        let Limits { per_second, pair_pause, pair_burst } = self.limits;
        if let Some(rate) = per_second.map(f64::from) {
            let bucket = self.numbers.entry(number.to_owned()).or_insert_with(|| Bucket::full(rate, now));
            if !bucket.has(rate, rate, now) {
                return Err(GraphError::of(130_429).because("Message failed to send because there were too many messages sent from this phone number in a short period of time"));
            }
        }
        if let Some(pause) = pair_pause {
            let (size, rate) = (f64::from(pair_burst), 1.0 / pause.as_secs_f64().max(f64::EPSILON));
            self.forget(size, rate, now);
            let pair = self.pairs.entry((number.to_owned(), recipient.to_owned()));
            let bucket = pair.or_insert_with(|| Bucket::full(size, now));
            if !bucket.has(size, rate, now) {
                return Err(GraphError::of(131_056).because("Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time"));
            }
            bucket.tokens -= 1.0;
        }
        if let Some(bucket) = self.numbers.get_mut(number) {
            bucket.tokens -= 1.0;
        }
        Ok(())
    }

    fn forget(&mut self, size: f64, rate: f64, now: Instant) {
        if self.pairs.len() >= MAX_PAIRS {
            self.pairs.retain(|_, bucket| {
                bucket.has(size, rate, now);
                bucket.tokens < size
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_so_many_a_second() {
        let (mut gauge, start) = (Gauge::new(Limits { pair_pause: None, ..Limits::REAL }), Instant::now());
        let taken = |gauge: &mut Gauge, at| (0..1_000).filter(|_| gauge.take("1", "a", at).is_ok()).count();
        assert_eq!(taken(&mut gauge, start), 80);
        assert_eq!(gauge.take("1", "a", start).unwrap_err().code, 130_429);
        assert!(gauge.take("2", "a", start).is_ok());
        assert_eq!(taken(&mut gauge, start + Duration::from_millis(500)), 40);
    }

    #[test]
    fn a_pair_has_a_burst_and_then_one_in_six_seconds() {
        let (mut gauge, start) = (Gauge::new(Limits { per_second: None, ..Limits::REAL }), Instant::now());
        let taken = |gauge: &mut Gauge, at| (0..1_000).filter(|_| gauge.take("1", "a", at).is_ok()).count();
        assert_eq!(taken(&mut gauge, start), 45);
        assert_eq!(gauge.take("1", "a", start).unwrap_err().code, 131_056);
        assert!(gauge.take("1", "b", start).is_ok());
        assert_eq!(taken(&mut gauge, start + Duration::from_secs(13)), 2);
    }
}
