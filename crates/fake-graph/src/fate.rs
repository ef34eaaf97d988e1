//! What becomes of a message after it was accepted.

use std::time::Duration;

use crate::GraphError;

/// One report about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How long after the message was accepted.
    pub after: Duration,
    /// "sent", "delivered", "read", "played" or "failed".
    pub word: String,
    /// Why it failed.
    pub error: Option<GraphError>,
}

/// The reports about a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate(Vec<Report>);

/// Pause between reports, unless told otherwise.
const PAUSE: Duration = Duration::from_millis(20);

impl Fate {
    /// Nothing is ever reported.
    pub fn silent() -> Fate {
        Fate::default()
    }

    /// It is sent, delivered and read.
    pub fn read() -> Fate {
        Fate::words(&["sent", "delivered", "read"])
    }

    /// It is sent, delivered, read and played, as voice messages are.
    pub fn played() -> Fate {
        Fate::words(&["sent", "delivered", "read", "played"])
    }

    /// It is sent and delivered.
    pub fn delivered() -> Fate {
        Fate::words(&["sent", "delivered"])
    }

    /// It is sent, and fails then.
    pub fn failed(code: i64) -> Fate {
        Fate::words(&["sent"]).then("failed", Some(GraphError::of(code)))
    }

    /// These reports.
    pub fn of(reports: Vec<Report>) -> Fate {
        Fate(reports)
    }

    fn words(words: &[&str]) -> Fate {
        words.iter().fold(Fate::default(), |fate, word| fate.then(word, None))
    }

    /// One report more, a little later than the last.
    #[must_use]
    pub fn then(mut self, word: &str, error: Option<GraphError>) -> Fate {
        let after = self.0.last().map_or(PAUSE, |last| last.after + PAUSE);
        self.0.push(Report { after, word: word.to_owned(), error });
        self
    }

    /// The same with this pause before each report.
    #[must_use]
    pub fn every(mut self, pause: Duration) -> Fate {
        for (report, nth) in self.0.iter_mut().zip(1..) {
            report.after = pause * nth;
        }
        self
    }

    /// Each report comes twice.
    #[must_use]
    pub fn doubled(self) -> Fate {
        Fate(self.0.into_iter().flat_map(|report| [report.clone(), report]).collect())
    }

    /// The last report comes first.
    #[must_use]
    pub fn backwards(mut self) -> Fate {
        let times: Vec<Duration> = self.0.iter().map(|report| report.after).collect();
        self.0.reverse();
        for (report, after) in self.0.iter_mut().zip(times) {
            report.after = after;
        }
        self
    }

    /// At the end it is said to have failed, too.
    #[must_use]
    pub fn contradicted(self, code: i64) -> Fate {
        self.then("failed", Some(GraphError::of(code)))
    }

    /// The reports, earliest first.
    pub(crate) fn reports(mut self) -> Vec<Report> {
        self.0.sort_by_key(|report| report.after);
        self.0
    }
}
