use clap::{Parser, Subcommand, ValueEnum};

use crate::view::ViewArguments;

/// Measure Threadmark beside the bare thing.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
pub(crate) struct Arguments {
    /// Measure these alone, separated by commas
    #[arg(long = "rows", value_name = "NAME", value_enum, value_delimiter = ',')]
    chosen: Vec<Row>,
    /// Smaller counts: some three minutes instead of some twenty
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Let the server sync every append to the disk, as in production, instead of every two minutes
    #[arg(long)]
    pub(crate) sync_always: bool,
    /// How many messages the view holds that pages of the console are made of [default: 1000000, or 100000 if quick]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    pub(crate) messages: Option<u64>,
    #[command(subcommand)]
    pub(crate) child: Option<ChildArguments>,
}

/// What the program asks of itself.
#[derive(Subcommand)]
pub(crate) enum ChildArguments {
    /// Be a projection in a process of its own
    #[command(hide = true)]
    View(ViewArguments),
    /// Be a process with an index of the bot's knowledge
    #[command(hide = true)]
    Index { url: String },
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Row {
    /// Webhook items a second, with bodies of 1 and of 100 items
    Webhook,
    /// How long a webhook waits for its answer at moderate load
    Ack,
    /// From a webhook to whoever watches the timeline
    Watch,
    /// Decisions a second with 1, 4 and 16 writers
    Decisions,
    /// Events a second through 1, 100 and 1,000 rules
    Rules,
    /// From a message to the decision of a rule
    Reaction,
    /// Events a second of trying 20 rules on the past
    Backtest,
    /// Turns a second of the bot, and how long its replies take
    Bot,
    /// Time and memory that an index of the bot's knowledge takes
    Knowledge,
    /// Messages a second that go out, to 1, 10 and 1,000 recipients
    Delivery,
    /// Events a second that are posted to who subscribed
    Webhooks,
    /// Events a second of building the view anew, with each engine
    Rebuild,
    /// How long queries take over a year of tickets
    Queries,
    /// Memory and disk of the view, with each engine
    Memory,
    /// How long pages of the console take over a million messages, and how much they weigh
    Console,
}

impl Arguments {
    /// What to measure: all of it unless some was chosen.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = if self.chosen.is_empty() { Row::value_variants().to_vec() } else { self.chosen.clone() };
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}
