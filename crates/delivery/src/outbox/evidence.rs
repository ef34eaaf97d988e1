//! What facts tell that sending has to know: that a call went through whose answer was lost, and that a customer is
//! reached elsewhere.

use bus::{Bus, Error, now};
use proto::v1;
use proto::v1::send::State;

/// A report on a message of ours, with our id: some call for it was taken.
pub(super) async fn reported(bus: &Bus, event: &v1::Event, status: &v1::MessageStatusChanged) -> Result<(), Error> {
    // What delivery itself tells has no id of the channel, unless the channel took it.
    if status.message_id.is_empty() || status.message_ref.is_empty() {
        return Ok(());
    }
    let found = bus.sent(&event.workspace, &event.conversation, &status.message_id).await?;
    let Some(send) = found.value.filter(|send| send.state() == State::Intended) else { return Ok(()) };
    let send = v1::Send {
        state: State::Accepted.into(),
        time: Some(proto::timestamp(now())),
        sealed: status.sealed.clone(),
        ..send
    };
    bus.record_send(&event.workspace, &send, found.place).await.map(drop)
}

/// The customer has another address.
pub(super) async fn moved(
    bus: &Bus,
    event: &v1::Event,
    changed: &v1::ContactChanged,
    revision: u64,
) -> Result<(), Error> {
    let revision = i64::try_from(revision).unwrap_or(i64::MAX);
    let moved = v1::MovedContact { revision, sealed: changed.sealed.clone() };
    bus.record_moved_contact(&event.workspace, &event.conversation, &moved).await
}
