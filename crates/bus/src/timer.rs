//! Durable timers: the server keeps a schedule for each subject and appends what it holds when it is due.
//!
//! Arming again on the same subject replaces, so there is at most one timer for each purpose. A timer only reminds:
//! whoever works on it when it is due asks the log whether its reason still holds.

use std::time::Duration;

use async_nats::header::{NATS_SCHEDULE, NATS_SCHEDULE_TARGET};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use conversation::Time;
use prost::Message;
use proto::v1;
use tokio::time::Instant;

use crate::connect::PATIENCE;
use crate::error::publish_error;
use crate::fact::EVENT_HEADER;
use crate::{Bus, Error, ErrorKind, partition, stream, token};

/// The server's floor for schedules; what is due earlier is due then.
const FLOOR: Duration = Duration::from_millis(250);
/// Pause before a failed request is tried again.
const PAUSE: Duration = Duration::from_millis(100);
/// Stands for the conversation of timers that concern none.
const NONE: &str = "_";

/// Which timer of a conversation: the rule version and, if it is about one, the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimerSlot(String);

impl TimerSlot {
    /// The slot of a timer. Timers of one slot replace each other.
    pub fn of(timer: &v1::Timer) -> TimerSlot {
        let v1::Timer { workspace, conversation, rule, rule_version, ticket_id, .. } = timer;
        let place = if conversation.is_empty() { NONE } else { conversation };
        let rule = token(rule);
        let mut slot = format!("{}.{workspace}.{place}.{rule}@{rule_version}", partition(workspace, conversation));
        if !ticket_id.is_empty() {
            slot.push('.');
            slot.push_str(&token(ticket_id));
        }
        // What waits to go on with a run is told apart by the run, and where in it.
        if let Some(action) = timer.next_action {
            slot.push_str(&format!(".run.{}.{action}", token(&timer.run_id)));
        }
        TimerSlot(slot)
    }

    fn schedule(&self) -> String {
        format!("timer.sched.{}", self.0)
    }

    fn target(&self) -> String {
        format!("timer.due.{}", self.0)
    }
}

impl Bus {
    /// Arms a timer for its `due_time`, in place of the one in the same slot. What is due in less than 250 ms, or
    /// was, is due then. When it is due it stands on `timer.due.…`, as it is here: see [`crate::Source::TimersDue`].
    ///
    /// # Errors
    /// [`Error::Away`] after 8 s, [`Error::Refused`], [`Error::Unreadable`] without a due time.
    pub async fn arm(&self, timer: &v1::Timer) -> Result<(), Error> {
        let due = timer.due_time.as_ref().and_then(proto::time);
        let due = due.ok_or_else(|| Error::unreadable("a timer", "it says not when it is due"))?;
        let floor = crate::now().0.saturating_add(i64::try_from(FLOOR.as_nanos()).unwrap_or(0));
        let at = rfc3339(Time(due.0.max(floor)))?;
        let slot = TimerSlot::of(timer);
        let payload = timer.encode_to_vec();
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A fresh id each time: the server must not take arming again for a repeat.
            let message = PublishMessage::build()
                .payload(payload.clone().into())
                .message_id(nuid::next().as_str())
                .header(EVENT_HEADER, "Timer")
                .header(NATS_SCHEDULE, format!("@at {at}"))
                .header(NATS_SCHEDULE_TARGET, slot.target());
            match self.publish_once("arming a timer", slot.schedule(), message).await {
                Err(error) if error.kind() != ErrorKind::Refused && Instant::now() + PAUSE < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done.map(drop),
            }
        }
    }

    /// Cancels the timer of a slot. One that is due already stays so.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn disarm(&self, slot: &TimerSlot) -> Result<(), Error> {
        let stream = self.timers().await?;
        let purged = stream.purge().filter(slot.schedule()).await;
        purged.map(drop).map_err(|error| Error::away("cancelling a timer", error))
    }

    /// The timer that is armed in a slot.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no timer.
    pub async fn armed(&self, slot: &TimerSlot) -> Result<Option<v1::Timer>, Error> {
        let stream = self.timers().await?;
        match stream.get_last_raw_message_by_subject(&slot.schedule()).await {
            Ok(message) => {
                let timer = v1::Timer::decode(message.payload);
                timer.map(Some).map_err(|error| Error::unreadable("a timer", error))
            }
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away("looking for a timer", error)),
        }
    }

    async fn timers(&self) -> Result<async_nats::jetstream::stream::Stream<()>, Error> {
        let stream = self.jetstream().get_stream_no_info(stream::TIMERS).await;
        stream.map_err(|error| Error::away("opening the stream of timers", error))
    }

    pub(crate) async fn publish_once(
        &self,
        doing: &'static str,
        subject: String,
        message: PublishMessage,
    ) -> Result<u64, Error> {
        let sent = self.jetstream().send_publish(subject, message).await;
        let ack = sent.map_err(|error| publish_error(doing, error))?;
        Ok(ack.await.map_err(|error| publish_error(doing, error))?.sequence)
    }
}

/// In UTC, as `Nats-Schedule: @at` takes it.
fn rfc3339(time: Time) -> Result<String, Error> {
    let timestamp = jiff::Timestamp::from_nanosecond(i128::from(time.0));
    timestamp.map(|timestamp| timestamp.to_string()).map_err(|error| Error::unreadable("a timer's due time", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_one_literal_subject() {
        let timer = v1::Timer {
            workspace: "acme".to_owned(),
            conversation: "c1".to_owned(),
            rule: "close after 24 h.".to_owned(),
            rule_version: 3,
            ticket_id: "c1-t1".to_owned(),
            ..v1::Timer::default()
        };
        let p = partition("acme", "c1");
        let slot = TimerSlot::of(&timer);
        assert_eq!(slot.schedule(), format!("timer.sched.{p}.acme.c1.close=20after=2024=20h=2e@3.c1-t1"));
        let waiting = v1::Timer { next_action: Some(2), run_id: "a@1/e".to_owned(), ..timer };
        assert!(TimerSlot::of(&waiting).target().ends_with(".c1-t1.run.a=401=2fe.2"));
    }
}
