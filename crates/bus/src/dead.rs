//! What workers gave up on, and how it comes to them once more.
//!
//! A letter on DEAD is a reference. Requeued, it waits on REQUEUED for exactly the worker that gave up, which has a
//! durable consumer of its own there, takes the event from where it stands and works on it as on any other. Requeueing
//! twice is requeueing once, while it waits and after: a worker's effects are fenced against repeats.

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::RawMessageErrorKind;
use conversation::{Revision, Time};
use prost::Message as _;
use proto::v1;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::fact::Envelope;
use crate::feed::Feed;
use crate::{Bus, Error, Recorded, Source, TraceParent, now, stream};

/// A letter in its place on DEAD.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// Where it stands: what it is named by.
    pub place: Revision,
    /// What was given up, by whom and why.
    pub letter: v1::DeadLetter,
}

impl Bus {
    /// Letters after a place, oldest first, at most `limit`; of one worker if it is named.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when something there is no letter.
    pub async fn dead_letters(&self, worker: Option<&str>, after: Revision, limit: usize) -> Result<Vec<Dead>, Error> {
        let from = DeliverPolicy::ByStartSequence { start_sequence: after + 1 };
        let filters: Vec<String> = worker.map(subject).into_iter().collect();
        let mut feed = Feed::open(self, stream::DEAD, from, &filters).await?;
        let mut left = feed.pending_at_start();
        let mut found = Vec::new();
        while left > 0 && found.len() < limit {
            let Some(messages) = feed.next().await? else {
                return Err(Error::away("reading dead letters", "no answer"));
            };
            left = left.saturating_sub(messages.len() as u64);
            for message in messages {
                let place = message.info().map_err(|error| Error::unreadable("a dead letter", error))?.stream_sequence;
                found.push(Dead { place, letter: read(message.payload.clone())? });
            }
        }
        feed.close(self).await;
        found.truncate(limit);
        Ok(found)
    }

    /// The letter at a place; `None` once it was requeued or has expired.
    ///
    /// # Errors
    /// As [`Bus::dead_letters`].
    pub async fn dead_letter(&self, place: Revision) -> Result<Option<Dead>, Error> {
        match self.standing_at(stream::DEAD, place).await? {
            Some(message) => Ok(Some(Dead { place, letter: read(message.payload)? })),
            None => Ok(None),
        }
    }

    /// What a letter is about; `None` once it is gone.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn given_up(&self, letter: &v1::DeadLetter) -> Result<Option<Recorded>, Error> {
        let revision = Revision::try_from(letter.revision).unwrap_or(0);
        if !letter.payload.is_empty() {
            let appended = letter.record_time.as_ref().and_then(proto::time).unwrap_or(Time(0));
            return Ok(Some(Recorded::kept(revision, &letter.subject, letter.payload.clone(), appended)));
        }
        let Some(source) = Source::of_subject(&letter.subject) else { return Ok(None) };
        let found = self.standing_at(source.stream(), revision).await?;
        // Numbers of a stream that was restored may mean something else.
        Ok(found.filter(|found| found.subject.as_str() == letter.subject))
    }

    /// Hands a letter to the worker that gave up, and takes it off DEAD. Doing so twice does no more. Whether it stood
    /// there still.
    ///
    /// # Errors
    /// [`Error::Away`] after 8 s, in which case it may be done; [`Error::Unreadable`] when it names no worker of ours.
    pub async fn requeue(&self, dead: &Dead) -> Result<bool, Error> {
        let Dead { place, letter } = dead;
        if self.dead_letter(*place).await?.is_none() {
            return Ok(false);
        }
        let source = Source::of_subject(&letter.subject);
        let source = source.ok_or_else(|| Error::unreadable("a dead letter", "its subject belongs to no stream"))?;
        let subject = format!("{}.{}", requeued(&letter.consumer, source), letter.revision);
        match self.record("requeueing", &subject, "DeadLetter", letter.encode_to_vec(), 0).await {
            // It waits already.
            Ok(_) | Err(Error::Conflict) => self.remove(stream::DEAD, *place).await.map(|()| true),
            Err(error) => Err(error),
        }
    }

    /// Files an event that a worker gave up on: a reference and the reason, no content. `again` is where it stood on
    /// REQUEUED.
    pub(crate) async fn bury(
        &self,
        worker: &str,
        source: Source,
        event: &Recorded,
        again: Option<(Revision, &v1::DeadLetter)>,
        reason: &str,
    ) -> Result<(), Error> {
        let letter = match again {
            Some((_, letter)) => letter.clone(),
            // Revisions count anew in each stream, which the subject tells apart.
            None => v1::DeadLetter {
                id: format!("dead.{worker}.{}.{}", event.revision, event.subject),
                consumer: worker.to_owned(),
                subject: event.subject.to_string(),
                revision: i64::try_from(event.revision).unwrap_or(i64::MAX),
                payload: if source.takes_off() { event.payload.clone() } else { bytes::Bytes::new() },
                ..v1::DeadLetter::default()
            },
        };
        let letter = v1::DeadLetter { reason: reason.to_owned(), record_time: Some(proto::timestamp(now())), ..letter };
        // The server must not take giving up again for a repeat.
        let id = again.map_or_else(|| letter.id.clone(), |(place, letter)| format!("{}.{place}", letter.id));
        let envelope = Envelope {
            subject: subject(worker),
            id,
            name: "DeadLetter",
            payload: letter.encode_to_vec().into(),
            trace: event.trace.clone().unwrap_or_else(TraceParent::start),
        };
        self.append_all(vec![Ok(envelope)]).await.pop().unwrap_or(Err(Error::Conflict)).map(|_| ())
    }

    /// Deletes a message. One that is gone counts as deleted.
    pub(crate) async fn remove(&self, stream: &str, place: Revision) -> Result<(), Error> {
        let doing = "taking a message off its stream";
        // References alone: nothing that has to be overwritten where it lies, which takes the server longer.
        let request = json!({"seq": place, "no_erase": true});
        let subject = format!("STREAM.MSG.DELETE.{stream}");
        let asked = self.jetstream().request::<_, _, Response<IgnoredAny>>(subject, &request);
        // An answer that refuses says that it is gone.
        asked.await.map(drop).map_err(|error| Error::away(doing, error))
    }

    async fn standing_at(&self, stream: &str, place: Revision) -> Result<Option<Recorded>, Error> {
        let doing = "reading what was given up";
        let stream = self.jetstream().get_stream_no_info(stream).await.map_err(|error| Error::away(doing, error))?;
        match stream.get_raw_message(place).await {
            Ok(message) => Ok(Some(Recorded::stored(message))),
            Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away(doing, error)),
        }
    }
}

/// Where the letters of a worker stand.
fn subject(worker: &str) -> String {
    format!("dead.{worker}")
}

/// Where what a worker is to work on again waits, up to the revision: one worker may work on several streams.
pub(crate) fn requeued(worker: &str, source: Source) -> String {
    format!("requeue.{worker}.{}", source.stream())
}

pub(crate) fn read(payload: bytes::Bytes) -> Result<v1::DeadLetter, Error> {
    v1::DeadLetter::decode(payload).map_err(|error| Error::unreadable("a dead letter", error))
}
