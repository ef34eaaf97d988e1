//! The numbers of a period, and how they are shown.

use std::collections::BTreeMap;

use maud::{Markup, html};
use proto::v1;
use tonic::Status;
use v1::{Basis, GroupBy};

use super::asked::{Asked, actor_key, assignee_key};
use super::plot::plot;
use crate::services::{Services, Staff};
use crate::session::encode;
use crate::words;

/// Rows of the table; the export has them all.
const ROWS: usize = 200;

/// All numbers of a period.
pub(crate) struct Figures {
    opened: v1::CountTicketsResponse,
    closed: v1::CountTicketsResponse,
    during: v1::CountTicketsResponse,
    by_time: v1::CountTicketsResponse,
    by_value: v1::CountTicketsResponse,
    stats: v1::GetTicketStatsResponse,
}

impl Figures {
    /// Asks for them, all at once.
    pub(crate) async fn load(services: &Services, asked: &Asked) -> Result<Figures, Status> {
        let count = |basis, group_by: Vec<GroupBy>| {
            let (mut tickets, request) = (services.tickets(), asked.count(basis, &group_by));
            async move { Ok::<_, Status>(tickets.count_tickets(request).await?.into_inner()) }
        };
        let time = if asked.hours { GroupBy::Hour } else { GroupBy::Day };
        let mut tickets = services.tickets();
        let (opened, closed, during, by_time, by_value, stats) = tokio::try_join!(
            count(Basis::Opened, Vec::new()),
            count(Basis::Closed, Vec::new()),
            count(Basis::OpenDuring, Vec::new()),
            count(asked.basis.2, vec![time]),
            count(asked.basis.2, vec![asked.by.2]),
            tickets.get_ticket_stats(asked.stats()),
        )?;
        Ok(Figures { opened, closed, during, by_time, by_value, stats: stats.into_inner() })
    }

    /// The big numbers.
    pub(crate) fn totals(&self, asked: &Asked) -> Markup {
        let bases = [(0, &self.opened), (1, &self.closed), (2, &self.during)];
        let total = self.stats.total.unwrap_or_default();
        html! {
            div.figures {
                @for (at, counts) in bases {
                    @let of = Asked { basis: &super::asked::BASES[at], only: None, ..asked.clone() };
                    section.box.figure {
                        h2 { (asked.t(of.basis.1)) }
                        p.big { a href={ "/tickets?" (Asked { nested: false, ..of.clone() }.query()) } data-figure=(of.basis.0) { (counts.primary_count) } }
                        p.hint { (asked.t("and")) " " a href={ "/tickets?" (Asked { nested: true, ..of.clone() }.query()) } { (counts.nested_count) " " (asked.t("nested")) } }
                    }
                }
                section.box.figure { h2 { (asked.t("First response")) } (durations(asked, total.first_response.as_ref())) }
                section.box.figure { h2 { (asked.t("Resolution")) } (durations(asked, total.resolution.as_ref())) }
            }
        }
    }

    /// By day or hour.
    pub(crate) fn plot(&self, asked: &Asked) -> Markup {
        html! {
            section.box {
                h2 { (asked.t(asked.basis.1)) ", " (if asked.hours { asked.t("by hour") } else { asked.t("by day") }) }
                p.legend { span { i.primary {} (asked.t("tickets")) } span { i.nested {} (asked.t("nested")) } }
                (plot(&self.by_time.groups, asked))
            }
        }
    }

    /// By the dimension that was chosen.
    pub(crate) fn table(&self, asked: &Asked, staff: &Staff) -> Markup {
        let stats: BTreeMap<&str, &v1::TicketStats> =
            self.stats.groups.iter().filter_map(|group| Some((group.key.as_str(), group.stats.as_ref()?))).collect();
        let mut groups: Vec<_> = self.by_value.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse((group.primary_count, group.nested_count)));
        html! {
            section.box {
                h2 { (asked.t(asked.basis.1)) " – " (asked.t(asked.by.1)) }
                div.wide { table {
                    thead { tr {
                        th { (asked.t(asked.by.1)) } th.num { (asked.t("Tickets")) } th.num { (asked.t("nested")) }
                        th.num { (asked.t("First response")) br; (asked.t("median")) } th.num { "90 %" } th.num { (asked.t("Resolution")) br; (asked.t("median")) } th.num { "90 %" } th.num { "99 %" }
                    } }
                    tbody {
                        @for group in groups.iter().take(ROWS) {
                            @let stats = stats.get(group.key.as_str());
                            @let (first, took) = (stats.and_then(|stats| stats.first_response.as_ref()), stats.and_then(|stats| stats.resolution.as_ref()));
                            @let link = |nested| format!("/tickets?{}", Asked { nested, only: Some((asked.by.0.to_owned(), key(group, asked.by.2))), ..asked.clone() }.query());
                            tr {
                                th scope="row" { bdi { (name(group, asked, staff)) } }
                                td.num { a href=(link(false)) { (group.primary_count) } }
                                td.num { a href=(link(true)) { (group.nested_count) } }
                                td.num { (of(asked, first, |stats| stats.median.as_ref())) } td.num { (of(asked, first, |stats| stats.p90.as_ref())) }
                                td.num { (of(asked, took, |stats| stats.median.as_ref())) } td.num { (of(asked, took, |stats| stats.p90.as_ref())) } td.num { (of(asked, took, |stats| stats.p99.as_ref())) }
                            }
                        }
                        @if groups.is_empty() { tr { td colspan="8" { (asked.t("No tickets in this period.")) } } }
                    }
                } }
                @if groups.len() > ROWS { p.hint { (asked.zone.lang.fill("And {} more.", &[&(groups.len() - ROWS).to_string()])) } }
                p.hint {
                    (asked.t("Download the tickets:")) " " a href={ "/tickets.csv?" (export(asked)) } { "CSV" } ", " a href={ "/tickets.jsonl?" (export(asked)) } { "JSON Lines" } ". " (asked.t("Percentiles are at most 1 % off."))
                }
            }
        }
    }
}

/// An export has nested tickets, too, each on a row of its own.
fn export(asked: &Asked) -> String {
    Asked { nested: true, ..asked.clone() }.query()
}

fn durations(asked: &Asked, stats: Option<&v1::DurationStats>) -> Markup {
    html! {
        p.big { (of(asked, stats, |stats| stats.median.as_ref())) }
        p.hint { (asked.zone.lang.fill("median of {}, 90 % in {}, 99 % in {}", &[&stats.map_or(0, |stats| stats.count).to_string(), &of(asked, stats, |stats| stats.p90.as_ref()), &of(asked, stats, |stats| stats.p99.as_ref())])) }
    }
}

/// A length of time, or a dash where no ticket has one.
fn of(
    asked: &Asked,
    stats: Option<&v1::DurationStats>,
    which: impl Fn(&v1::DurationStats) -> Option<&prost_types::Duration>,
) -> String {
    let shown = words::duration(stats.filter(|stats| stats.count > 0).and_then(which), asked.zone.lang);
    if shown.is_empty() { "–".to_owned() } else { shown }
}

fn key(group: &v1::count_tickets_response::Group, by: GroupBy) -> String {
    match by {
        GroupBy::Opener | GroupBy::Closer => actor_key(group.actor.as_ref()),
        GroupBy::Assignee => assignee_key(group.assignee.as_ref()),
        GroupBy::Channel => group.channel.clone(),
        _ => group.topic.clone(),
    }
}

fn name(group: &v1::count_tickets_response::Group, asked: &Asked, staff: &Staff) -> String {
    let by = asked.by.2;
    let name = match by {
        GroupBy::Opener | GroupBy::Closer => {
            group.actor.as_ref().map(|actor| words::actor(Some(actor), asked.zone.lang).to_owned())
        }
        GroupBy::Assignee => Some(staff.assignee(group.assignee.as_ref(), asked.zone.lang)),
        GroupBy::Channel => Some(group.channel.clone()),
        _ => Some(group.topic.clone()),
    };
    match name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None if by == GroupBy::Topic => asked.t("no topic").to_owned(),
        None => asked.t("nobody").to_owned(),
    }
}

/// The zone's name in an address.
pub(crate) fn zone(asked: &Asked) -> String {
    encode(asked.zone_name())
}
