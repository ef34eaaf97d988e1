//! What rules did about events, and why.

use maud::{Markup, html};
use proto::v1;
use v1::run::Outcome;

use crate::session::Who;
use crate::words;

/// Runs, newest first.
pub(super) fn list(runs: &[v1::Run], who: &Who) -> Markup {
    html! {
        @if runs.is_empty() { p { "No run yet." } }
        div.wide { table {
            tbody { @for run in runs { tr {
                td { (words::minute(run.time.as_ref(), &who.zone)) }
                td {
                    b { bdi { (run.rule) } } " " (outcome(run.outcome())) br;
                    span.hint { "on " (run.trigger) @if !run.conversation_id.is_empty() { " in " a href={ "/c/" (run.conversation_id) } { "this chat" } } }
                    @if !run.reason.is_empty() { p { (run.reason) } }
                    @if !run.actions.is_empty() { ul { @for action in &run.actions { li { code { (action.action) } " " (action.detail) } } } }
                }
            } } }
        } }
    }
}

fn outcome(outcome: Outcome) -> Markup {
    let (class, words) = match outcome {
        Outcome::Done => ("good", "done"),
        Outcome::NotMatched => ("", "not matched"),
        Outcome::Refused => ("bad", "refused"),
        Outcome::Skipped => ("", "skipped"),
        Outcome::Failed => ("bad", "failed"),
        Outcome::Waiting => ("", "waiting"),
        Outcome::Unspecified => ("", "?"),
    };
    html! { span class={ "outcome " (class) } { (words) } }
}
