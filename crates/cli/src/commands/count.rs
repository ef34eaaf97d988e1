use clap::{Args, ValueEnum};
use proto::v1;
use v1::count_tickets_response::Group;

use crate::client::timely;
use crate::draw::{Align, Style, Table, bar, words};
use crate::failure::Failure;
use crate::session::Session;
use crate::when;

/// The longest bar.
const BAR: usize = 30;

const EXAMPLES: &str = "\
Examples:
  threadmark count --from 7d                                   # opened in the last seven days
  threadmark count --from 2026-11-01 --to 2026-12-01 --by day  # a month: --to is the moment it has ended
  threadmark count --from today --by hour --basis closed --time-zone Europe/Madrid
  threadmark count --from 30d --by day --by topic --json

Times are 2026-11-01, 2026-11, 2026-11-01T14:30, an RFC 3339 time, now, today, yesterday, tomorrow, or how long ago
(7d, 36h, 90m, 2w). Primary tickets are counted, nested ones beside them.";

/// Counts the tickets of a period.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Count {
    /// The first moment of the period [default: the beginning of time]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment at which the period has ended [default: the end of time; now with --by day or hour]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Group by day or hour, by one of the others, or by both
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    by: Vec<GroupName>,
    /// Which tickets a period holds
    #[arg(long, value_enum, default_value = "opened")]
    basis: BasisName,
    /// As it stood then: later stamps are ignored
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Wait until the view has come to this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    min_revision: i64,
}

/// Which tickets a period holds.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BasisName {
    /// Opened in the period
    Opened,
    /// Closed in the period
    Closed,
    /// Open at any moment of the period
    OpenDuring,
}

impl BasisName {
    pub(crate) fn wire(self) -> v1::Basis {
        match self {
            BasisName::Opened => v1::Basis::Opened,
            BasisName::Closed => v1::Basis::Closed,
            BasisName::OpenDuring => v1::Basis::OpenDuring,
        }
    }
}

/// What tickets are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupName {
    Day,
    Hour,
    Opener,
    Closer,
    Assignee,
    Channel,
    Topic,
}

impl GroupName {
    pub(crate) fn wire(self) -> v1::GroupBy {
        match self {
            GroupName::Day => v1::GroupBy::Day,
            GroupName::Hour => v1::GroupBy::Hour,
            GroupName::Opener => v1::GroupBy::Opener,
            GroupName::Closer => v1::GroupBy::Closer,
            GroupName::Assignee => v1::GroupBy::Assignee,
            GroupName::Channel => v1::GroupBy::Channel,
            GroupName::Topic => v1::GroupBy::Topic,
        }
    }

    fn is_time(self) -> bool {
        matches!(self, GroupName::Day | GroupName::Hour)
    }

    /// The heading of its column.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            GroupName::Day => "DAY",
            GroupName::Hour => "HOUR",
            GroupName::Opener => "OPENER",
            GroupName::Closer => "CLOSER",
            GroupName::Assignee => "ASSIGNEE",
            GroupName::Channel => "CHANNEL",
            GroupName::Topic => "TOPIC",
        }
    }
}

impl Count {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = self.request(session)?;
        let answer = session.client.tickets().count_tickets(timely(request)).await;
        let counted = answer.map_err(|status| session.failure(status))?.into_inner();
        if session.out.is_json() {
            return session.out.message("CountTicketsResponse", &counted);
        }
        if !self.by.is_empty() {
            session.out.table(&self.table(session, &counted.groups), "no tickets in this period")?;
        }
        session.out.text(&total(counted.primary_count, counted.nested_count))
    }

    fn request(&self, session: &Session) -> Result<v1::CountTicketsRequest, Failure> {
        let grouped_by_time = self.by.iter().any(|by| by.is_time());
        // Days and hours need an end; tickets of the future do not exist.
        let to = self.to.as_deref().or(grouped_by_time.then_some("now"));
        if grouped_by_time && self.from.is_none() {
            return Err(Failure::Usage(
                "grouping by day or hour needs a beginning: say --from, such as --from 7d".to_owned(),
            ));
        }
        Ok(v1::CountTicketsRequest {
            workspace: session.workspace.clone(),
            start_time: session.instant(self.from.as_deref())?,
            end_time: session.instant(to)?,
            basis: self.basis.wire().into(),
            group_by: self.by.iter().map(|by| by.wire().into()).collect(),
            time_zone: when::zone_name(&session.zone).to_owned(),
            as_of_time: session.instant(self.as_of.as_deref())?,
            min_revision: self.min_revision,
        })
    }

    /// A row for each group: its keys, its counts, and a bar.
    fn table(&self, session: &Session, groups: &[Group]) -> Table {
        let mut columns: Vec<(&'static str, Align)> = self.by.iter().map(|by| (by.heading(), Align::Left)).collect();
        columns.extend([("PRIMARY", Align::Right), ("NESTED", Align::Right), ("", Align::Left)]);
        let mut table = Table::new(&columns);
        let most = groups.iter().map(|group| count(group.primary_count) + count(group.nested_count)).max().unwrap_or(0);
        for group in groups {
            let keys = self.by.iter().map(|by| (Style::Plain, key(session, *by, group)));
            let (primary, nested) = (count(group.primary_count), count(group.nested_count));
            table.row(keys.chain([
                (Style::Strong, primary.to_string()),
                (Style::Dim, if nested > 0 { nested.to_string() } else { String::new() }),
                (Style::Primary, bar(primary, nested, most, BAR)),
            ]));
        }
        table
    }
}

fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn key(session: &Session, by: GroupName, group: &Group) -> String {
    let or_none = |text: String| if text.is_empty() { "(none)".to_owned() } else { text };
    let start = || words::zoned(group.start_time.as_ref(), &session.zone);
    match by {
        GroupName::Day => start().map(|day| day.strftime("%Y-%m-%d %a").to_string()).unwrap_or_default(),
        GroupName::Hour => start().map(|hour| hour.strftime("%Y-%m-%d %H:%M %:z").to_string()).unwrap_or_default(),
        GroupName::Opener | GroupName::Closer => or_none(actor(group.actor.as_ref())),
        GroupName::Assignee => or_none(words::assignee(group.assignee.as_ref())),
        GroupName::Channel => or_none(group.channel.clone()),
        GroupName::Topic => or_none(group.topic.clone()),
    }
}

/// Who, and what kind of actor where it is no agent.
pub(crate) fn actor(actor: Option<&v1::Actor>) -> String {
    if actor.is_none() {
        return String::new();
    }
    match words::kind(actor) {
        "" => words::actor(actor),
        kind => format!("{} ({kind})", words::actor(actor)),
    }
}

/// "12 tickets, 3 nested beside them"
fn total(primary: i64, nested: i64) -> String {
    let tickets = if primary == 1 { "1 ticket".to_owned() } else { format!("{primary} tickets") };
    if nested == 0 { tickets } else { format!("{tickets}, {nested} nested beside them") }
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn totals_in_words() {
        assert_eq!(total(1, 0), "1 ticket");
        assert_eq!(total(12, 3), "12 tickets, 3 nested beside them");
    }
}
