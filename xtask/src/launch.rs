//! Chores that build a program and become it.
//!
//! `exec` instead of a child: Ctrl-C, other signals and the exit code are then the program's own, with nothing between
//! it and the terminal. `cargo run` does the same in its turn.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::anyhow;

use crate::step::{cargo, cargo_at_root, note, run, workspace_root};
use crate::tools;

/// `threadmark up`.
pub(crate) fn up(arguments: &[OsString]) -> anyhow::Result<()> {
    let nats_server = tools::nats_server()?;
    run("build", cargo_at_root().args(["build", "--release", "--package", "cli"]))?;
    let mut threadmark = run_release("cli");
    threadmark.args(["--bin", "threadmark", "--", "up"]).args(arguments);
    become_it(threadmark.env("THREADMARK_NATS_SERVER", nats_server))
}

/// The bench program.
pub(crate) fn bench(arguments: &[OsString]) -> anyhow::Result<()> {
    let nats_server = tools::nats_server()?;
    run("build", cargo_at_root().args(["build", "--release", "--package", "cli", "--package", "bench"]))?;
    let mut bench = run_release("bench");
    bench.arg("--").args(arguments);
    become_it(bench.env("THREADMARK_NATS_SERVER", nats_server))
}

/// The evaluation of the bot.
pub(crate) fn eval_bot(arguments: &[OsString]) -> anyhow::Result<()> {
    become_it(run_release("bot").args(["--example", "eval_bot", "--"]).args(arguments))
}

/// `cargo run`, in the directory where xtask was called: the arguments may name files as seen from there.
fn run_release(package: &str) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package", package]);
    command.arg("--manifest-path").arg(workspace_root().join("Cargo.toml"));
    command
}

fn become_it(command: &mut Command) -> anyhow::Result<()> {
    note("starting");
    let error = command.exec();
    Err(anyhow!("cannot run {}: {error}", command.get_program().display()))
}
