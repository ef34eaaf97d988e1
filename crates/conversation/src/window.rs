use std::time::Duration;

use crate::Time;

/// An entry recorded within this time of happening is live (W7).
pub const LIVE_WITHIN: Duration = Duration::from_secs(5 * 60);

/// W7: whether an entry lies where it happened rather than where it was recorded, and outside every metric.
/// One that claims to happen in the future counts as live.
pub fn is_late(occur: Time, record: Time, backfilled: bool) -> bool {
    occur <= record && (backfilled || record.since(occur) > LIVE_WITHIN)
}

/// Whether the window [open, close) holds an instant; a window without a close is open still.
pub fn holds(open: Time, close: Option<Time>, instant: Time) -> bool {
    open <= instant && close.is_none_or(|close| instant < close)
}
