use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Limit;
use super::tally::Tally;

const EVERY: Duration = Duration::from_millis(200);

/// Shows how far a simulation has come until it is dropped: messages, their rate, agents' work, what went wrong.
pub(super) async fn show(tally: Arc<Tally>, limit: Limit) {
    let bar = bar(limit);
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let work = format!(
            "{} commands, {} tickets opened, {} closed",
            tally.commands_done.get(),
            tally.tickets_opened.get(),
            tally.tickets_closed.get(),
        );
        let bad = [
            ("retries", tally.retries.get()),
            ("refused", tally.commands_refused.get()),
            ("given up", tally.commands_given_up.get()),
        ];
        let bad: String =
            bad.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!(", {count} {what}")).collect();
        bar.set_position(tally.messages_acknowledged.get());
        bar.set_message(format!("{work}{bad}"));
    }
}

fn bar(limit: Limit) -> ProgressBar {
    let (bar, template) = match limit.messages {
        Some(messages) => (
            ProgressBar::new(messages),
            "{elapsed} {bar:24} {human_pos}/{human_len} messages, {per_sec}, {eta} left; {msg}",
        ),
        None => (ProgressBar::no_length(), "{elapsed} {spinner} {human_pos} messages, {per_sec}; {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
