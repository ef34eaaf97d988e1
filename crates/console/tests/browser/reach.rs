//! Whether everybody can use it: the rules of axe-core, and by a script of our own what axe does not look at.

use std::path::Path;

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn pages_can_be_read_and_worked_by_everybody() {
    let Some(world) = World::start().await else { return };
    let axe = axe();
    let chat = world.story("Maya").await;
    let chat = format!("/c/{chat}");
    let pages = [
        "/sign-in",
        "/inbox?view=all",
        &chat,
        "/dashboard?period=today",
        "/tickets?period=today&nested=1",
        "/rules",
        "/bot",
        "/me",
        "/nowhere",
    ];
    let mut wrong: Vec<String> = Vec::new();
    for dark in [false, true] {
        let page = world.browser_like("ana", dark, true).await;
        let scheme = page.asks("return matchMedia('(prefers-color-scheme: dark)').matches").await;
        assert_eq!(scheme, json!(dark));
        for width in [1440, 390] {
            page.client.set_window_size(width, 900).await.unwrap();
            for path in pages {
                page.go(path).await;
                page.sees("main#main").await;
                let found = page.asks(include_str!("reach.js")).await;
                assert_eq!(found, json!([]), "{path}, dark: {dark}, {width} wide");
                if let Some(axe) = &axe {
                    let found = page.client.execute_async(&format!("{axe};\n{RUN}"), Vec::new()).await.unwrap();
                    wrong.extend(
                        found
                            .as_array()
                            .unwrap()
                            .iter()
                            .map(|what| format!("{path}, dark: {dark}, {width} wide: {what}")),
                    );
                }
            }
        }
        page.close().await;
    }
    assert!(wrong.is_empty(), "axe-core found: {}", wrong.join("\n"));
}

/// Runs every rule of axe, best practices too, and says what is broken and where.
const RUN: &str = "const done = arguments[0]; \
    axe.run(document).then((found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)} (${node.failureSummary})`))), (error) => done([String(error)]));";

/// axe-core, where `cargo xtask tools` has installed it.
#[allow(clippy::print_stderr, reason = "whoever reads the log should know")]
fn axe() -> Option<String> {
    let target = testkit::installed_nats_server();
    let script = target.ancestors().nth(2).unwrap_or(Path::new("")).join("axe/axe.min.js");
    let axe = std::fs::read_to_string(script).ok();
    if axe.is_none() {
        eprintln!("SKIPPED: axe-core is not here, so its rules were not held against the pages");
    }
    axe
}
