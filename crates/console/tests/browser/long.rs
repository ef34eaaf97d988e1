//! A long chat with 25 tickets: 5,000 entries in the soak, fewer otherwise.

use std::time::Instant;

use futures::stream::{self, StreamExt as _};
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chat_is_scrolled_to_its_top_without_jumps() {
    let Some(world) = World::start().await else { return };
    let entries = testkit::count("long-chat-entries", 2_000, 5_000);
    let tickets = 25;
    let (chat, _) = world.say("Maya", "the very first").await;
    for number in 0..tickets {
        world.open(&chat, "ana", &format!("topic {number}")).await;
        let lines = stream::iter(0..entries / tickets - 3).map(|line| {
            let world = &world;
            async move { world.say("Maya", &format!("line {number}.{line}")).await }
        });
        lines.buffer_unordered(16).collect::<Vec<_>>().await;
        if number % 5 != 1 {
            world.close(&chat, "ana", false).await;
        }
    }
    let all = world.chat(&chat).await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.sees("#rows > li").await;
    page.counts("#rail a", tickets).await;
    page.holds(
        "the newest are in sight",
        "const s = document.querySelector('#scroll'); return s.scrollHeight - s.scrollTop - s.clientHeight < 80",
    )
    .await;
    // Up to the top: what is in sight stays where it is while older entries come above it.
    let mut jumps = 0;
    let started = Instant::now();
    while page.asks("return !!document.querySelector('#scroll').dataset.older").await == json!(true) {
        let moved = page.client.execute_async(STEP, Vec::new()).await.unwrap();
        jumps += usize::from(moved.as_f64().unwrap().abs() > 2.0);
        assert!(started.elapsed() < crate::world::DEADLINE * 3, "it does not come to the top");
    }
    assert_eq!(jumps, 0, "the chat jumped");
    let said = page.asks("return [...document.querySelectorAll('#rows > li')].map((row) => row.querySelector('.text, .stamp .words').textContent)").await;
    let said: Vec<String> = serde_json::from_value(said).unwrap();
    assert_eq!(said.len(), all.len());
    assert_eq!(said, all, "the same entries in the same order, each once");
    // The rail leads to any of them, loaded or not.
    page.go(&format!("/c/{chat}?ticket=3#t3")).await;
    page.holds(
        "the ticket is in sight",
        "const r = document.querySelector('#t3').getBoundingClientRect(); return r.top > 0 && r.bottom < innerHeight",
    )
    .await;
    let shown = page.asks("return document.querySelectorAll('#rows > li').length").await;
    assert!(shown.as_u64().unwrap() < 400, "only what is around it was loaded: {shown}");
    page.close().await;
}

/// Scrolls to the top, waits until older entries have come, and says by how much the first row's end moved: its beginning may lose the day's name.
const STEP: &str = "const done = arguments[0]; const box = document.querySelector('#scroll'); \
    const settle = () => box.dataset.loading ? setTimeout(settle, 10) : go(); \
    const go = () => { \
        const first = document.querySelector('#rows > li'); const count = document.querySelectorAll('#rows > li').length; \
        box.scrollTop = 0; const before = first.getBoundingClientRect().bottom; \
        const wait = () => { \
            if (document.querySelectorAll('#rows > li').length > count) return done(first.getBoundingClientRect().bottom - before); \
            if (!box.dataset.older) return done(0); \
            setTimeout(wait, 5); \
        }; \
        wait(); \
    }; settle();";
