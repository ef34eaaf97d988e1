use crate::Time;

/// Which of a window's times puts it into a period (W11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// It was opened in the period.
    Opened,
    /// It was closed in the period.
    Closed,
    /// It was open at some time in the period.
    OpenDuring,
}

/// The instants from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// First instant.
    pub start: Time,
    /// First instant after it.
    pub end: Time,
}

impl Period {
    /// Whether an instant lies in the period.
    pub fn holds(&self, instant: Time) -> bool {
        self.start <= instant && instant < self.end
    }

    /// W11: whether a window falls into the period.
    pub fn counts(&self, basis: Basis, open: Time, close: Option<Time>) -> bool {
        match basis {
            Basis::Opened => self.holds(open),
            Basis::Closed => close.is_some_and(|close| self.holds(close)),
            Basis::OpenDuring => {
                open < self.end && (open >= self.start || close.is_none_or(|close| close > self.start))
            }
        }
    }
}
