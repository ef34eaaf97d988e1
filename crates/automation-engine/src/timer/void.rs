//! Whether the reason of a timer is gone: the log and the view are asked, not the timer.

use bus::HandlerError;
use conversation::Revision;
use proto::v1;

use crate::engine::{Engine, Scene, Versioned, away};
use crate::rule::{AnsweredBy, Trigger};

impl Engine {
    /// Why a timer is void; `None` if it is not.
    pub(super) async fn void(
        &self,
        scene: &mut Scene,
        versioned: &Versioned,
        timer: &v1::Timer,
    ) -> Result<Option<String>, HandlerError> {
        let since = Revision::try_from(timer.arming_revision).unwrap_or(0);
        let reason = match &versioned.rule.on {
            Trigger::CustomerIdle { .. } => self.customer_wrote(scene, since).await?.then_some("the customer wrote"),
            Trigger::AgentIdle { by, .. } => {
                let answered = self.answered(scene, since, *by).await?;
                answered.then_some(if *by == AnsweredBy::Agent { "an agent answered" } else { "it was answered" })
            }
            Trigger::TicketOpenFor { .. } => self.is_closed(scene, timer).await?.then_some("the ticket is closed"),
            Trigger::TicketUnanswered { .. } if self.is_closed(scene, timer).await? => Some("the ticket is closed"),
            Trigger::TicketUnanswered { .. } => {
                self.ticket_answered(scene, timer).await?.then_some("an agent answered")
            }
            _ => None,
        };
        Ok(reason.map(str::to_owned))
    }

    async fn customer_wrote(&self, scene: &Scene, since: Revision) -> Result<bool, HandlerError> {
        let Some(conversation) = scene.conversation() else { return Ok(false) };
        let last = self.bus.last_message(&scene.workspace, conversation).await.map_err(away)?;
        Ok(last.is_some_and(|(revision, _)| revision > since))
    }

    async fn answered(&self, scene: &mut Scene, since: Revision, by: AnsweredBy) -> Result<bool, HandlerError> {
        self.need_state(scene).await?;
        let Some(conversation) = scene.conversation().cloned() else { return Ok(false) };
        let min = scene.revision().max(since);
        let answer = move |message: &v1::Message| {
            let kind = message.actor.as_ref().map(v1::Actor::kind);
            let agent = kind == Some(v1::actor::Kind::Agent);
            message.direction() == v1::Direction::Outbound && (agent || by == AnsweredBy::Anyone)
        };
        self.said_since(&scene.workspace, conversation.as_str(), since, min, answer).await
    }

    async fn is_closed(&self, scene: &mut Scene, timer: &v1::Timer) -> Result<bool, HandlerError> {
        self.need_state(scene).await?;
        let open = scene.state().is_some_and(|state| state.open.iter().any(|open| open.id.as_str() == timer.ticket_id));
        Ok(!open)
    }

    async fn ticket_answered(&self, scene: &mut Scene, timer: &v1::Timer) -> Result<bool, HandlerError> {
        let ticket = self.ticket(&scene.workspace, &timer.ticket_id, scene.revision()).await?;
        Ok(ticket.and_then(|ticket| ticket.metrics).is_some_and(|metrics| metrics.first_response.is_some()))
    }
}
