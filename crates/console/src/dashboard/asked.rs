//! What the dashboard, its tickets and its exports are asked for.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto::v1;
use v1::{Basis, GroupBy};

use super::presets::{moment, period, written};
use crate::lang::{Local, word};
use crate::session::{Who, encode};
use crate::words::{Fields, field, wire};

/// The dimensions that tickets are told apart by, as an address names them and as people do.
pub(crate) const DIMENSIONS: [(&str, &str, GroupBy); 5] = [
    ("assignee", word("Assignee"), GroupBy::Assignee),
    ("opener", word("Opener"), GroupBy::Opener),
    ("closer", word("Closer"), GroupBy::Closer),
    ("topic", word("Topic"), GroupBy::Topic),
    ("channel", word("Channel"), GroupBy::Channel),
];

/// Which tickets of a period are meant.
pub(crate) const BASES: [(&str, &str, Basis); 3] = [
    ("opened", word("Opened"), Basis::Opened),
    ("closed", word("Closed"), Basis::Closed),
    ("open", word("Open during"), Basis::OpenDuring),
];

/// One question about a period.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) workspace: String,
    pub(crate) zone: Local,
    pub(crate) preset: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) basis: &'static (&'static str, &'static str, Basis),
    pub(crate) by: &'static (&'static str, &'static str, GroupBy),
    pub(crate) hours: bool,
    pub(crate) nested: bool,
    pub(crate) as_of: Option<Timestamp>,
    /// Of one value of the dimension alone: what it is, and its id.
    pub(crate) only: Option<(String, String)>,
}

impl Asked {
    pub(crate) fn of(asked: &Fields, who: &Who, now: Timestamp) -> Asked {
        let chosen = TimeZone::get(field(asked, "zone"));
        let zone = Local { zone: chosen.unwrap_or_else(|_| who.zone.zone.clone()), ..who.zone };
        let preset = field(asked, "period").to_owned();
        let (mut start, mut end) = period(&preset, now, &zone.zone);
        let mut custom = false;
        if let (true, Some(from)) = (preset.is_empty() || preset == "custom", moment(field(asked, "from"), &zone.zone))
        {
            (start, custom) = (from, true);
        }
        if let (true, Some(to)) = (preset.is_empty() || preset == "custom", moment(field(asked, "to"), &zone.zone)) {
            (end, custom) = (to, true);
        }
        let exact = |name| field(asked, name).parse::<Timestamp>().ok();
        if let (Some(from), Some(to)) = (exact("start"), exact("end")) {
            (start, end, custom) = (from, to, true);
        }
        let basis = BASES.iter().find(|(name, ..)| *name == field(asked, "basis")).unwrap_or(&BASES[0]);
        let by = DIMENSIONS.iter().find(|(name, ..)| *name == field(asked, "by")).unwrap_or(&DIMENSIONS[0]);
        let only = field(asked, "of").split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()));
        let preset = if custom {
            "custom".to_owned()
        } else if preset.is_empty() {
            "7d".to_owned()
        } else {
            preset
        };
        Asked {
            workspace: who.workspace.clone(),
            preset,
            start,
            end: end.max(start),
            basis,
            by,
            hours: field(asked, "unit") == "hour",
            nested: field(asked, "nested") == "1",
            as_of: moment(field(asked, "as_of"), &zone.zone),
            only,
            zone,
        }
    }

    /// Words of a page in the language of whoever asks.
    pub(crate) fn t(&self, english: &'static str) -> &'static str {
        self.zone.lang.t(english)
    }

    pub(crate) fn zone_name(&self) -> &str {
        self.zone.zone.iana_name().unwrap_or("UTC")
    }

    /// What an address says of it, and nothing of groups.
    pub(crate) fn query(&self) -> String {
        let mut query = format!("basis={}&zone={}&by={}", self.basis.0, encode(self.zone_name()), self.by.0);
        if self.preset == "custom" {
            query += &format!("&start={}&end={}", encode(&self.start.to_string()), encode(&self.end.to_string()));
        } else if !self.preset.is_empty() {
            query += &format!("&period={}", encode(&self.preset));
        }
        if self.hours {
            query += "&unit=hour";
        }
        if self.nested {
            query += "&nested=1";
        }
        if let Some(at) = self.as_of {
            query += &format!("&as_of={}", encode(&written(at, &self.zone.zone)));
        }
        if let Some((kind, id)) = &self.only {
            query += &format!("&of={}", encode(&format!("{kind}:{id}")));
        }
        query
    }

    pub(crate) fn count(&self, basis: Basis, group_by: &[GroupBy]) -> v1::CountTicketsRequest {
        v1::CountTicketsRequest {
            workspace: self.workspace.clone(),
            start_time: Some(wire(self.start)),
            end_time: Some(wire(self.end)),
            basis: basis.into(),
            group_by: group_by.iter().map(|by| (*by).into()).collect(),
            time_zone: self.zone_name().to_owned(),
            as_of_time: self.as_of.map(wire),
            min_revision: 0,
        }
    }

    /// Percentiles are of tickets opened or closed in the period.
    pub(crate) fn stats(&self) -> v1::GetTicketStatsRequest {
        let basis = if self.basis.2 == Basis::Closed { Basis::Closed } else { Basis::Opened };
        v1::GetTicketStatsRequest {
            workspace: self.workspace.clone(),
            start_time: Some(wire(self.start)),
            end_time: Some(wire(self.end)),
            basis: basis.into(),
            group_by: vec![self.by.2.into()],
            time_zone: self.zone_name().to_owned(),
            as_of_time: self.as_of.map(wire),
            include_nested: self.nested,
            min_revision: 0,
        }
    }

    /// The tickets behind a number. Nobody is no assignee that the service could look for: [`Asked::is_of`] does.
    pub(crate) fn list(&self) -> v1::ListTicketsRequest {
        let mut request = v1::ListTicketsRequest {
            workspace: self.workspace.clone(),
            start_time: Some(wire(self.start)),
            end_time: Some(wire(self.end)),
            basis: self.basis.2.into(),
            include_nested: self.nested,
            as_of_time: self.as_of.map(wire),
            ..v1::ListTicketsRequest::default()
        };
        if let Some((kind, id)) = &self.only {
            match kind.as_str() {
                "topic" => request.topic = Some(id.clone()),
                "channel" => request.channel.clone_from(id),
                "opener" => request.opener = actor(id),
                "closer" => request.closer = actor(id),
                "assignee" => request.assignee = assignee(id),
                _ => {}
            }
        }
        request
    }

    /// Whether a ticket belongs to the one value that is asked for.
    pub(crate) fn is_of(&self, ticket: &v1::Ticket) -> bool {
        let Some((kind, id)) = &self.only else { return true };
        let value = match kind.as_str() {
            "opener" => actor_key(ticket.opened_by.as_ref()),
            "closer" => actor_key(ticket.closed_by.as_ref()),
            "assignee" => assignee_key(ticket.assignee.as_ref()),
            "channel" => ticket.channel.clone(),
            "topic" => ticket.topic.clone(),
            _ => return true,
        };
        value == *id
    }
}

/// Tells actors apart.
pub(crate) fn actor_key(actor: Option<&v1::Actor>) -> String {
    actor.map(|actor| format!("{}/{}", actor.kind, actor.id)).unwrap_or_default()
}

/// The actor of an [`actor_key`].
fn actor(key: &str) -> Option<v1::Actor> {
    let (kind, id) = key.split_once('/')?;
    Some(v1::Actor { kind: kind.parse().ok()?, id: id.to_owned(), display_name: String::new() })
}

/// The assignee of an [`assignee_key`]; `None` for nobody.
fn assignee(key: &str) -> Option<v1::Assignee> {
    let (agent, team) = key.split_once('/')?;
    Some(v1::Assignee { agent_id: agent.to_owned(), team_id: team.to_owned() })
}

/// Tells assignees apart.
pub(crate) fn assignee_key(assignee: Option<&v1::Assignee>) -> String {
    assignee.map(|assignee| format!("{}/{}", assignee.agent_id, assignee.team_id)).unwrap_or_default()
}
