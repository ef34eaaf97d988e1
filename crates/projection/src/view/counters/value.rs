use proto::v1;

use super::super::keys::{DimensionKey, SeriesKey, ShortDigest, WorkspaceKey};
use super::super::rows::{TicketRow, ValueRow};
use super::Mark;

/// What tickets are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Dimension {
    /// Not at all: every ticket has the same, empty value.
    Total,
    Opener,
    /// Nobody while open.
    Closer,
    /// At closing, else now.
    Assignee,
    Channel,
    Topic,
}

impl Dimension {
    pub(crate) const ALL: [Self; 6] =
        [Self::Total, Self::Opener, Self::Closer, Self::Assignee, Self::Channel, Self::Topic];

    pub(crate) fn byte(self) -> u8 {
        self as u8
    }

    pub(super) fn key(self, workspace: WorkspaceKey, mark: Mark) -> DimensionKey {
        DimensionKey { workspace, basis: mark.byte(), dimension: self.byte() }
    }

    /// What a ticket has of this dimension.
    pub(crate) fn value_of(self, ticket: &TicketRow) -> ValueRow {
        let mut value = ValueRow::default();
        match self {
            Self::Total => {}
            Self::Opener => value.actor = ticket.opened_by.clone(),
            Self::Closer => value.actor = ticket.closed_by.clone(),
            Self::Assignee => value.assignee = ticket.assignee.clone(),
            Self::Channel => value.channel = ticket.channel.clone(),
            Self::Topic => value.topic = ticket.topic.clone(),
        }
        value
    }
}

/// The identity of a value: an actor's kind and id, an assignee's two ids, a channel, a topic. Names don't count.
pub(crate) fn value_digest(value: &ValueRow) -> ShortDigest {
    let actor = value.actor.as_ref().map(actor_text).unwrap_or_default();
    let assignee = value.assignee.as_ref().map(assignee_text).unwrap_or_default();
    // One of the four is set at most, so that nothing needs to stand between them.
    ShortDigest::of(&[actor.as_str(), &assignee, &value.channel, &value.topic].concat())
}

fn actor_text(actor: &v1::Actor) -> String {
    format!("{}/{}", actor.kind, actor.id)
}

fn assignee_text(assignee: &v1::Assignee) -> String {
    format!("{}\0{}", assignee.agent_id, assignee.team_id)
}

/// The digests of what a ticket has of each dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TicketValues([ShortDigest; 6]);

impl TicketValues {
    pub(crate) fn of(ticket: &TicketRow) -> Self {
        Self(Dimension::ALL.map(|dimension| value_digest(&dimension.value_of(ticket))))
    }

    pub(crate) fn get(&self, dimension: Dimension) -> ShortDigest {
        self.0[dimension as usize]
    }

    /// The ticket has another value of a dimension.
    pub(crate) fn renew(&mut self, dimension: Dimension, ticket: &TicketRow) {
        self.0[dimension as usize] = value_digest(&dimension.value_of(ticket));
    }
}

/// One value of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Series {
    pub(crate) dimension: Dimension,
    pub(crate) value: ShortDigest,
}

impl Series {
    /// Every ticket of the workspace.
    pub(crate) fn total() -> Self {
        Self { dimension: Dimension::Total, value: value_digest(&ValueRow::default()) }
    }

    #[cfg(test)]
    pub(crate) fn holds(&self, values: &TicketValues) -> bool {
        values.get(self.dimension) == self.value
    }

    pub(super) fn key(&self, workspace: WorkspaceKey, mark: Mark) -> SeriesKey {
        SeriesKey { of: self.dimension.key(workspace, mark), value: self.value }
    }
}
