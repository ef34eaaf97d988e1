//! Whoever watches timelines.

use std::time::Instant;

use anyhow::{Context as _, anyhow};
use proto::v1;
use proto::v1::ticket_service_client::TicketServiceClient;
use proto::v1::timeline_entry::Entry;
use proto::v1::watch_timeline_response::Event;
use tokio::sync::mpsc;
use tonic::Streaming;
use tonic::transport::Channel;

/// What has come through, by its key, and when; or that nothing more will.
pub(crate) type Seen = mpsc::UnboundedReceiver<anyhow::Result<(String, Instant)>>;
/// The other end of it.
pub(crate) type Sighted = mpsc::UnboundedSender<anyhow::Result<(String, Instant)>>;

/// Chats looked for at most.
const MOST: i32 = 1_000;

/// Watches every chat of a workspace: the messages that come, by the channel's ids, and when.
pub(crate) async fn watch_all(channel: Channel, workspace: &str) -> anyhow::Result<Seen> {
    let mut client = TicketServiceClient::new(channel);
    let workspace = workspace.to_owned();
    let list = v1::ListConversationsRequest { workspace, page_size: MOST, ..v1::ListConversationsRequest::default() };
    let conversations = client.list_conversations(list).await?.into_inner().conversations;
    let (sender, seen) = mpsc::unbounded_channel();
    for conversation in conversations {
        let request = v1::WatchTimelineRequest {
            workspace: conversation.workspace,
            conversation_id: conversation.id,
            after_revision: conversation.revision,
            ..v1::WatchTimelineRequest::default()
        };
        let entries = client.watch_timeline(request).await.context("watching")?.into_inner();
        tokio::spawn(watch(entries, sender.clone()));
    }
    Ok(seen)
}

/// Tells what comes, and at last how the stream ended.
async fn watch(mut entries: Streaming<v1::WatchTimelineResponse>, seen: Sighted) {
    let ended = loop {
        let answer = entries.message().await;
        let at = Instant::now();
        match answer {
            Ok(Some(v1::WatchTimelineResponse { event: Some(Event::Entry(entry)), .. })) => {
                let Some(Entry::Message(message)) = entry.entry else { continue };
                if seen.send(Ok((message.channel_message_id, at))).is_err() {
                    return;
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => break anyhow!("a watch ended"),
            Err(status) => break anyhow!("a watch ended: {status}"),
        }
    };
    // Nobody listens at the end of the measurement.
    let _ = seen.send(Err(ended));
}
