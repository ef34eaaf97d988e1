//! What the programs are made of: whether all of it may be, and a list of it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::step::{cargo_at_root, note, run, target, workspace_root};

/// A program from crates.io that checks or lists dependencies.
struct Tool {
    name: &'static str,
    version: &'static str,
}

const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
const CYCLONEDX: Tool = Tool { name: "cargo-cyclonedx", version: "0.5.9" };
/// What ships: the others are tools of this repository.
const SHIPPED: [&str; 7] =
    ["ingest", "projection", "automation-engine", "bot", "delivery", "threadmark-console", "cli"];

impl Tool {
    /// Where it is, compiled if it is not there yet: unoptimized, which takes a minute.
    fn installed(&self) -> anyhow::Result<PathBuf> {
        let root = target().join("tools").join(format!("{}-{}", self.name, self.version));
        let binary = root.join("bin").join(self.name);
        if !binary.is_file() {
            let mut install = cargo_at_root();
            install.args(["install", "--quiet", "--locked", "--debug", "--version", self.version, self.name, "--root"]);
            install
                .arg(&root)
                .env("CARGO_TARGET_DIR", target().join("tools/build"))
                .env("CARGO_PROFILE_DEV_DEBUG", "0");
            run("tools", &mut install)?;
            // What it was made of is not needed again.
            fs::remove_dir_all(target().join("tools/build")).ok();
        }
        Ok(binary)
    }
}

/// Licences, sources and known vulnerabilities of the dependencies, by `deny.toml`. What this machine cannot check it
/// skips, and says so: where crates.io or the database of advisories can't be reached.
///
/// # Errors
/// When something is found.
pub(crate) fn check() -> anyhow::Result<()> {
    let deny = match DENY.installed() {
        Ok(deny) => deny,
        Err(error) => {
            note(&format!("dependencies: SKIPPED, cargo-deny can't be installed: {error:#}"));
            return Ok(());
        }
    };
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&deny);
        command.args(arguments).current_dir(workspace_root());
        command
    };
    run("dependencies", &mut deny(&["--log-level", "error", "check", "bans", "licenses", "sources"]))?;
    let fetched = deny(&["fetch", "db"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !fetched.is_ok_and(|status| status.success()) {
        note("advisories: SKIPPED, their database cannot be fetched (`cargo deny fetch db` says why)");
        return Ok(());
    }
    run("advisories", &mut deny(&["check", "advisories"]))
}

/// Writes what each program that ships is made of, as CycloneDX 1.5 in JSON, into `target/sbom`.
///
/// # Errors
/// When the tool can't be installed, or leaves a program out.
pub(crate) fn sbom() -> anyhow::Result<()> {
    let mut list = Command::new(CYCLONEDX.installed()?);
    list.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--describe", "binaries"]);
    list.args(["--no-build-deps", "--target", "all"]).current_dir(workspace_root());
    run("sbom", &mut list)?;
    let home = target().join("sbom");
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let mut kept = 0;
    // It puts each beside the manifest of its package.
    for manifest in glob(&["crates", "xtask"])? {
        let package = manifest.parent().and_then(|dir| dir.file_name()).unwrap_or_default().to_owned();
        let ships = SHIPPED.iter().any(|name| name.trim_start_matches("threadmark-") == package.to_string_lossy());
        if ships {
            let to = home.join(manifest.file_name().unwrap_or_default());
            fs::copy(&manifest, &to).with_context(|| format!("cannot write {}", to.display()))?;
            note(&format!("sbom: {}", to.display()));
            kept += 1;
        }
        fs::remove_file(&manifest).with_context(|| format!("cannot remove {}", manifest.display()))?;
    }
    ensure!(kept == SHIPPED.len(), "{kept} of {} programs were listed", SHIPPED.len());
    Ok(())
}

/// What the tool wrote.
fn glob(folders: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| workspace_root().join(folder)).collect();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() && path.parent().is_some_and(|parent| parent.ends_with("crates")) {
                left.push(path);
            } else if path.to_string_lossy().ends_with(".cdx.json") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
