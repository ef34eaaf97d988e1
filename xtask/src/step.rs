//! One step of a chore: a command, announced and timed.
#![expect(clippy::print_stderr, reason = "xtask is a command-line tool, and progress belongs on standard error")]

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use anyhow::{Context, bail};

/// The cargo that runs this, in whichever directory it was called.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    // What cargo tells xtask about its package is not true of what it builds next. Build scripts that watch these
    // variables would run again, and their crates be compiled again, each time that cargo is called in another way.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    cargo
}

/// [`cargo`], called in the root of the workspace.
pub(crate) fn cargo_at_root() -> Command {
    let mut cargo = cargo();
    cargo.current_dir(workspace_root());
    cargo
}

/// The directory of the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map_or(xtask.clone(), PathBuf::from)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace_root().join("target"), PathBuf::from)
}

/// Runs a command to its end.
///
/// # Errors
/// If it cannot be started or does not succeed.
pub(crate) fn run(name: &str, command: &mut Command) -> anyhow::Result<()> {
    run_with(name, command, Command::status)
}

/// Runs a command to its end in the way of `how`.
///
/// # Errors
/// If it cannot be started or does not succeed.
pub(crate) fn run_with(
    name: &str,
    command: &mut Command,
    how: impl FnOnce(&mut Command) -> std::io::Result<ExitStatus>,
) -> anyhow::Result<()> {
    let started = Instant::now();
    note(&format!("{name}: {}", shown(command)));
    let status = how(command).with_context(|| format!("{name}: cannot run {}", shown(command)))?;
    if !status.success() {
        bail!("{name} failed ({status}): {}", shown(command));
    }
    note(&format!("{name}: done in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}

/// Says something about the progress.
pub(crate) fn note(text: &str) {
    eprintln!("xtask: {text}");
}

fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    [program].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}
