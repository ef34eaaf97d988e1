//! Whether everybody can use it: the essential rules of accessibility, by a script of our own.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn pages_can_be_read_and_worked_by_everybody() {
    let Some(world) = World::start().await else { return };
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
        "/nowhere",
    ];
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
            }
        }
        page.close().await;
    }
}
