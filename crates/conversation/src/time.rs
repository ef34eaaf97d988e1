use std::time::Duration;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z. Covers the years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The earliest instant that can be told.
    pub const MIN: Time = Time(i64::MIN);
    /// The latest instant that can be told.
    pub const MAX: Time = Time(i64::MAX);

    /// The instant `seconds` after the epoch, clamped to what can be told.
    pub fn from_seconds(seconds: i64) -> Time {
        Time(seconds.saturating_mul(1_000_000_000))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0))
    }

    /// This instant moved later, clamped to what can be told.
    pub fn plus(self, by: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }
}
