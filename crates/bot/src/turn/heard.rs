//! Events that the bot may have to answer.

use bus::{Recorded, TraceParent};
use conversation::{ConversationId, Revision, Time, is_late};
use proto::v1;

/// A message of a customer, as the log tells of it.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) workspace: String,
    pub(super) conversation: ConversationId,
    /// The address of the business.
    pub(super) channel: String,
    /// The id of the event, which is the message's.
    pub(super) id: String,
    pub(super) revision: Revision,
    pub(super) correlation_id: String,
    pub(super) depth: u32,
    /// When it was recorded.
    pub(super) time: Time,
    pub(super) trace: TraceParent,
}

impl Heard {
    /// `None` for what nobody expects an answer to: anything but a message of the customer, and messages that came
    /// late (W7).
    pub(super) fn of(event: &v1::Event, recorded: &Recorded) -> Option<Heard> {
        if !is_live(event) {
            return None;
        }
        let correlation_id = if event.correlation_id.is_empty() { &event.id } else { &event.correlation_id };
        Some(Heard {
            workspace: event.workspace.clone(),
            conversation: ConversationId::parse(&event.conversation)?,
            channel: event.channel.clone(),
            id: event.id.clone(),
            revision: recorded.revision,
            correlation_id: correlation_id.clone(),
            depth: event.depth,
            time: time(event.record_time.as_ref()),
            trace: recorded.trace.clone().unwrap_or_else(TraceParent::start),
        })
    }
}

/// Whether an event is a message of the customer that was recorded soon after it was written.
pub(super) fn is_live(event: &v1::Event) -> bool {
    let (occur, record) = (time(event.occur_time.as_ref()), time(event.record_time.as_ref()));
    matches!(event.event, Some(v1::event::Event::MessageReceived(_))) && !is_late(occur, record, false)
}

fn time(time: Option<&prost_types::Timestamp>) -> Time {
    time.and_then(proto::time).unwrap_or_default()
}
