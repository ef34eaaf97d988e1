use clap::Args;
use proto::v1;

use super::count::{BasisName, GroupName, actor};
use crate::client::timely;
use crate::draw::{Align, Style, Table, words};
use crate::failure::Failure;
use crate::session::Session;
use crate::when;

const EXAMPLES: &str = "\
Examples:
  threadmark stats --from 7d
  threadmark stats --from 2026-11 --to 2026-12 --by assignee --basis closed
Percentiles are at most 1 % off. Primaries alone, unless --nested.";

/// First response and resolution of the tickets of a period.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Stats {
    /// The first moment of the period [default: the beginning of time]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment at which the period has ended [default: the end of time]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Group by opener, closer, assignee, channel or topic
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<GroupName>,
    /// Which tickets a period holds: opened or closed
    #[arg(long, value_enum, default_value = "opened")]
    basis: BasisName,
    /// As it stood then: later stamps are ignored
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// With nested ones
    #[arg(long)]
    nested: bool,
    /// Wait until the view has come to this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    min_revision: i64,
}

impl Stats {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::GetTicketStatsRequest {
            workspace: session.workspace.clone(),
            start_time: session.instant(self.from.as_deref())?,
            end_time: session.instant(self.to.as_deref())?,
            basis: self.basis.wire().into(),
            group_by: self.by.iter().map(|by| by.wire().into()).collect(),
            time_zone: when::zone_name(&session.zone).to_owned(),
            as_of_time: session.instant(self.as_of.as_deref())?,
            include_nested: self.nested,
            min_revision: self.min_revision,
        };
        let answer = session.client.tickets().get_ticket_stats(timely(request)).await;
        let stats = answer.map_err(|status| session.failure(status))?.into_inner();
        if session.out.is_json() {
            return session.out.message("GetTicketStatsResponse", &stats);
        }
        session.out.table(&self.table(&stats), "no tickets in this period")
    }

    fn table(&self, stats: &v1::GetTicketStatsResponse) -> Table {
        let group = self.by.map_or("", GroupName::heading);
        let number = |heading| (heading, Align::Right);
        let mut columns = vec![(group, Align::Left), number("TICKETS"), ("", Align::Left)];
        columns.extend(["WITH IT", "MEDIAN", "P90", "P99", "MEAN"].map(number));
        let mut table = Table::new(&columns);
        for group in &stats.groups {
            rows(&mut table, &self.key(group), group.stats.as_ref());
        }
        rows(&mut table, "all", stats.total.as_ref());
        table
    }

    fn key(&self, group: &v1::get_ticket_stats_response::Group) -> String {
        let key = match self.by {
            Some(GroupName::Assignee) => words::assignee(group.assignee.as_ref()),
            Some(GroupName::Channel) => group.channel.clone(),
            Some(GroupName::Topic) => group.topic.clone(),
            _ => actor(group.actor.as_ref()),
        };
        if key.is_empty() { "(none)".to_owned() } else { key }
    }
}

/// Two rows: first response, resolution.
fn rows(table: &mut Table, key: &str, stats: Option<&v1::TicketStats>) {
    let Some(stats) = stats else { return };
    let plain = |text: String| (Style::Plain, text);
    for (first, what, of) in [(true, "first response", &stats.first_response), (false, "resolution", &stats.resolution)]
    {
        let of = of.unwrap_or_default();
        let shown = |text: String| if first { text } else { String::new() };
        table.row([
            (Style::Strong, shown(key.to_owned())),
            (Style::Strong, shown(stats.count.to_string())),
            (Style::Dim, what.to_owned()),
            plain(of.count.to_string()),
            plain(words::duration(of.median.as_ref())),
            plain(words::duration(of.p90.as_ref())),
            plain(words::duration(of.p99.as_ref())),
            plain(words::duration(of.mean.as_ref())),
        ]);
    }
}
