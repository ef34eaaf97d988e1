use proto::v1;

use super::calendar::Unit;
use super::mistakes::Mistakes;
use crate::store::View;
use crate::view::counters::{Counters, Dimension};
use crate::view::error::Error;
use crate::view::keys::ShortDigest;
use crate::view::rows::ValueRow;

/// Most values of a dimension that one answer is grouped by, and most groups in it.
pub(crate) const MAX_GROUPS: usize = 20_000;

/// What an answer is grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grouping {
    pub(crate) unit: Option<Unit>,
    pub(crate) dimension: Option<Dimension>,
}

impl Grouping {
    /// At most one of the units of time, and one of the dimensions.
    pub(crate) fn read(group_by: &[i32], mistakes: &mut Mistakes) -> Grouping {
        let mut grouping = Grouping::default();
        let mut twice = false;
        for number in group_by {
            let group_by: v1::GroupBy = mistakes.known("group_by", *number);
            match part(group_by) {
                Some(Part::Unit(unit)) => twice |= grouping.unit.replace(unit).is_some(),
                Some(Part::Dimension(dimension)) => twice |= grouping.dimension.replace(dimension).is_some(),
                None => mistakes.add("group_by", "has an unspecified value"),
            }
        }
        if twice {
            mistakes.add(
                "group_by",
                "takes at most one of DAY and HOUR, and one of OPENER, CLOSER, ASSIGNEE, CHANNEL and TOPIC",
            );
        }
        grouping
    }

    /// Whether a ticket's value can change while it is open.
    pub(crate) fn changes(&self) -> bool {
        matches!(self.dimension, Some(Dimension::Assignee | Dimension::Closer))
    }
}

enum Part {
    Unit(Unit),
    Dimension(Dimension),
}

fn part(group_by: v1::GroupBy) -> Option<Part> {
    Some(match group_by {
        v1::GroupBy::Unspecified => return None,
        v1::GroupBy::Day => Part::Unit(Unit::Day),
        v1::GroupBy::Hour => Part::Unit(Unit::Hour),
        v1::GroupBy::Opener => Part::Dimension(Dimension::Opener),
        v1::GroupBy::Closer => Part::Dimension(Dimension::Closer),
        v1::GroupBy::Assignee => Part::Dimension(Dimension::Assignee),
        v1::GroupBy::Channel => Part::Dimension(Dimension::Channel),
        v1::GroupBy::Topic => Part::Dimension(Dimension::Topic),
    })
}

/// More groups than an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("comes to more than {MAX_GROUPS} groups: ask for a shorter period, or group by less")]
pub(crate) struct TooManyGroups;

/// Every value of a dimension that the workspace ever had, sorted by digest.
pub(crate) fn values(
    counters: &Counters<'_>,
    dimension: Dimension,
) -> Result<Result<Vec<(ShortDigest, ValueRow)>, TooManyGroups>, Error> {
    let values = counters.values(dimension, MAX_GROUPS + 1)?;
    Ok(if values.len() > MAX_GROUPS { Err(TooManyGroups) } else { Ok(values) })
}

/// A value in one word: its id. Empty for nobody and for no topic.
pub(crate) fn key(value: &ValueRow) -> String {
    if let Some(actor) = &value.actor {
        return actor.id.clone();
    }
    if let Some(assignee) = &value.assignee {
        let ids = [assignee.team_id.as_str(), &assignee.agent_id];
        return ids.into_iter().filter(|id| !id.is_empty()).collect::<Vec<_>>().join("/");
    }
    [value.channel.as_str(), &value.topic].concat()
}

/// The order of groups: by word, then by what kind of actor bears it.
pub(crate) fn order(value: &ValueRow) -> (String, i32) {
    (key(value), value.actor.as_ref().map_or(0, |actor| actor.kind))
}

/// Counters of a workspace in a picture of the store.
pub(crate) fn counters<'a>(view: &'a dyn View, workspace: &str) -> Counters<'a> {
    Counters::new(view, crate::view::keys::WorkspaceKey::of(workspace))
}
