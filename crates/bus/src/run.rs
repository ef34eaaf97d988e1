//! What rules and the bot did about events, on RUNS: each run once, on a subject of its own, and read newest first.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use conversation::{Revision, Time};
use futures::StreamExt;
use prost::Message;
use proto::v1;
use tokio::time::Instant;

use crate::connect::PATIENCE;
use crate::fact::EVENT_HEADER;
use crate::{Bus, Error, ErrorKind, partition, stream, token};

/// Pause before a failed append is tried again.
const PAUSE: Duration = Duration::from_millis(100);
/// How many places of the stream are looked through at once, first and at most: more each time too little is found.
const WINDOW: u64 = 512;
const WIDEST: u64 = 16_384;
/// How long one page may be looked for; then it ends early, and the next goes on from there.
const PAGE: Duration = Duration::from_secs(3);
/// A consumer that is read once is forgotten soon after.
const FORGOTTEN: Duration = Duration::from_secs(5);
/// Taken from the server at once.
const FETCH: usize = 1_000;
/// Clocks of engines may be ahead of the server's by so much: 60 s in nanoseconds.
const SLACK: i64 = 60_000_000_000;
/// In place of a rule, for what rules that did not match had to say.
const NONE: &str = "none";
/// Header that tells the two kinds of record apart.
const RUN: &str = "Run";
const NOT_MATCHED: &str = "NotMatched";
const DOING: &str = "recording a run";

/// Whether a run was recorded now or before.
#[derive(Clone, Debug)]
pub enum Recording {
    /// Now, at this place in RUNS.
    New(Revision),
    /// Before, as this, at this place in RUNS.
    Found(Revision, Box<v1::Run>),
}

/// What stands in RUNS.
#[derive(Clone, Debug)]
pub enum RunRecord {
    /// What a rule did about an event.
    Run(Box<v1::Run>),
    /// What the others had to say about it.
    NotMatched(v1::NotMatched),
}

/// Which records are wanted: those that have all that is set.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// In which workspace.
    pub workspace: String,
    /// Of this rule; what did not match passes, for it speaks of many.
    pub rule: String,
    /// About this event.
    pub event_id: String,
    /// About this conversation.
    pub conversation: String,
    /// Recorded at this time or later.
    pub start: Option<Time>,
    /// Recorded earlier than this.
    pub end: Option<Time>,
    /// With what did not match.
    pub not_matched: bool,
}

/// A record in its place.
struct Found {
    revision: Revision,
    /// When it came there, at the latest by its own clock: what stands before it came no later.
    appended: Time,
    record: RunRecord,
}

/// Records, newest first.
#[derive(Clone, Debug, Default)]
pub struct RunPage {
    /// With their places in RUNS.
    pub records: Vec<(Revision, RunRecord)>,
    /// Where the next page begins (before this place); `None` when there is no more. A page that took too long to fill
    /// has fewer records, maybe none, and a next page.
    pub next: Option<Revision>,
}

impl Bus {
    /// Records a run, unless one with its rule version, event and time is recorded already.
    ///
    /// # Errors
    /// [`Error::Away`] after 8 s, in which case it may be recorded; [`Error::Refused`].
    pub async fn record_run(&self, workspace: &str, run: &v1::Run) -> Result<Recording, Error> {
        let subject = run_subject(workspace, run);
        match self.record(DOING, &subject, RUN, run.encode_to_vec(), 0).await {
            Err(Error::Conflict) => match self.last_run(&subject).await? {
                // What an append of ours left whose acknowledgement was lost.
                Some((revision, found)) if found == *run => Ok(Recording::New(revision)),
                Some((revision, found)) => Ok(Recording::Found(revision, Box::new(found))),
                None => Err(Error::Conflict),
            },
            done => done.map(Recording::New),
        }
    }

    /// Replaces a run by what became of it since it was recorded at `expected`.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was replaced meanwhile; as [`Bus::record_run`].
    pub async fn replace_run(&self, workspace: &str, run: &v1::Run, expected: Revision) -> Result<Revision, Error> {
        let subject = run_subject(workspace, run);
        match self.record(DOING, &subject, RUN, run.encode_to_vec(), expected).await {
            Err(Error::Conflict) => match self.last_run(&subject).await? {
                Some((revision, found)) if found == *run => Ok(revision),
                _ => Err(Error::Conflict),
            },
            done => done,
        }
    }

    /// The run that is recorded under the id, rule, version, event and conversation of `run`, whatever else it says.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no run.
    pub async fn recorded_run(&self, workspace: &str, run: &v1::Run) -> Result<Option<(Revision, v1::Run)>, Error> {
        self.last_run(&run_subject(workspace, run)).await
    }

    /// Records what rules that did not match had to say about an event, once.
    ///
    /// # Errors
    /// As [`Bus::record_run`].
    pub async fn record_not_matched(&self, workspace: &str, record: &v1::NotMatched) -> Result<(), Error> {
        let p = partition(workspace, &record.conversation_id);
        let subject = format!("run.{p}.{workspace}.{NONE}.{}", token(&record.event_id));
        match self.record(DOING, &subject, NOT_MATCHED, record.encode_to_vec(), 0).await {
            Ok(_) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Records that match `filter` and stand before `before`, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when something there is no record.
    pub async fn runs(&self, filter: &RunFilter, before: Option<Revision>, limit: usize) -> Result<RunPage, Error> {
        let stream = self.jetstream().get_stream(stream::RUNS).await;
        let state =
            stream.map_err(|error| Error::away("opening the stream of runs", error))?.cached_info().state.clone();
        let first = state.first_sequence.max(1);
        let mut upper = before.unwrap_or(u64::MAX).min(state.last_sequence + 1);
        // What concerns one event is little: the server finds it at once.
        let mut window = if filter.event_id.is_empty() { WINDOW } else { u64::MAX };
        let (mut page, deadline) = (RunPage::default(), Instant::now() + PAGE);
        while upper > first {
            let lower = upper.saturating_sub(window).max(first);
            let mut found = self.window(filter, lower, upper).await?;
            found.reverse();
            let early = found.last().is_some_and(|found| filter.start.is_some_and(|start| found.appended < start));
            for Found { revision, record, .. } in found.into_iter().filter(|found| filter.wants(&found.record)) {
                if page.records.len() == limit {
                    page.next = page.records.last().map(|(revision, _)| *revision);
                    return Ok(page);
                }
                page.records.push((revision, record));
            }
            upper = lower;
            if early {
                return Ok(page);
            }
            if upper > first && (page.records.len() == limit || Instant::now() > deadline) {
                page.next = Some(upper);
                return Ok(page);
            }
            window = window.saturating_mul(2).min(if window == u64::MAX { window } else { WIDEST });
        }
        Ok(page)
    }

    /// What stands in [lower, upper), oldest first.
    async fn window(&self, filter: &RunFilter, lower: u64, upper: u64) -> Result<Vec<Found>, Error> {
        const DOING: &str = "reading runs";
        let config = pull::Config {
            // Named, so that the request says which stream and subjects it is about.
            name: Some(nuid::next().to_string()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: lower },
            ack_policy: AckPolicy::None,
            filter_subjects: filter.subjects(),
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = self.jetstream().create_consumer_on_stream(config, stream::RUNS).await;
        let consumer = consumer.map_err(|error| Error::away(DOING, error))?;
        let mut found = Vec::new();
        let mut pending = consumer.cached_info().num_pending;
        while pending > 0 {
            let batch = consumer.fetch().max_messages(FETCH).messages().await;
            let mut batch = batch.map_err(|error| Error::away(DOING, error))?;
            let before = pending;
            while let Some(message) = batch.next().await {
                let message = message.map_err(|error| Error::away(DOING, error))?;
                let info = message.info().map_err(|error| Error::unreadable("a run", error))?;
                if info.stream_sequence >= upper {
                    return Ok(found);
                }
                pending = info.pending;
                let appended = i64::try_from(info.published.unix_timestamp_nanos()).unwrap_or(i64::MAX);
                let appended = Time(appended.saturating_add(SLACK));
                found.push(Found { revision: info.stream_sequence, appended, record: read(&message)? });
            }
            if pending == before {
                return Err(Error::away(DOING, "the server handed out nothing"));
            }
        }
        Ok(found)
    }

    async fn last_run(&self, subject: &str) -> Result<Option<(Revision, v1::Run)>, Error> {
        let stream = self.jetstream().get_stream_no_info(stream::RUNS).await;
        let stream = stream.map_err(|error| Error::away("opening the stream of runs", error))?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => {
                let run = v1::Run::decode(message.payload).map_err(|error| Error::unreadable("a run", error))?;
                Ok(Some((message.sequence, run)))
            }
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away("looking for a run", error)),
        }
    }

    /// Appends under the expected sequence of a literal subject. A conflict may be with an append of ours whose
    /// acknowledgement was lost.
    pub(crate) async fn record(
        &self,
        doing: &'static str,
        subject: &str,
        name: &str,
        payload: Vec<u8>,
        expected: u64,
    ) -> Result<Revision, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = PublishMessage::build()
                .payload(payload.clone().into())
                .header(EVENT_HEADER, name)
                .expected_last_subject_sequence(expected);
            match self.publish_once(doing, subject.to_owned(), message).await {
                Err(error) if error.kind() == ErrorKind::Retry && Instant::now() + PAUSE < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

/// `run.<p>.<workspace>.<rule>@<version>.<event>`, and whatever else stands in the run's id after the event. What has no
/// versions, the bot, stands there by its name alone.
fn run_subject(workspace: &str, run: &v1::Run) -> String {
    let p = partition(workspace, &run.conversation_id);
    let (rule, event) = (token(&run.rule), token(&run.event_id));
    let version = if run.rule_version == 0 { String::new() } else { format!("@{}", run.rule_version) };
    let start = format!("{}{version}/{}/", run.rule, run.event_id);
    let rest = run.id.strip_prefix(&start).map_or(String::new(), |rest| format!(".{}", token(rest)));
    format!("run.{p}.{workspace}.{rule}{version}.{event}{rest}")
}

fn read(message: &async_nats::jetstream::Message) -> Result<RunRecord, Error> {
    let name = message.headers.as_ref().and_then(|headers| headers.get(EVENT_HEADER)).map(|name| name.as_str());
    let payload = message.payload.clone();
    let read = match name {
        Some(NOT_MATCHED) => v1::NotMatched::decode(payload).map(RunRecord::NotMatched),
        _ => v1::Run::decode(payload).map(|run| RunRecord::Run(Box::new(run))),
    };
    read.map_err(|error| Error::unreadable("a run", error))
}

impl RunFilter {
    fn subjects(&self) -> Vec<String> {
        let workspace = &self.workspace;
        let p = match self.conversation.as_str() {
            "" => "*".to_owned(),
            conversation => partition(workspace, conversation).to_string(),
        };
        match self.event_id.as_str() {
            "" => vec![format!("run.{p}.{workspace}.>")],
            event => {
                let event = token(event);
                vec![format!("run.{p}.{workspace}.*.{event}"), format!("run.{p}.{workspace}.*.{event}.*")]
            }
        }
    }

    fn wants(&self, record: &RunRecord) -> bool {
        let (rule, conversation) = match record {
            RunRecord::Run(run) => (Some(&run.rule), &run.conversation_id),
            RunRecord::NotMatched(record) => (None, &record.conversation_id),
        };
        let time = record.time();
        (rule.is_some() || self.not_matched)
            && rule.is_none_or(|rule| self.rule.is_empty() || self.rule == *rule)
            && (self.conversation.is_empty() || self.conversation == *conversation)
            && self.start.is_none_or(|start| time >= start)
            && self.end.is_none_or(|end| time < end)
    }
}

impl RunRecord {
    fn time(&self) -> Time {
        let time = match self {
            RunRecord::Run(run) => run.time.as_ref(),
            RunRecord::NotMatched(record) => record.time.as_ref(),
        };
        time.and_then(proto::time).unwrap_or(Time(0))
    }
}
