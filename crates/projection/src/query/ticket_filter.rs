use proto::v1;
use v1::actor::Kind;
use v1::ticket::State;

use super::mistakes::Mistakes;
use crate::view::rows::TicketGist;

/// Which tickets a list or a watch holds, periods aside.
#[derive(Clone, Debug, Default)]
pub(crate) struct TicketFilter {
    /// Empty for every conversation.
    pub(crate) conversation: String,
    /// `None` for both.
    pub(crate) state: Option<State>,
    opener: Option<Kind>,
    agent: String,
    team: String,
    pub(crate) topic: Option<String>,
    include_nested: bool,
}

/// The fields of a request that a filter is made of: ListTickets and WatchTickets share them.
pub(crate) struct Fields<'a> {
    pub(crate) conversation_id: &'a str,
    pub(crate) state: i32,
    pub(crate) opener_kind: i32,
    pub(crate) assignee: Option<&'a v1::Assignee>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) include_nested: bool,
}

impl TicketFilter {
    pub(crate) fn read(fields: &Fields<'_>, mistakes: &mut Mistakes) -> TicketFilter {
        mistakes.id("conversation_id", fields.conversation_id);
        mistakes.assignee(fields.assignee);
        let state: State = mistakes.known("state", fields.state);
        let opener: Kind = mistakes.known("opener_kind", fields.opener_kind);
        let assignee = fields.assignee.cloned().unwrap_or_default();
        TicketFilter {
            conversation: fields.conversation_id.to_owned(),
            state: Some(state).filter(|state| *state != State::Unspecified),
            opener: Some(opener).filter(|kind| *kind != Kind::Unspecified),
            agent: assignee.agent_id,
            team: assignee.team_id,
            topic: fields.topic.map(str::to_owned),
            include_nested: fields.include_nested,
        }
    }

    /// Whether a ticket, as it is to be shown, belongs to the list.
    pub(crate) fn takes(&self, row: &TicketGist) -> bool {
        let state = if row.close_time.is_some() { State::Closed } else { State::Open };
        (self.include_nested || row.primary == 0)
            && self.state.is_none_or(|wanted| wanted == state)
            && (self.conversation.is_empty() || self.conversation == row.conversation)
            && self.has_topic(row)
            && self.opener.is_none_or(|kind| row.opened_by.as_ref().is_some_and(|actor| actor.kind() == kind))
            && self.assigned(row.assignee.as_ref())
    }

    /// Whether a ticket has the topic that is asked for, if one is.
    pub(crate) fn has_topic(&self, row: &TicketGist) -> bool {
        self.topic.as_ref().is_none_or(|topic| *topic == row.topic)
    }

    fn assigned(&self, assignee: Option<&v1::Assignee>) -> bool {
        let names = |wanted: &str, has: fn(&v1::Assignee) -> &str| {
            wanted.is_empty() || assignee.is_some_and(|assignee| has(assignee) == wanted)
        };
        names(&self.agent, |assignee| &assignee.agent_id) && names(&self.team, |assignee| &assignee.team_id)
    }
}
