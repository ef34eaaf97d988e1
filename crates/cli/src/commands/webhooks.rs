//! Who is told of events by HTTP.

use clap::{Args, Subcommand};
use proto::v1;
use proto::v1::webhook_delivery::Outcome;

use super::answer;
use crate::client::timely;
use crate::draw::{Align, Style, Table};
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark webhooks add https://example.com/hook ticket.opened ticket.closed    # prints the secret, this once
  threadmark webhooks                             # all of them, and since when one fails
  threadmark webhooks test 4kD9                   # posts a webhook.test now
  threadmark webhooks log 4kD9                    # what was tried of late, and what was answered
  threadmark webhooks replay 4kD9 --after 12000   # posts again what the log holds after a revision
Receivers verify signatures as Standard Webhooks lays down: docs/webhooks.md.";

/// Posts events to other systems: lists subscriptions, adds, tests, replays or removes them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Webhooks {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List them
    List,
    /// Subscribe a URL to event types
    Add(Add),
    /// Remove one; what was not posted yet never is
    Remove(One),
    /// Post again from now on
    Enable(One),
    /// Post nothing until it is enabled
    Disable(One),
    /// Post a webhook.test once, and say what came of it
    Test(One),
    /// Post again what the log holds
    Replay(Replay),
    /// Show what was tried, newest first
    Log(Log),
}

#[derive(Debug, Args)]
struct Add {
    /// http or https, at most 2,048 bytes
    url: String,
    /// As in "message.received"; "*" for all
    #[arg(value_name = "EVENT", required = true)]
    events: Vec<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
}

#[derive(Debug, Args)]
struct One {
    /// Its id, as the list shows it
    id: String,
}

#[derive(Debug, Args)]
struct Replay {
    /// Its id, as the list shows it
    id: String,
    /// What stands in the log after this revision is posted again
    #[arg(long, value_name = "REVISION")]
    after: i64,
}

#[derive(Debug, Args)]
struct Log {
    /// Its id, as the list shows it
    id: String,
    /// Tries at most, 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    limit: i32,
}

impl Webhooks {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self.what.unwrap_or(What::List) {
            What::List => list(session).await,
            What::Add(add) => add.run(session).await,
            What::Remove(one) => one.remove(session).await,
            What::Enable(one) => one.enable(session, true).await,
            What::Disable(one) => one.enable(session, false).await,
            What::Test(one) => one.test(session).await,
            What::Replay(replay) => replay.run(session).await,
            What::Log(log) => log.run(session).await,
        }
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let request = v1::ListWebhooksRequest { workspace: session.workspace.clone() };
    let answer = session.client.webhooks().list_webhooks(timely(request)).await;
    let found = answer.map_err(|status| session.failure(status))?.into_inner();
    let mut table = Table::new(&[
        ("WEBHOOK", Align::Whole),
        ("STATE", Align::Left),
        ("URL", Align::Left),
        ("EVENTS", Align::Left),
        ("FOR", Align::Left),
    ]);
    for webhook in &found.webhooks {
        if session.out.is_json() {
            session.out.message("Webhook", webhook)?;
        } else {
            table.row([
                (Style::Plain, webhook.id.clone()),
                (Style::Plain, state(session, webhook)),
                (Style::Plain, webhook.url.clone()),
                (Style::Plain, webhook.events.join(", ")),
                (Style::Plain, webhook.description.clone()),
            ]);
        }
    }
    if session.out.is_json() { Ok(()) } else { session.out.table(&table, "no webhooks: add one with 'webhooks add'") }
}

fn state(session: &Session, webhook: &v1::Webhook) -> String {
    match (&webhook.failing_since, webhook.enabled) {
        (_, false) if webhook.disabled_reason.is_empty() => "disabled".to_owned(),
        (_, false) => format!("disabled: {}", webhook.disabled_reason),
        (Some(since), true) => format!("failing since {}", session.recent(Some(since))),
        (None, true) => "enabled".to_owned(),
    }
}

impl Add {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::CreateWebhookRequest {
            workspace: session.workspace.clone(),
            url: self.url,
            events: self.events,
            description: self.description,
        };
        let made = session.client.webhooks().create_webhook(timely(request)).await;
        let made = made.map_err(|status| session.failure(status))?.into_inner();
        let id = made.webhook.as_ref().map(|webhook| webhook.id.as_str()).unwrap_or_default();
        let words = format!("webhook {id} is added; its secret, shown this once: {}", made.secret);
        answer(session, "CreateWebhookResponse", &made, &words)
    }
}

impl One {
    async fn remove(self, session: &Session) -> Result<(), Failure> {
        let words = format!("webhook {} is removed", self.id);
        let request = v1::DeleteWebhookRequest { workspace: session.workspace.clone(), id: self.id };
        let done = session.client.webhooks().delete_webhook(timely(request)).await;
        answer(session, "DeleteWebhookResponse", &done.map_err(|status| session.failure(status))?.into_inner(), &words)
    }

    async fn enable(self, session: &Session, enabled: bool) -> Result<(), Failure> {
        let words = format!("webhook {} is {}", self.id, if enabled { "enabled" } else { "disabled" });
        let request = v1::UpdateWebhookRequest {
            workspace: session.workspace.clone(),
            id: self.id,
            enabled: Some(enabled),
            ..v1::UpdateWebhookRequest::default()
        };
        let done = session.client.webhooks().update_webhook(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "UpdateWebhookResponse", &done, &words)
    }

    async fn test(self, session: &Session) -> Result<(), Failure> {
        let request = v1::TestWebhookRequest { workspace: session.workspace.clone(), id: self.id };
        let done = session.client.webhooks().test_webhook(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "TestWebhookResponse", &done, &done.detail)?;
        match done.delivered {
            true => Ok(()),
            false => Err(Failure::Failed("the test was not taken".to_owned())),
        }
    }
}

impl Replay {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::ReplayWebhookRequest {
            workspace: session.workspace.clone(),
            id: self.id.clone(),
            after_revision: self.after,
        };
        let done = session.client.webhooks().replay_webhook(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        let more = match done.next_revision {
            0 => String::new(),
            next => format!("; for the rest: threadmark webhooks replay {} --after {next}", self.id),
        };
        let words = format!("{} events will be posted{more}", done.event_count);
        answer(session, "ReplayWebhookResponse", &done, &words)
    }
}

impl Log {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::ListWebhookDeliveriesRequest {
            workspace: session.workspace.clone(),
            id: self.id,
            page_size: self.limit,
        };
        let answer = session.client.webhooks().list_webhook_deliveries(timely(request)).await;
        let found = answer.map_err(|status| session.failure(status))?.into_inner();
        let mut table = Table::new(&[
            ("TIME", Align::Left),
            ("EVENT", Align::Left),
            ("REVISION", Align::Right),
            ("TRY", Align::Right),
            ("OUTCOME", Align::Left),
            ("ANSWER", Align::Left),
            ("AGAIN", Align::Left),
        ]);
        for delivery in &found.deliveries {
            if session.out.is_json() {
                session.out.message("WebhookDelivery", delivery)?;
            } else {
                table.row(row(session, delivery));
            }
        }
        if session.out.is_json() {
            Ok(())
        } else {
            session.out.table(&table, "nothing was tried in the last seven days")
        }
    }
}

fn row(session: &Session, delivery: &v1::WebhookDelivery) -> [(Style, String); 7] {
    let outcome = match delivery.outcome() {
        Outcome::Delivered => "delivered",
        Outcome::Failed => "failed",
        Outcome::GaveUp => "gave up",
        Outcome::Unspecified => "",
    };
    [
        (Style::Plain, session.recent(delivery.time.as_ref())),
        (Style::Plain, delivery.r#type.clone()),
        (Style::Plain, delivery.revision.to_string()),
        (Style::Plain, delivery.attempt.to_string()),
        (Style::Plain, outcome.to_owned()),
        (Style::Plain, delivery.detail.clone()),
        (Style::Plain, delivery.next_time.as_ref().map(|time| session.recent(Some(time))).unwrap_or_default()),
    ]
}
