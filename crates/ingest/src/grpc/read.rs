//! MarkRead: a fact, since nobody decides differently because of it.

use bus::TraceParent;
use conversation::ConversationId;
use proto::v1;
use service::status::{self, Mistakes};
use tonic::Status;

use super::desk::{Desk, to_wire};

/// Notes what is wrong beside the fields that every command has.
pub(crate) fn check(mistakes: &mut Mistakes, request: &v1::MarkReadRequest) {
    use v1::actor::Kind;
    mistakes.unless(request.through_revision >= 0, "through_revision", "is negative: revisions begin at 1");
    let customer = request.actor.as_ref().is_some_and(|actor| actor.kind() == Kind::Customer);
    mistakes.unless(!customer, "actor.kind", "a customer can't mark the chat read for the business");
}

impl Desk {
    /// Records that someone has seen the chat.
    ///
    /// # Errors
    /// NOT_FOUND, ABORTED, UNAVAILABLE.
    pub(crate) async fn mark_read(
        &self,
        request: v1::MarkReadRequest,
        conversation: &ConversationId,
        channel: String,
        trace: &TraceParent,
    ) -> Result<i64, Status> {
        self.expect(&request.workspace, conversation, request.expected_revision).await?;
        let keys = self.bus.workspace(&request.workspace).await.map_err(|error| status::bus(&error))?;
        let through = self.through(request.through_revision).await?;
        let id = keys.fact_id(&["read", conversation.as_str(), &through.to_string()]);
        let now = Some(proto::timestamp(bus::now()));
        let event = v1::Event {
            correlation_id: id.clone(),
            id,
            workspace: request.workspace,
            conversation: conversation.as_str().to_owned(),
            actor: request.actor,
            occur_time: now,
            record_time: now,
            causation_id: request.command_id,
            depth: 0,
            channel,
            event: Some(v1::event::Event::MessagesRead(v1::MessagesRead { through_revision: through })),
        };
        self.publish(event, trace).await
    }

    /// The newest revision that can have been seen: what is not recorded yet is not read.
    async fn through(&self, asked: i64) -> Result<i64, Status> {
        let info = self.bus.events_info().await.map_err(|error| status::bus(&error))?;
        let newest = to_wire(info.state.last_sequence);
        Ok(if asked == 0 { newest } else { asked.min(newest) })
    }
}
