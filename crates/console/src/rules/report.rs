//! What a draft would have done, beside what happened.

use maud::{Markup, html};
use proto::v1;
use v1::backtest_report::RuleReport;

use crate::words;

/// Conditions shown of a rule that did not match.
const CONDITIONS: usize = 3;

/// The report.
pub(super) fn report(report: &v1::BacktestReport) -> Markup {
    let (actual, simulated) = (report.actual.clone().unwrap_or_default(), report.simulated.clone().unwrap_or_default());
    html! {
        p { b { (report.events) } " events in the period, tried in " (words::duration(report.took.as_ref())) ". Nothing was touched." }
        div.wide { table {
            thead { tr { th { "Rule" } th.num { "Judged" } th.num { "Matched" } th.num { "Opened" } th.num { "Closed" } th.num { "Messages" } th.num { "Refused" } th.num { "Skipped" } } }
            tbody { @for rule in &report.rules { (row(rule)) } }
        } }
        div.wide { table {
            thead { tr { th { "In the period" } th.num { "As it was" } th.num { "With the draft" } th.num { "Difference" } } }
            tbody {
                (against("Tickets opened", actual.tickets_opened, simulated.tickets_opened))
                (against("Tickets closed", actual.tickets_closed, simulated.tickets_closed))
                (against("Messages of rules", actual.messages_sent, simulated.messages_sent))
            }
        } }
        @if report.conversations_different > 0 {
            details {
                summary { (report.conversations_different) " conversations differ" }
                ul { @for difference in &report.differences { (differs(difference)) } }
            }
        }
        @for note in &report.notes { p.hint { (note) } }
        @if report.left_out > 0 { p.hint { (report.left_out) " deeds of agents and the bot had nothing to act on, and were left out." } }
    }
}

fn row(rule: &RuleReport) -> Markup {
    html! {
        tr {
            th scope="row" {
                bdi { (rule.rule) }
                @for missed in rule.not_matched.iter().take(CONDITIONS) { br; span.hint { "false " (missed.count) " times: " code { (missed.condition) } } }
            }
            td.num { (rule.events) } td.num { (rule.matches) } td.num { (rule.tickets_opened) } td.num { (rule.tickets_closed) }
            td.num { (rule.messages_sent) } td.num { (rule.refused) } td.num { (rule.skipped) }
        }
    }
}

fn against(what: &str, actual: i64, simulated: i64) -> Markup {
    html! { tr { th scope="row" { (what) } td.num { (actual) } td.num { (simulated) } td.num { (format!("{:+}", simulated - actual)) } } }
}

fn differs(difference: &v1::BacktestDifference) -> Markup {
    let opened = |counts: Option<&v1::BacktestCounts>| counts.map_or(0, |counts| counts.tickets_opened);
    let (actual, simulated) = (opened(difference.actual.as_ref()), opened(difference.simulated.as_ref()));
    html! { li { a href={ "/c/" (difference.conversation_id) } { "this chat" } ": " (actual) " tickets opened, " (simulated) " with the draft" } }
}
