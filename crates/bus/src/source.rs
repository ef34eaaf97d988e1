//! What ordered workers can consume, and what is in order within it.

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use conversation::Revision;

use crate::{Bus, Error, PARTITIONS, Recorded, stream};

/// A flow of messages that a worker consumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// EVENTS, in order within a conversation.
    Events,
    /// The messages of customers on EVENTS, back-fill aside, in order within a conversation.
    Messages,
    /// What has to go out to customers, in order within a conversation. Taken off the stream once worked on. A worker
    /// says which channel it works for.
    Outbox,
    /// EXTERNAL, in order within a workspace and a name.
    External,
    /// The timers that have come due, in order within a conversation. Taken off the stream once worked on.
    TimersDue,
    /// Changes of the bucket `directory`, in order within a key. What was replaced before it was seen is never seen.
    Directory,
}

impl Source {
    pub(crate) fn stream(self) -> &'static str {
        match self {
            Source::Events | Source::Messages => stream::EVENTS,
            Source::Outbox => stream::OUTBOX,
            Source::External => stream::EXTERNAL,
            Source::TimersDue => stream::TIMERS,
            Source::Directory => "KV_directory",
        }
    }

    /// The source that a subject belongs to, so far as its stream goes.
    pub(crate) fn of_subject(subject: &str) -> Option<Source> {
        match subject.split('.').next()? {
            "ev" => Some(Source::Events),
            "out" => Some(Source::Outbox),
            "ext" => Some(Source::External),
            "timer" => Some(Source::TimersDue),
            "$KV" => Some(Source::Directory),
            _ => None,
        }
    }

    /// Durable consumers of a worker: each is a Raft group on a cluster, so they are few.
    pub(crate) fn groups(self) -> u32 {
        match self {
            Source::Events | Source::Messages => 8,
            Source::TimersDue => 4,
            Source::External | Source::Directory | Source::Outbox => 1,
        }
    }

    /// The subjects of one group.
    pub(crate) fn filters(self, group: u32) -> Vec<String> {
        let each = PARTITIONS / self.groups();
        let partitions = group * each..(group + 1) * each;
        match self {
            Source::Events => partitions.map(|p| format!("ev.{p}.>")).collect(),
            Source::Messages => partitions.map(|p| format!("ev.{p}.*.*.message")).collect(),
            Source::Outbox => vec!["out.>".to_owned()],
            Source::TimersDue => partitions.map(|p| format!("timer.due.{p}.>")).collect(),
            Source::External => vec!["ext.>".to_owned()],
            Source::Directory => vec!["$KV.directory.>".to_owned()],
        }
    }

    /// What has to be worked on in order.
    pub(crate) fn key(self, subject: &str) -> String {
        match self {
            // ev.<p>.<workspace>.<conversation>.<kind>
            // out.<workspace>.<channel>.<conversation>.<message>
            Source::Events | Source::Messages | Source::Outbox => {
                subject.rsplit_once('.').map_or(subject, |(conversation, _)| conversation).to_owned()
            }
            // timer.due.<p>.<workspace>.<conversation>.…
            Source::TimersDue => subject.split('.').take(5).collect::<Vec<_>>().join("."),
            Source::External | Source::Directory => subject.to_owned(),
        }
    }

    /// Whether what waits for a slow conversation is left on the stream, since one conversation may have more of it than a
    /// worker may be handed.
    pub(crate) fn keeps_what_waits(self) -> bool {
        matches!(self, Source::Outbox)
    }

    /// Whether a message is deleted once it was worked on.
    pub(crate) fn takes_off(self) -> bool {
        matches!(self, Source::TimersDue | Source::Outbox)
    }
}

impl Bus {
    /// The newest message of a source: where a worker begins that is to see only what comes from now on.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn newest(&self, source: Source) -> Result<Revision, Error> {
        let stream = self.stream(source).await?;
        Ok(stream.cached_info().state.last_sequence)
    }

    /// The oldest message that stands under a key of a source, from the leader of its stream.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub(crate) async fn oldest(&self, source: Source, key: &str) -> Result<Option<Recorded>, Error> {
        let doing = "reading what waits";
        let stream = self.jetstream().get_stream_no_info(source.stream()).await;
        let stream = stream.map_err(|error| Error::away(doing, error))?;
        match stream.get_first_raw_message_by_subject(format!("{key}.*"), 1).await {
            Ok(message) => Ok(Some(Recorded::stored(message))),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away(doing, error)),
        }
    }

    /// The stream of a source, with its state as it is now.
    pub(crate) async fn stream(&self, source: Source) -> Result<async_nats::jetstream::stream::Stream, Error> {
        let found = self.jetstream().get_stream(source.stream()).await;
        found.map_err(|error| Error::away("opening a stream", error))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Source;

    #[test]
    fn every_partition_belongs_to_one_group() {
        for source in [Source::Events, Source::Messages, Source::TimersDue] {
            let all: Vec<String> = (0..source.groups()).flat_map(|group| source.filters(group)).collect();
            assert_eq!(all.len(), 64);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 64);
        }
    }

    #[test]
    fn what_concerns_one_conversation_is_in_order() {
        let cases = [
            (Source::Events, "ev.7.acme.c1.message", "ev.7.acme.c1"),
            (Source::Messages, "ev.7.acme.c1.message", "ev.7.acme.c1"),
            (Source::Outbox, "out.acme.whatsapp=3a1.c1.c1-m2", "out.acme.whatsapp=3a1.c1"),
            (Source::TimersDue, "timer.due.7.acme.c1.idle@3.c1-t1", "timer.due.7.acme.c1"),
            (Source::External, "ext.acme.order.shipped", "ext.acme.order.shipped"),
            (Source::Directory, "$KV.directory.acme.presence.ann", "$KV.directory.acme.presence.ann"),
        ];
        for (source, subject, key) in cases {
            assert_eq!(source.key(subject), key);
            assert_eq!(Source::of_subject(subject).map(Source::stream), Some(source.stream()));
        }
    }
}
