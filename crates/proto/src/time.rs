use std::time::Duration;

use conversation::Time;
use prost_types::Timestamp;

const NANOS: i128 = 1_000_000_000;

/// The latest time taken from outside: 2100-01-01T00:00:00Z, in seconds since the epoch (facts of the channel's API).
pub const MAX_TIME: i64 = 4_102_444_800;

/// An instant on the wire.
pub fn timestamp(time: Time) -> Timestamp {
    let seconds = time.0.div_euclid(1_000_000_000);
    let nanos = time.0.rem_euclid(1_000_000_000);
    Timestamp { seconds, nanos: i32::try_from(nanos).unwrap_or(0) }
}

/// An instant from the wire, clamped to what [`Time`] can tell; `None` unless it is a valid Timestamp
/// (nanos within 0 to 999,999,999).
pub fn time(timestamp: &Timestamp) -> Option<Time> {
    if !(0..1_000_000_000).contains(&timestamp.nanos) {
        return None;
    }
    let nanos = i128::from(timestamp.seconds) * NANOS + i128::from(timestamp.nanos);
    Some(Time(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })))
}

/// A length of time on the wire.
pub fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}
