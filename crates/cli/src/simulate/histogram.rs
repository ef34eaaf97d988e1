use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Eight buckets for each doubling: percentiles are at most an eighth off.
const PER_DOUBLING: u32 = 8;
const BUCKETS: usize = 40 * PER_DOUBLING as usize;

/// How long things took.
pub(super) struct Histogram([AtomicU64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Histogram {
    pub(super) fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// The upper bound of what a share of them took.
    pub(super) fn percentile(&self, share: f64) -> Duration {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return Duration::ZERO;
        }
        let mut wanted = (total as f64 * share).ceil() as u64;
        for (at, count) in counts.iter().enumerate() {
            if wanted <= *count {
                return Duration::from_micros(upper(at)).min(Duration::from_secs(u64::from(u32::MAX)));
            }
            wanted -= count;
        }
        Duration::ZERO
    }
}

fn bucket(micros: u64) -> usize {
    let micros = micros.max(1);
    let doublings = micros.ilog2();
    let within = ((u128::from(micros) * u128::from(PER_DOUBLING)) >> doublings) as u32 - PER_DOUBLING;
    ((doublings * PER_DOUBLING + within) as usize).min(BUCKETS - 1)
}

fn upper(bucket: usize) -> u64 {
    let (doublings, within) = (bucket as u32 / PER_DOUBLING, bucket as u32 % PER_DOUBLING);
    ((1_u64 << doublings) * u64::from(PER_DOUBLING + within + 1)).div_ceil(u64::from(PER_DOUBLING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_at_most_an_eighth_off() {
        let histogram = Histogram::default();
        assert_eq!(histogram.percentile(0.5), Duration::ZERO);
        for micros in 1..=10_000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, exact) in [(0.5, 5_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let found = histogram.percentile(share).as_micros() as f64;
            assert!((exact..=exact * 1.126).contains(&found), "{share}: {found}");
        }
        histogram.record(Duration::MAX);
        histogram.record(Duration::ZERO);
        assert!(histogram.percentile(1.0) > Duration::from_secs(3_600));
    }
}
