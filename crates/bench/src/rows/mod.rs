//! What is measured, each in a file of its own.

mod automation;
mod backtest;
pub(crate) mod bot;
mod console;
mod decisions;
mod delivery;
mod history;
mod queries;
mod rebuild;
mod watch;
mod webhook;

use std::time::Duration;

use anyhow::Context as _;
use bus::Bus;
use testkit::NatsServer;

use crate::arguments::{Arguments, Row};
use crate::progress::Progress;
use crate::table::Table;

/// No single round takes this long, however slow the machine: whoever waits longer waits in vain.
const ROUND: Duration = Duration::from_secs(600);

/// A run.
pub(crate) struct Bench {
    quick: bool,
    sync_always: bool,
    messages: Option<u64>,
    progress: Progress,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments) -> Bench {
        let Arguments { quick, sync_always, messages, .. } = *arguments;
        Bench { quick, sync_always, messages, progress: Progress::start() }
    }

    /// Measures these.
    pub(crate) async fn run(self, rows: &[Row]) -> anyhow::Result<Table> {
        let mut table = Table::new(self.conditions());
        for row in rows {
            match row {
                Row::Webhook => webhook::speed(&self, &mut table).await.context("webhook")?,
                Row::Ack => webhook::ack(&self, &mut table).await.context("ack")?,
                Row::Watch => watch::measure(&self, &mut table).await.context("watch")?,
                Row::Decisions => decisions::measure(&self, &mut table).await.context("decisions")?,
                Row::Rules => automation::speed(&self, &mut table).await.context("rules")?,
                Row::Reaction => automation::reaction(&self, &mut table).await.context("reaction")?,
                Row::Backtest => backtest::measure(&self, &mut table).await.context("backtest")?,
                Row::Bot => bot::measure(&self, &mut table).await.context("bot")?,
                Row::Console => console::measure(&self, &mut table).await.context("console")?,
                Row::Knowledge => bot::knowledge(&self, &mut table).await.context("knowledge")?,
                Row::Delivery => delivery::sends(&self, &mut table).await.context("delivery")?,
                Row::Webhooks => delivery::posts(&self, &mut table).await.context("webhooks")?,
                Row::Rebuild | Row::Queries | Row::Memory => {}
            }
        }
        if rows.iter().any(|row| matches!(row, Row::Rebuild | Row::Queries | Row::Memory)) {
            history::measure(&self, rows, &mut table).await?;
        }
        self.progress.clear();
        Ok(table)
    }

    fn conditions(&self) -> Vec<String> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let counts = if self.quick { "quick counts" } else { "full counts" };
        let sync = if self.sync_always { "every append synced" } else { "synced every 2 minutes (its default)" };
        vec![
            format!("Threadmark beside the bare thing: {counts}, interleaved, medians of {}.", crate::measure::ROUNDS),
            format!("nats-server {} on the same {cores} cores, 1 replica, {sync}. Trust the ratios.", server_version()),
            "A ratio is the median of the rounds' own ratios.".to_owned(),
        ]
    }

    /// The full count, or the quick one.
    fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    fn say(&self, step: &str) {
        self.progress.say(step);
    }

    /// A server of its own with our streams, and a connection to it.
    async fn server(&self) -> anyhow::Result<(NatsServer, Bus)> {
        let builder = NatsServer::builder();
        let server = if self.sync_always { builder.sync_always() } else { builder }.start().await;
        let bus = Bus::connect(&bus::Options::new(server.url())).await?;
        bus.ensure_streams().await?;
        Ok((server, bus))
    }
}

/// What a round yields, unless it hangs.
async fn round<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(ROUND, work).await.context("a round took too long")?
}

fn server_version() -> String {
    let printed = testkit::nats_server_binary()
        .ok()
        .and_then(|binary| std::process::Command::new(binary).arg("--version").output().ok())
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    printed.as_deref().and_then(|text| text.trim().rsplit_once('v')).map_or("?", |(_, version)| version).to_owned()
}
