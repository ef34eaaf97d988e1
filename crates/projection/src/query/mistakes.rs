use conversation::{Basis, Time};
use proto::v1;
use service::status;
use tonic::Status;

use super::calendar::Zone;
use service::page_token::{Foreign, PageTokens};

/// Longest id taken in a query, in bytes; longer ones name nothing.
const MAX_ID_BYTES: usize = 256;

/// Everything that is wrong with a query, so that one answer names it all; and the fields read on the way.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(status::Mistakes);

impl Mistakes {
    /// Notes that a field is wrong.
    pub(crate) fn add(&mut self, field: &str, description: impl Into<String>) {
        self.0.add(field, description);
    }

    /// # Errors
    /// INVALID_ARGUMENT with a violation per mistake.
    pub(crate) fn check(self) -> Result<(), Status> {
        self.0.done()
    }

    /// An id that has to be there.
    pub(crate) fn required_id(&mut self, field: &str, id: &str) {
        if id.is_empty() {
            self.add(field, "is required");
        }
        self.id(field, id);
    }

    /// An id that may be left out.
    pub(crate) fn id(&mut self, field: &str, id: &str) {
        if id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
            self.add(field, format!("must have at most {MAX_ID_BYTES} bytes and no control characters"));
        }
    }

    /// An instant that may be left out.
    pub(crate) fn time(&mut self, field: &str, time: Option<&prost_types::Timestamp>) -> Option<Time> {
        let time = time?;
        // What google.protobuf.Timestamp may hold: the years 1 to 9999.
        let told = (-62_135_596_800..=253_402_300_799).contains(&time.seconds);
        let known = proto::time(time).filter(|_| told);
        if known.is_none() {
            self.add(field, "must be a time within the years 1 to 9999, with nanos within 0 to 999,999,999");
        }
        known
    }

    /// A number of an enum.
    pub(crate) fn known<E: TryFrom<i32> + Default>(&mut self, field: &str, number: i32) -> E {
        E::try_from(number).unwrap_or_else(|_| {
            self.add(field, format!("has no value {number}"));
            E::default()
        })
    }

    /// How many items a page may hold: 50 when 0, at most 1,000.
    pub(crate) fn page_size(&mut self, size: i32) -> usize {
        match usize::try_from(size) {
            Err(_) => {
                self.add("page_size", "must not be negative");
                1
            }
            Ok(0) => 50,
            Ok(size) => size.min(1000),
        }
    }

    /// A revision to wait for or to go on from; 0 for none.
    pub(crate) fn revision(&mut self, field: &str, revision: i64) -> u64 {
        u64::try_from(revision).unwrap_or_else(|_| {
            self.add(field, "must not be negative");
            0
        })
    }

    /// A period's two ends, of which either may be left out.
    pub(crate) fn period(
        &mut self,
        start: Option<&prost_types::Timestamp>,
        end: Option<&prost_types::Timestamp>,
    ) -> (Option<Time>, Option<Time>) {
        let (start, end) = (self.time("start_time", start), self.time("end_time", end));
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            self.add("end_time", "must not be before start_time");
        }
        (start, end)
    }

    /// Where a page begins; `None` for the first. `read` takes the position of a token apart.
    pub(crate) fn position<T>(
        &mut self,
        tokens: &PageTokens,
        token: &str,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        match tokens.position(token).and_then(|position| match position {
            None => Ok(None),
            Some(position) => read(&position).map(Some).ok_or(Foreign),
        }) {
            Ok(position) => position,
            Err(error) => {
                self.add("page_token", error.to_string());
                None
            }
        }
    }

    /// Which tickets a period holds; OPENED when unspecified.
    pub(crate) fn basis(&mut self, number: i32) -> Basis {
        match self.known("basis", number) {
            v1::Basis::Unspecified | v1::Basis::Opened => Basis::Opened,
            v1::Basis::Closed => Basis::Closed,
            v1::Basis::OpenDuring => Basis::OpenDuring,
        }
    }

    /// A time zone by its IANA name; UTC when empty.
    pub(crate) fn zone(&mut self, name: &str) -> Option<Zone> {
        let zone = Zone::named(name);
        if zone.is_none() {
            self.add("time_zone", "is no IANA time zone such as Europe/Berlin");
        }
        zone
    }

    /// An actor that is looked for.
    pub(crate) fn actor(&mut self, field: &str, actor: Option<&v1::Actor>) {
        if let Some(actor) = actor {
            let _: v1::actor::Kind = self.known(&format!("{field}.kind"), actor.kind);
            self.id(&format!("{field}.id"), &actor.id);
        }
    }

    /// Ids of an assignee that is looked for.
    pub(crate) fn assignee(&mut self, assignee: Option<&v1::Assignee>) {
        if let Some(assignee) = assignee {
            self.id("assignee.agent_id", &assignee.agent_id);
            self.id("assignee.team_id", &assignee.team_id);
        }
    }
}
