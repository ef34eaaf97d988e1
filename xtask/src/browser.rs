//! The browser that tests of the console look at pages with.

use std::process::{Command, Stdio};

use crate::step::{cargo_at_root, note, run, workspace_root};
use crate::tools;

/// Where the pictures of the README are.
const PICTURES: &str = "docs/pictures";

/// Makes sure that there is a chromium with its driver: on Debian, as root, it is installed. Where it can't be had, the
/// tests that need it are skipped, and say so.
pub(crate) fn prepare() {
    if is_there() {
        return;
    }
    if is_root() {
        let apt = |arguments: &[&str]| {
            let mut apt = Command::new("apt-get");
            apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
            run("browser", &mut apt)
        };
        let packages = ["install", "--yes", "-qq", "--no-install-recommends", "chromium", "chromium-driver"];
        // What is known of the packages may be old, or nothing.
        if apt(&packages).is_err() {
            let updated = apt(&["update", "-qq"]).and_then(|()| apt(&packages));
            updated.unwrap_or_else(|error| note(&format!("browser: {error:#}")));
        }
    }
    if !is_there() {
        note(
            "browser: SKIPPED, no page of the console is looked at: chromium and chromedriver are not there \
             (`apt-get install chromium chromium-driver`)",
        );
    }
}

/// Takes the pictures of the README anew.
pub(crate) fn screenshots() -> anyhow::Result<()> {
    let nats_server = tools::nats_server()?;
    prepare();
    let pictures = workspace_root().join(PICTURES);
    std::fs::create_dir_all(&pictures)?;
    let mut test = cargo_at_root();
    test.args(["test", "--package", "threadmark-console", "--test", "browser", "pictures_are_taken"]);
    test.env("THREADMARK_NATS_SERVER", nats_server).env("THREADMARK_SCREENSHOTS", pictures);
    run("screenshots", &mut test)
}

fn is_there() -> bool {
    ["chromium", "chromedriver"].into_iter().all(|program| {
        let mut asked = Command::new(program);
        asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
