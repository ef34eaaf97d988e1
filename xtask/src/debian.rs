//! Programs that come from Debian's packages.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::step::run;

/// Installs packages unless all these programs are there.
///
/// # Errors
/// If this is no Debian, or apt may not install: the error says what to do.
pub(crate) fn ensure(programs: &[&str], packages: &[&str]) -> anyhow::Result<()> {
    if programs.iter().all(|program| is_there(program)) {
        return Ok(());
    }
    let by_hand = || format!("install {} by hand, or run this as root on Debian", packages.join(", "));
    // An old list of packages names files that are gone.
    run("tools", apt().arg("update").stdout(Stdio::null())).with_context(by_hand)?;
    run("tools", apt().args(["install", "--yes", "--no-install-recommends"]).args(packages).stdout(Stdio::null()))
        .with_context(by_hand)?;
    match programs.iter().find(|program| !is_there(program)) {
        Some(program) => bail!("{program} is not there although its package was installed"),
        None => Ok(()),
    }
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet").stdin(Stdio::null());
    apt
}

/// Whether it is found on PATH.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
