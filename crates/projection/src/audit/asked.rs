use std::collections::BTreeSet;

use bus::Recorded;
use conversation::{ConversationId, Revision, Time};
use proto::v1;
use tonic::Status;
use v1::deed::Kind as DeedKind;

use crate::query::Mistakes;

/// How far the clocks of the server, which tells when an event was appended, and of whoever recorded it may be apart,
/// with the time that appending took.
const APART: i64 = 5 * 60 * 1_000_000_000;

/// ReadActs, as it was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) workspace: String,
    pub(super) conversation: Option<ConversationId>,
    pub(super) after: Revision,
    pub(super) follow: bool,
    start: Option<Time>,
    end: Option<Time>,
    kind: v1::actor::Kind,
    id: String,
    deeds: BTreeSet<i32>,
}

impl Asked {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    #[allow(clippy::result_large_err)]
    pub(super) fn read(request: v1::ReadActsRequest) -> Result<Asked, Status> {
        let mut mistakes = Mistakes::default();
        let (start, end) = mistakes.period(request.start_time.as_ref(), request.end_time.as_ref());
        let kind = mistakes.known("actor_kind", request.actor_kind);
        mistakes.id("actor_id", &request.actor_id);
        let conversation = ConversationId::parse(&request.conversation_id);
        if conversation.is_none() && !request.conversation_id.is_empty() {
            mistakes.add("conversation_id", "is no id of a conversation");
        }
        let after = mistakes.revision("after_revision", request.after_revision);
        for &number in &request.kinds {
            if mistakes.known::<DeedKind>("kinds", number) == DeedKind::Unspecified {
                mistakes.add("kinds", "has to name a kind of deed");
            }
        }
        if request.follow && end.is_some() {
            mistakes.add("follow", "goes on for ever: leave out end_time");
        }
        mistakes.check()?;
        Ok(Asked {
            workspace: request.workspace,
            conversation,
            after,
            follow: request.follow,
            start,
            end,
            kind,
            id: request.actor_id,
            deeds: request.kinds.into_iter().collect(),
        })
    }

    /// What is asked for was appended at this time or later, by the clock of the server.
    pub(super) fn appended_from(&self) -> Option<Time> {
        self.start.map(|start| Time(start.0.saturating_sub(APART)))
    }

    /// Whether nothing that is asked for stands behind this event.
    pub(super) fn is_past(&self, recorded: &Recorded) -> bool {
        self.end.is_some_and(|end| recorded.appended.0 > end.0.saturating_add(APART))
    }

    /// Whether an act is meant.
    pub(super) fn takes(&self, act: &v1::Act) -> bool {
        let time = act.time.as_ref().and_then(proto::time).unwrap_or(Time::MIN);
        let actor = act.actor.clone().unwrap_or_default();
        self.start.is_none_or(|start| time >= start)
            && self.end.is_none_or(|end| time < end)
            && (self.kind == v1::actor::Kind::Unspecified || self.kind == actor.kind())
            && (self.id.is_empty() || self.id == actor.id)
            && (self.deeds.is_empty() || act.deeds.iter().any(|deed| self.deeds.contains(&deed.kind)))
    }
}
