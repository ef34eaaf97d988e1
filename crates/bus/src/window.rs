//! Until when free words may be sent in a conversation: the last message of the customer tells, in one read.

use async_nats::datetime::DateTime;
use async_nats::jetstream::consumer::DeliverPolicy;
use conversation::{ConversationId, ReplyWindow, Time, is_late};
use proto::v1;

use crate::feed::Feed;
use crate::load::decode;
use crate::{Bus, Error, now, stream, subject};

/// Messages that are looked through when the last one came late: far more than a customer writes on a day.
const MOST: u64 = 10_000;

impl Bus {
    /// Until when free words may be sent in a conversation on `channel`.
    ///
    /// One read of the leader; none on a channel without a window. Only where the customer's last message came late
    /// are the others of that time looked through too: one of them may have happened after it.
    ///
    /// # Errors
    /// As [`Bus::last_decision`].
    pub async fn reply_window(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        channel: &str,
    ) -> Result<ReplyWindow, Error> {
        let Some(length) = ReplyWindow::length(channel) else { return Ok(ReplyWindow::Unlimited) };
        let Some((_, last)) = self.last_message(workspace, conversation).await? else {
            return Ok(ReplyWindow::NeverOpened);
        };
        let window = ReplyWindow::of(channel, happened(&last));
        let (occur, record) = (happened(&last).unwrap_or(Time::MIN), recorded(&last));
        if window.is_open(now()) || !is_late(occur, record, false) {
            return Ok(window);
        }
        // Nothing that was recorded before the last `length` can have happened since.
        let from = Time(now().0.saturating_sub(i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)));
        let newest = self.newest_since(workspace, conversation, from).await?;
        Ok(ReplyWindow::of(channel, newest.max(Some(occur))))
    }

    /// When the newest of the customer's messages happened that were appended since `from`.
    async fn newest_since(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        from: Time,
    ) -> Result<Option<Time>, Error> {
        let Ok(start_time) = DateTime::from_unix_timestamp_nanos(i128::from(from.0)) else { return Ok(None) };
        let subject = subject::of_kind(workspace, conversation.as_str(), "message");
        let policy = DeliverPolicy::ByStartTime { start_time };
        let mut feed = Feed::open(self, stream::EVENTS, policy, &[subject]).await?;
        let mut left = feed.pending_at_start().min(MOST);
        let mut newest = None;
        while left > 0 {
            let Some(messages) = feed.next().await? else { break };
            for message in messages {
                left = left.saturating_sub(1);
                newest = newest.max(happened(&decode(0, &message.payload)?));
            }
        }
        feed.close(self).await;
        Ok(newest)
    }
}

/// Why only what the channel approved beforehand can be sent, for people: "the window for free words was open until …".
pub fn closed_words(window: ReplyWindow) -> String {
    match window {
        ReplyWindow::Until(end) => {
            let end = jiff::Timestamp::from_nanosecond(i128::from(end.0)).map(|end| end.to_string());
            format!(
                "the window for free words was open until {}: a template is needed, or a message of the customer",
                end.unwrap_or_default()
            )
        }
        ReplyWindow::NeverOpened => {
            "the customer never wrote, so the window for free words never opened: a template is needed".to_owned()
        }
        ReplyWindow::Unlimited => "the channel has no window for free words".to_owned(),
    }
}

/// When the channel says it happened: at the latest when it was recorded.
fn happened(event: &v1::Event) -> Option<Time> {
    let occur = event.occur_time.as_ref().and_then(proto::time);
    Some(occur.unwrap_or(Time::MAX).min(recorded(event)))
}

fn recorded(event: &v1::Event) -> Time {
    event.record_time.as_ref().and_then(proto::time).unwrap_or(Time::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_until_when_and_what_is_needed() {
        let words = closed_words(ReplyWindow::Until(Time::from_seconds(1_700_000_000)));
        assert!(words.contains("2023-11-14T22:13:20Z") && words.contains("template"), "{words}");
        assert!(closed_words(ReplyWindow::NeverOpened).contains("never wrote"));
    }

    #[test]
    fn what_claims_to_come_happened_when_it_was_recorded() {
        let at = |seconds| Some(proto::timestamp(Time::from_seconds(seconds)));
        let event =
            |occur, record| v1::Event { occur_time: at(occur), record_time: at(record), ..v1::Event::default() };
        assert_eq!(happened(&event(5, 9)), Some(Time::from_seconds(5)));
        assert_eq!(happened(&event(99, 9)), Some(Time::from_seconds(9)));
    }
}
