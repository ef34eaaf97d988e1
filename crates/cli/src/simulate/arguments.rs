use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use service::access::Bearer;
use service::{Secret, Shutdown};

use super::{Error, Limit, Manner, Options, Simulator, Summary, progress};
use crate::args::Globals;
use crate::commands::facts;
use crate::failure::Failure;
use crate::output::Output;
use crate::when;

const EXAMPLES: &str = "\
Examples:
  threadmark simulate --natural                          # a handful of people, until Ctrl-C
  threadmark simulate --rate 200 --duration 1m --customers 500
  threadmark simulate --messages 10000 --rate 0 --batch 100 --seed 7 --json
The same seed says the same under the same ids. What is not answered 200 is sent again, through restarts of the server.";

/// Lets customers write through signed webhooks, and agents answer.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where webhooks are taken; /webhooks/whatsapp/WORKSPACE is added
    #[arg(long, value_name = "URL", env = "THREADMARK_HTTP_URL", default_value = "http://127.0.0.1:7080")]
    http: String,
    /// The app_secret of the channel [default: the demo's]
    #[arg(long, value_name = "SECRET", env = "THREADMARK_APP_SECRET", hide_env_values = true, default_value = super::DEMO_SECRET, hide_default_value = true)]
    secret: String,
    /// The channel's id of the number that customers write to
    #[arg(long, value_name = "ID", default_value = super::DEMO_NUMBER)]
    phone_number_id: String,
    /// Messages of customers a second; 0 for as fast as they are taken
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    rate: f64,
    /// Written stories at the pace of people instead
    #[arg(long, conflicts_with = "rate")]
    natural: bool,
    /// Times the pace of people
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, requires = "natural")]
    speed: f64,
    /// What decides who says what [default: another each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many customers write
    #[arg(long, value_name = "N", default_value_t = 50)]
    customers: u32,
    /// End after so many messages of customers
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// End after so long: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = when::length)]
    duration: Option<Duration>,
    /// Items in one body at most
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Bodies under way at once
    #[arg(long, value_name = "N", default_value_t = 32)]
    concurrency: usize,
    /// The share of bodies that come again although they were answered
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    duplicates: f64,
    /// The share of stories that no agent reacts to
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    unanswered: f64,
    /// Customers alone
    #[arg(long)]
    no_agents: bool,
    /// No reports about what became of agents' messages
    #[arg(long)]
    no_statuses: bool,
}

impl Arguments {
    fn options(self, globals: &Globals) -> Result<Options, Failure> {
        Ok(Options {
            webhook_url: webhook_url(&self.http, &globals.workspace)?,
            secret: Secret::new(self.secret),
            phone_number_id: self.phone_number_id,
            server: (!self.no_agents).then(|| globals.server.clone()),
            access: if self.no_agents { Bearer::none().into() } else { globals.access()? },
            workspace: globals.workspace.clone(),
            seed: self.seed.unwrap_or_else(|| fastrand::u64(0..1_000_000)),
            customers: self.customers,
            limit: Limit { messages: self.messages, duration: self.duration },
            manner: match self.natural {
                true => Manner::Natural { speed: self.speed },
                false => Manner::Steady { rate: self.rate },
            },
            batch: self.batch,
            concurrency: self.concurrency,
            duplicates: self.duplicates,
            unanswered: self.unanswered,
            statuses: !self.no_statuses,
            bot: true,
            keep_ids: false,
        })
    }
}

/// The webhook of a workspace; an address that has a path already is taken as it is.
fn webhook_url(http: &str, workspace: &str) -> Result<String, Failure> {
    let address = if http.contains("://") { http.to_owned() } else { format!("http://{http}") };
    let mut url = reqwest::Url::parse(&address)
        .map_err(|error| Failure::Usage(format!("{http:?} is no address: {error}. Say http://HOST:PORT")))?;
    if url.path() == "/" {
        url.set_path(&format!("/webhooks/whatsapp/{workspace}"));
    }
    Ok(url.into())
}

/// Runs a simulation for whoever types it.
///
/// # Errors
/// [`Failure`]: an option that can't be, a webhook that refuses, or messages that nobody acknowledged.
pub(crate) async fn command(arguments: Arguments, globals: &Globals, out: &Output) -> Result<ExitCode, Failure> {
    let options = arguments.options(globals)?;
    let limit = options.limit;
    out.remark(&format!("seed {}, to {}; Ctrl-C ends it", options.seed, options.webhook_url));
    let simulator = Simulator::new(options).map_err(failure)?;
    let shutdown =
        Shutdown::on_signals().map_err(|error| Failure::Failed(format!("can't listen to signals: {error}")))?;
    let tally = simulator.tally();
    let show = async move {
        match out.is_json() {
            true => std::future::pending().await,
            false => progress::show(tally, limit).await,
        }
    };
    let summary = tokio::select! {
        summary = simulator.run(shutdown) => summary.map_err(failure)?,
        () = show => return Ok(ExitCode::FAILURE),
    };
    tell(out, &summary)?;
    match summary.messages_sent - summary.messages_acknowledged {
        0 => Ok(ExitCode::SUCCESS),
        lost => {
            Err(Failure::Failed(format!("{lost} messages were not acknowledged before the end: is the server up?")))
        }
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Option(_) => Failure::Usage(error.to_string()),
        Error::Refused { .. } => Failure::Failed(error.to_string()),
    }
}

fn tell(out: &Output, summary: &Summary) -> Result<(), Failure> {
    if out.is_json() {
        return out.object(summary);
    }
    let of = |done: u64, all: u64| format!("{done} of {all} acknowledged");
    facts(
        out,
        &[
            ("seed", summary.seed.to_string()),
            ("took", format!("{:.1} s", summary.seconds)),
            ("messages", of(summary.messages_acknowledged, summary.messages_sent)),
            ("rate", format!("{:.1} messages/s", summary.messages_per_second)),
            ("statuses", of(summary.statuses_acknowledged, summary.statuses_sent)),
            ("copies", format!("{} acknowledged again", summary.copies_acknowledged)),
            ("bodies", format!("{} answered 200, {} attempts repeated", summary.bodies_acknowledged, summary.retries)),
            ("answered in", format!("{:.1} ms p50, {:.1} ms p99", summary.answer_ms_p50, summary.answer_ms_p99)),
            (
                "commands",
                format!(
                    "{} done, {} refused, {} given up",
                    summary.commands_done, summary.commands_refused, summary.commands_given_up
                ),
            ),
            ("tickets", format!("{} opened, {} closed", summary.tickets_opened, summary.tickets_closed)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::webhook_url;

    #[test]
    fn the_workspace_names_the_webhook() {
        assert_eq!(webhook_url("127.0.0.1:7080", "demo").unwrap(), "http://127.0.0.1:7080/webhooks/whatsapp/demo");
        assert_eq!(webhook_url("http://h/webhooks/whatsapp", "demo").unwrap(), "http://h/webhooks/whatsapp");
        assert!(webhook_url("http://", "demo").is_err());
    }
}
