//! From decisions to the queues of channels: a reference for each message that has to go out, in the order in which it
//! was decided.

use bus::Error;
use proto::v1;
use proto::v1::decided_entry::Entry;

use super::Delivery;

/// Puts what a decision says to the customer into the queue of its channel.
pub(super) async fn route(
    delivery: &Delivery,
    event: &v1::Event,
    decided: &v1::Decided,
    revision: u64,
) -> Result<(), Error> {
    let inner = &delivery.0;
    let mut queued = queued(event, decided, revision).peekable();
    if queued.peek().is_none() {
        return Ok(());
    }
    inner.registry.register(&event.workspace, &event.channel).await?;
    for message in queued {
        inner.bus.queue_message(&message).await?;
    }
    Ok(())
}

fn queued<'a>(
    event: &'a v1::Event,
    decided: &'a v1::Decided,
    revision: u64,
) -> impl Iterator<Item = v1::QueuedMessage> + 'a {
    (0..).zip(&decided.entries).filter_map(move |(index, entry)| match &entry.entry {
        Some(Entry::Message(message)) => Some(v1::QueuedMessage {
            workspace: event.workspace.clone(),
            conversation_id: event.conversation.clone(),
            channel: event.channel.clone(),
            message_id: message.id.clone(),
            revision: i64::try_from(revision).unwrap_or(i64::MAX),
            index,
        }),
        _ => None,
    })
}
