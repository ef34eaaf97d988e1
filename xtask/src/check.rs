//! The checks and the tests of the whole workspace.

use std::io::{self, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use crate::browser;
use crate::step::{cargo_at_root, note, run, run_with, target};
use crate::tally::Tally;
use crate::{images, supply, tools};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`: `cargo xtask test -- -p bus`
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// Everything that a change must pass, with reduced counts. What is quick to check comes first.
pub(crate) fn test(arguments: &Arguments) -> anyhow::Result<()> {
    run("format", cargo_at_root().args(["fmt", "--all", "--check"]))?;
    run("lints", cargo_at_root().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    supply::check()?;
    run_tests(arguments, &[], &[])
}

/// The tests with full counts. They are the same tests; `testkit::count` makes them longer.
pub(crate) fn soak(arguments: &Arguments) -> anyhow::Result<()> {
    run_tests(arguments, &["--release"], &[("THREADMARK_SOAK", "1")])
}

fn run_tests(arguments: &Arguments, profile: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let nats_server = tools::nats_server()?;
    browser::prepare();
    // The tests that kill processes start the `threadmark` binary, so it is built whichever tests are chosen. Together
    // with the tests, so that it shares their features and nothing is compiled twice.
    run("build", cargo_at_root().args(["build", "--workspace", "--bins", "--tests"]).args(profile))?;
    let containers = containers(profile);
    let mut tests = cargo_at_root();
    tests.args(["test", "--no-fail-fast"]).args(profile).args(&arguments.cargo_test);
    tests.envs(environment.iter().copied()).env("THREADMARK_NATS_SERVER", nats_server);
    tests.env("THREADMARK_CONTAINERS", if containers { "1" } else { "0" });
    let mut tally = Tally::default();
    let outcome = run_with("tests", &mut tests, |command| tallied(command, &mut tally));
    note("all test programs together:");
    tally.print(&mut io::stdout(), outcome.is_ok())?;
    outcome
}

/// Makes the images that the tests of the containers take, of the programs that were just built. Without an engine, or
/// where the system underneath can't be made, those tests are skipped, which is said here.
fn containers(profile: &[&str]) -> bool {
    if !images::docker_answers() {
        note("containers: SKIPPED, docker does not answer (`docker info` says why)");
        return false;
    }
    let profile = if profile.contains(&"--release") { "release" } else { "debug" };
    match images::make(&images::Arguments::of(target().join(profile))) {
        Ok(()) => true,
        Err(error) => {
            note(&format!("containers: SKIPPED, {error:#}"));
            false
        }
    }
}

/// Runs the tests with their output passed on and counted.
fn tallied(command: &mut Command, tally: &mut Tally) -> io::Result<ExitStatus> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    if let Some(output) = child.stdout.take() {
        tally.pass_on(BufReader::new(output), io::stdout())?;
    }
    child.wait()
}
