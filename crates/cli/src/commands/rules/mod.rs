//! Rules: what reacts to what happens.

mod backtest;
mod check;
mod file;
mod runs;
mod set;

use clap::Subcommand;

use crate::args::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// Rules: what reacts to what happens.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Check a file of rules, without a server
    Check(check::Check),
    /// Print the JSON Schema of rules, for editors
    Schema(check::Schema),
    /// Put a file of rules in force: all of it or nothing
    Apply(set::Apply),
    /// List the rules in force, by name
    List(set::List),
    /// Print a rule as it was written
    Show(set::Show),
    /// Let a rule react again
    Enable(set::Enable),
    /// Let a rule stand without reacting
    Disable(set::Disable),
    /// Delete a rule
    Delete(set::Delete),
    /// Try a draft on what happened, touching nothing
    Backtest(backtest::Backtest),
    /// Show what rules did and why, newest first
    Runs(runs::Runs),
    /// Run a rule by hand: a shortcut
    Run(runs::Run),
}

impl Rules {
    pub(crate) async fn run(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        let session = match self {
            Rules::Check(check) => return check.run(&out),
            Rules::Schema(schema) => return schema.run(&out),
            _ => Session::open(globals, out).await?,
        };
        match self {
            Rules::Apply(apply) => apply.run(&session).await,
            Rules::List(list) => list.run(&session).await,
            Rules::Show(show) => show.run(&session).await,
            Rules::Enable(enable) => enable.run(&session).await,
            Rules::Disable(disable) => disable.run(&session).await,
            Rules::Delete(delete) => delete.run(&session).await,
            Rules::Backtest(backtest) => backtest.run(&session).await,
            Rules::Runs(runs) => runs.run(&session).await,
            Rules::Run(run) => run.run(&session).await,
            Rules::Check(_) | Rules::Schema(_) => Ok(()),
        }
    }
}
