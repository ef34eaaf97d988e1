//! What customers are shown while they wait: that their message was read, and that the bot types. Nobody waits for it and
//! nothing is tried again.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Error};
use conversation::ConversationId;
use proto::v1;
use proto::v1::event::Event as Kind;
use tokio::sync::Semaphore;

use crate::channel::Recipient;
use crate::lines::Lines;

/// Under way at once; beyond that they are left out.
const AT_ONCE: usize = 64;
/// Longest time for one.
const TIME: Duration = Duration::from_secs(10);

/// Shows it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Courtesy {
    bus: Bus,
    lines: Lines,
    permits: Arc<Semaphore>,
}

impl Courtesy {
    pub(crate) fn new(bus: Bus, lines: Lines) -> Courtesy {
        Courtesy { bus, lines, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// A message of the customer: if the bot holds the chat, it will answer.
    pub(crate) fn received(&self, event: &v1::Event) {
        self.show(event, true);
    }

    /// An agent has read the chat.
    pub(crate) fn read(&self, event: &v1::Event) {
        self.show(event, false);
    }

    fn show(&self, event: &v1::Event, typing: bool) {
        if !self.lines.receipts() {
            return;
        }
        let Some(line) = self.lines.open(&event.workspace, &event.channel) else { return };
        let Ok(permit) = self.permits.clone().try_acquire_owned() else { return };
        let (courtesy, event) = (self.clone(), event.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let shown = tokio::time::timeout(TIME, async {
                let Some((to, id)) = courtesy.message(&event, typing).await? else { return Ok::<(), Error>(()) };
                if let Err(failure) = line.api.seen_of(&to, &id, typing).await {
                    tracing::debug!(%failure, "a customer was not shown that somebody is there");
                }
                Ok(())
            });
            if let Ok(Err(error)) = shown.await {
                tracing::debug!(%error, "a customer was not shown that somebody is there");
            }
        });
    }

    /// The customer, and the channel's id of their last message. With `typing`, only where the bot holds the chat.
    async fn message(&self, event: &v1::Event, typing: bool) -> Result<Option<(Recipient, String)>, Error> {
        let Some(conversation) = ConversationId::parse(&event.conversation) else { return Ok(None) };
        if typing && !self.bus.state(&event.workspace, &conversation).await?.bot_holds() {
            return Ok(None);
        }
        let last = self.bus.last_message(&event.workspace, &conversation).await?;
        let keyring = self.bus.conversation(&event.workspace, conversation.as_str()).await?;
        let (Some((_, last)), Some(keyring)) = (last, keyring) else { return Ok(None) };
        let Some(Kind::MessageReceived(received)) = &last.event else { return Ok(None) };
        let sealed = keyring.open::<v1::SealedMessage>(&received.sealed).unwrap_or_default();
        let id = sealed.message.map(|message| message.channel_message_id).filter(|id| !id.is_empty());
        Ok(sealed.contact.as_ref().and_then(Recipient::of).zip(id))
    }
}
