//! The browser that tests of the console look at pages with.

use crate::step::{cargo_at_root, note, run, workspace_root};
use crate::{debian, tools};

/// Where the pictures of the README are.
const PICTURES: &str = "docs/pictures";

/// Makes sure that there is a chromium with its driver: on Debian, as root, it is installed. Where it can't be had, the
/// tests that need it are skipped, and say so.
pub(crate) fn prepare() {
    if let Err(error) = debian::ensure(&["chromium", "chromedriver"], &["chromium", "chromium-driver"]) {
        note(&format!("browser: SKIPPED, no page of the console is looked at: {error:#}"));
    } else if let Err(error) = tools::axe() {
        note(&format!("browser: SKIPPED, the rules of axe-core are not held against the console: {error:#}"));
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
