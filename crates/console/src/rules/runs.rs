//! What rules did about events, and why.

use maud::{Markup, html};
use proto::v1;
use v1::run::Outcome;

use crate::lang::word;
use crate::session::Who;
use crate::words;

/// Runs, newest first.
pub(super) fn list(runs: &[v1::Run], who: &Who) -> Markup {
    html! {
        @if runs.is_empty() { p { (who.t("No run yet.")) } }
        div.wide { table {
            tbody { @for run in runs { tr {
                td { (words::minute(run.time.as_ref(), &who.zone)) }
                td {
                    b { bdi { (run.rule) } } " " (outcome(who, run.outcome())) br;
                    span.hint { (run.trigger) @if !run.conversation_id.is_empty() { ", " a href={ "/c/" (run.conversation_id) } { (who.t("this chat")) } } }
                    @if !run.reason.is_empty() { p { (run.reason) } }
                    @if !run.actions.is_empty() { ul { @for action in &run.actions { li { code { (action.action) } " " (action.detail) } } } }
                }
            } } }
        } }
    }
}

fn outcome(who: &Who, outcome: Outcome) -> Markup {
    let (class, words) = match outcome {
        Outcome::Done => ("good", word("done")),
        Outcome::NotMatched => ("", word("not matched")),
        Outcome::Refused => ("bad", word("refused")),
        Outcome::Skipped => ("", word("skipped")),
        Outcome::Failed => ("bad", word("failed")),
        Outcome::Waiting => ("", word("waiting")),
        Outcome::Unspecified => ("", "?"),
    };
    html! { span class={ "outcome " (class) } { (who.t(words)) } }
}
