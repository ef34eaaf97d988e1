use proto::v1;
use service::status;
use tonic::Status;
use v1::watch_timeline_response::Event;

use super::changes::{Changes, Seen};
use super::mistakes::Mistakes;
use super::now;
use super::reads::Reads;
use super::show_entry::to_wire;
use super::unseal::Keys;
use super::watch::Feed;
use crate::view::keys::ConversationKey;
use crate::view::live::Commit;

/// WatchTimeline, as it was asked for.
#[derive(Debug)]
pub(crate) struct TimelineWatch {
    pub(crate) workspace: String,
    pub(crate) conversation: String,
    after: Seen,
}

impl TimelineWatch {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(request: v1::WatchTimelineRequest) -> Result<TimelineWatch, Status> {
        let mut mistakes = Mistakes::default();
        mistakes.required_id("conversation_id", &request.conversation_id);
        let revision = mistakes.revision("after_revision", request.after_revision);
        mistakes.revision("min_revision", request.min_revision);
        mistakes.check()?;
        let after = Seen { revision, index: request.after_index };
        Ok(TimelineWatch { workspace: request.workspace, conversation: request.conversation_id, after })
    }

    pub(crate) fn feed<K: Keys>(self, reads: Reads, keys: K) -> TimelineFeed<K> {
        let conversation = ConversationKey::of(&self.workspace, &self.conversation);
        TimelineFeed { changes: Changes::new(conversation, self.after), asked: self, reads, keys }
    }
}

/// The entries of a conversation in the order in which they were made or changed.
pub(crate) struct TimelineFeed<K> {
    asked: TimelineWatch,
    changes: Changes,
    reads: Reads,
    keys: K,
}

impl<K: Keys> Feed for TimelineFeed<K> {
    type Answer = v1::WatchTimelineResponse;

    async fn next(&mut self, through: u64) -> Result<(Vec<Self::Answer>, bool), Status> {
        let mut changes = self.changes.clone();
        let (changes, entries, more) = self
            .reads
            .run(move |view| {
                let (entries, more) = changes.next(view, through)?;
                Ok((changes, entries, more))
            })
            .await?;
        self.changes = changes;
        if entries.is_empty() {
            return Ok((Vec::new(), more));
        }
        let key = self.keys.find(&self.asked.workspace, &self.asked.conversation).await;
        let key = key.map_err(|error| status::bus(&error))?;
        let answers = entries.into_iter().map(|entry| v1::WatchTimelineResponse {
            revision: to_wire(entry.change_revision()),
            index: entry.place.index,
            event: Some(Event::Entry(entry.show(&self.asked.conversation, key.as_ref()))),
        });
        Ok((answers.collect(), more))
    }

    fn concerns(&self, commit: &Commit) -> bool {
        commit.conversations.binary_search(&self.changes.conversation()).is_ok()
    }

    /// Everything up to the revision was sent, whatever its index.
    fn heartbeat(&self, through: u64) -> Self::Answer {
        let event = Some(Event::Heartbeat(v1::Heartbeat { time: Some(now()) }));
        let seen = self.changes.seen().max(Seen::all(through));
        v1::WatchTimelineResponse { event, revision: to_wire(seen.revision), index: seen.index }
    }
}
