//! Where the nats-server binary comes from.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The nats-server that Threadmark is tested with; a later 2.x does as well. Older ones lack message schedules with
/// time zones (2.14) and fixes that the tests lean on.
pub const NATS_SERVER_VERSION: &str = "2.15.1";

const MINIMUM: Version = Version { major: 2, minor: 15, patch: 1 };

/// Names a nats-server to use instead of looking for one.
const OVERRIDE: &str = "THREADMARK_NATS_SERVER";

/// Why there is no nats-server to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BinaryError {
    /// Nothing fitting on PATH, and none installed for this checkout.
    #[error("no nats-server {NATS_SERVER_VERSION} or later 2.x found: run `cargo xtask tools`")]
    Missing,
    /// The environment names one that does not fit. It is not passed over silently, because somebody chose it.
    #[error(
        "{OVERRIDE} names {path}, which {problem}: name a nats-server {NATS_SERVER_VERSION} or later 2.x, or unset it"
    )]
    Override {
        /// What the variable holds.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// The nats-server to run: the one that `THREADMARK_NATS_SERVER` names, else one on PATH of version 2.15.1 or a later
/// 2.x, else the one that `cargo xtask tools` installed.
///
/// # Errors
/// [`BinaryError::Override`] if the variable names something that does not fit, [`BinaryError::Missing`] if none of
/// the three places has one.
pub fn nats_server_binary() -> Result<PathBuf, BinaryError> {
    if let Some(chosen) = env::var_os(OVERRIDE) {
        return overridden(PathBuf::from(chosen));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|dir| dir.join("nats-server"))
        .chain([installed_nats_server()])
        .find(|candidate| candidate.is_file() && version_of(candidate).is_ok_and(Version::fits))
        .ok_or(BinaryError::Missing)
}

/// Where `cargo xtask tools` installs the server: `tools/nats-server-2.15.1/nats-server` in cargo's target directory,
/// which is `CARGO_TARGET_DIR` or the workspace's `target`.
pub fn installed_nats_server() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    // join() keeps an absolute target directory as it is; a relative one is read as seen from the workspace's root.
    let workspace = workspace.canonicalize().unwrap_or(workspace);
    workspace.join(target).join(format!("tools/nats-server-{NATS_SERVER_VERSION}/nats-server"))
}

fn overridden(path: PathBuf) -> Result<PathBuf, BinaryError> {
    let problem = match version_of(&path) {
        Ok(version) if version.fits() => return Ok(path),
        Ok(Version { major, minor, patch }) => format!("is version {major}.{minor}.{patch}"),
        Err(problem) => problem,
    };
    Err(BinaryError::Override { path, problem })
}

fn version_of(binary: &Path) -> Result<Version, String> {
    let output = Command::new(binary).arg("--version").output().map_err(|error| format!("does not run ({error})"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let first_line = printed.lines().next().unwrap_or_default();
    Version::parse(first_line).ok_or_else(|| format!("does not print its version but {first_line:?}"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Reads what `nats-server --version` prints: `nats-server: v2.15.1`. A pre-release counts as its release.
    fn parse(printed: &str) -> Option<Self> {
        let (_, version) = printed.trim().rsplit_once('v')?;
        let release = version.split(['-', '+']).next()?;
        let mut numbers = release.split('.').map(|number| number.parse().ok());
        let parsed = Self { major: numbers.next()??, minor: numbers.next()??, patch: numbers.next()?? };
        numbers.next().is_none().then_some(parsed)
    }

    fn fits(self) -> bool {
        self.major == MINIMUM.major && self >= MINIMUM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_fits_from_the_tested_one_up_to_the_next_major() {
        let fits = |printed: &str| Version::parse(printed).map(Version::fits);
        assert_eq!(fits("nats-server: v2.15.1\n"), Some(true));
        assert_eq!(fits("nats-server: v2.15.12"), Some(true));
        assert_eq!(fits("nats-server: v2.16.0-RC.1"), Some(true));
        assert_eq!(fits("nats-server: v2.15.0"), Some(false));
        assert_eq!(fits("nats-server: v2.9.10"), Some(false));
        assert_eq!(fits("nats-server: v3.0.0"), Some(false));
        assert_eq!(fits("nats-server: v2.15"), None);
        assert_eq!(fits("command not found"), None);
    }

    #[test]
    fn the_minimum_is_the_version_that_is_installed() {
        assert_eq!(Version::parse(&format!("v{NATS_SERVER_VERSION}")), Some(MINIMUM));
    }

    #[test]
    fn a_chosen_binary_that_does_not_fit_is_named_with_its_problem() {
        let error = overridden(PathBuf::from("no/such/nats-server")).unwrap_err().to_string();
        assert!(error.contains("no/such/nats-server, which does not run"), "{error}");
        let error = overridden(PathBuf::from("/bin/echo")).unwrap_err().to_string();
        assert!(error.contains("does not print its version but"), "{error}");
    }
}
