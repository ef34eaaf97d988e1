//! The chores of this repository: `cargo xtask --help`.

mod browser;
mod check;
mod debian;
mod images;
mod launch;
mod step;
mod supply;
mod tally;
mod tools;

use std::process::ExitCode;

use clap::Parser;

/// The chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Run Threadmark with a live demo workspace; the arguments are those of `threadmark up`
    Up(PassedOn),
    /// Check formatting, lints and dependencies, then run every test with reduced counts
    Test(check::Arguments),
    /// Run every test with full counts, optimized; takes hours
    Soak(check::Arguments),
    /// Measure, ours beside the bare thing; the arguments are those of the bench program
    Bench(PassedOn),
    /// Measure the bot's answers and handoffs; the arguments name files of your own
    EvalBot(PassedOn),
    /// Make stand-ins for the images underneath the containers, where no registry can be reached
    Images(images::Arguments),
    /// Take the pictures of the README anew
    Screenshots,
    /// List what each program that ships is made of (CycloneDX, into target/sbom)
    Sbom,
    /// Make sure that a fitting nats-server is there, and axe-core
    Tools,
}

#[derive(clap::Args)]
struct PassedOn {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<std::ffi::OsString>,
}

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Up(passed_on) => launch::up(&passed_on.arguments),
        Chore::Test(arguments) => check::test(&arguments),
        Chore::Soak(arguments) => check::soak(&arguments),
        Chore::Bench(passed_on) => launch::bench(&passed_on.arguments),
        Chore::EvalBot(passed_on) => launch::eval_bot(&passed_on.arguments),
        Chore::Images(arguments) => images::make(&arguments),
        Chore::Screenshots => browser::screenshots(),
        Chore::Sbom => supply::sbom(),
        Chore::Tools => tools::nats_server().and_then(|_| tools::axe()).map(drop),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
