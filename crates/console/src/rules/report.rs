//! What a draft would have done, beside what happened.

use maud::{Markup, html};
use proto::v1;
use v1::backtest_report::RuleReport;

use crate::session::Who;
use crate::words;

/// Conditions shown of a rule that did not match.
const CONDITIONS: usize = 3;

/// The report.
pub(super) fn report(who: &Who, report: &v1::BacktestReport) -> Markup {
    let (actual, simulated) = (report.actual.clone().unwrap_or_default(), report.simulated.clone().unwrap_or_default());
    html! {
        p { (who.fill("{} events in the period, tried in {}. Nothing was touched.", &[&report.events.to_string(), &words::duration(report.took.as_ref(), who.zone.lang)])) }
        div.wide { table {
            thead { tr { th { (who.t("Rule")) } th.num { (who.t("Judged")) } th.num { (who.t("Matched")) } th.num { (who.t("Opened")) } th.num { (who.t("Closed")) } th.num { (who.t("Messages")) } th.num { (who.t("Refused")) } th.num { (who.t("Skipped")) } } }
            tbody { @for rule in &report.rules { (row(who, rule)) } }
        } }
        div.wide { table {
            thead { tr { th { (who.t("In the period")) } th.num { (who.t("As it was")) } th.num { (who.t("With the draft")) } th.num { (who.t("Difference")) } } }
            tbody {
                (against(who.t("Tickets opened"), actual.tickets_opened, simulated.tickets_opened))
                (against(who.t("Tickets closed"), actual.tickets_closed, simulated.tickets_closed))
                (against(who.t("Messages of rules"), actual.messages_sent, simulated.messages_sent))
            }
        } }
        @if report.conversations_different > 0 {
            details {
                summary { (who.fill("{} conversations differ", &[&report.conversations_different.to_string()])) }
                ul { @for difference in &report.differences { (differs(who, difference)) } }
            }
        }
        @for note in &report.notes { p.hint { (note) } }
        @if report.left_out > 0 { p.hint { (who.fill("{} deeds of agents and the bot had nothing to act on, and were left out.", &[&report.left_out.to_string()])) } }
    }
}

fn row(who: &Who, rule: &RuleReport) -> Markup {
    html! {
        tr {
            th scope="row" {
                bdi { (rule.rule) }
                @for missed in rule.not_matched.iter().take(CONDITIONS) { br; span.hint { (who.fill("false {} times:", &[&missed.count.to_string()])) " " code { (missed.condition) } } }
            }
            td.num { (rule.events) } td.num { (rule.matches) } td.num { (rule.tickets_opened) } td.num { (rule.tickets_closed) }
            td.num { (rule.messages_sent) } td.num { (rule.refused) } td.num { (rule.skipped) }
        }
    }
}

fn against(what: &str, actual: i64, simulated: i64) -> Markup {
    html! { tr { th scope="row" { (what) } td.num { (actual) } td.num { (simulated) } td.num { (format!("{:+}", simulated - actual)) } } }
}

fn differs(who: &Who, difference: &v1::BacktestDifference) -> Markup {
    let opened = |counts: Option<&v1::BacktestCounts>| counts.map_or(0, |counts| counts.tickets_opened);
    let (actual, simulated) = (opened(difference.actual.as_ref()), opened(difference.simulated.as_ref()));
    html! { li { a href={ "/c/" (difference.conversation_id) } { (who.t("this chat")) } ": " (who.fill("{} tickets opened, {} with the draft", &[&actual.to_string(), &simulated.to_string()])) } }
}
