use crate::{Nanos, View, Window};

/// Which of a window's times puts it into a period (W11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It was opened in the period.
    Opened,
    /// It was closed in the period.
    Closed,
    /// It was open at some time of the period.
    OpenDuring,
}

/// Primary tickets, and the nested ones beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Primary tickets.
    pub primary: u64,
    /// Nested tickets.
    pub nested: u64,
}

impl Window {
    /// W11: whether the window falls into [start, end).
    pub fn falls_into(&self, basis: Basis, start: Nanos, end: Nanos) -> bool {
        let within = |instant: Nanos| start <= instant && instant < end;
        match (basis, self.close_time) {
            (Basis::Opened, _) => within(self.open_time),
            (Basis::Closed, Some(close)) => within(close),
            (Basis::Closed, None) => false,
            (Basis::OpenDuring, None) => self.open_time < end,
            (Basis::OpenDuring, Some(close)) => self.open_time < end && (close > start || self.open_time >= start),
        }
    }
}

impl View {
    /// How many tickets of the workspace fall into [start, end).
    pub fn count(&self, basis: Basis, start: Nanos, end: Nanos) -> Count {
        self.count_where(basis, start, end, |_| true)
    }

    /// The same, of the windows that belong to a group.
    pub fn count_where(&self, basis: Basis, start: Nanos, end: Nanos, of: impl Fn(&Window) -> bool) -> Count {
        let mut count = Count::default();
        for window in self.windows().filter(|window| window.falls_into(basis, start, end) && of(window)) {
            if window.primary.is_none() {
                count.primary += 1;
            } else {
                count.nested += 1;
            }
        }
        count
    }
}
