//! What the log tells that concerns delivery.

use bus::{Handler, HandlerError, Recorded};
use proto::v1::event::Event as Kind;

use super::{Delivery, away, evidence, route};

/// Works on events of all kinds.
pub(super) struct Watcher(pub(super) Delivery);

impl Handler for Watcher {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let inner = &self.0.0;
        // ev.<p>.<workspace>.<conversation>.<kind>
        let workspace = recorded.subject.split('.').nth(2).unwrap_or_default();
        if !inner.options.sends_in(workspace) {
            return Ok(());
        }
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        if !inner.options.sends(&event.workspace, &event.channel) {
            return Ok(());
        }
        let done = match &event.event {
            Some(Kind::Decided(decided)) => route::route(&self.0, &event, decided, recorded.revision).await,
            Some(Kind::MessageStatusChanged(status)) => evidence::reported(&inner.bus, &event, status).await,
            Some(Kind::ContactChanged(changed)) => {
                evidence::moved(&inner.bus, &event, changed, recorded.revision).await
            }
            Some(Kind::MessageReceived(_)) => {
                inner.courtesy.received(&event);
                Ok(())
            }
            Some(Kind::MessagesRead(_)) => {
                inner.courtesy.read(&event);
                Ok(())
            }
            _ => Ok(()),
        };
        done.map_err(away)
    }
}
