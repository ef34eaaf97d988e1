//! Two people at once.

use tokio::time::timeout;

use crate::world::{DEADLINE, World};

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_see_each_others_work() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let (ana, ben) = (world.browser("ana").await, world.browser("ben").await);
    ana.go(&format!("/c/{chat}")).await;
    ben.go(&format!("/c/{chat}")).await;
    ana.types("#words", "Good morning").await;
    ana.click("#send").await;
    ben.reads(".row.out .text", "Good morning").await;
    ben.reads(".holder", "Assigned to Ana").await;
    ben.types("#topic", "refund").await;
    ben.click("form[action$='/open'] button").await;
    ana.reads("#panel .card.open", "refund").await;
    ana.reads(".stamp .words", "Ticket opened by Ben").await;
    ana.click("form[action$='/close'] button").await;
    ben.counts("#panel .card.open", 0).await;
    ben.counts(".lanes i.open", 0).await;
    // The list beside the chat goes along.
    ben.reads("#views a[href='/inbox?view=bot']", "1").await;
    // What one is writing stays while the panel changes around it.
    ana.types("#topic", "half a word").await;
    world.say("Maya", "thanks").await;
    world.open(&chat, "ben", "parcel").await;
    ana.reads("#panel .card.open", "parcel").await;
    ana.holds("the words stay", "return document.querySelector('#topic').value === 'half a word'").await;
    ana.close().await;
    ben.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_were_left_keep_no_connection() {
    let Some(world) = World::start().await else { return };
    let mut chats = Vec::new();
    for nth in 0..4 {
        chats.push(world.say(&format!("Customer {nth}"), "hello").await.0);
    }
    let page = world.browser("ana").await;
    // A browser takes six connections to one host; each of these pages listens on two.
    let through = async {
        for chat in chats.iter().cycle().take(24) {
            page.go(&format!("/c/{chat}")).await;
            page.sees("#rows > li").await;
        }
    };
    assert!(timeout(DEADLINE, through).await.is_ok(), "pages wait for connections of those that were left");
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_nobody_sees_listens_to_nothing_and_catches_up() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}?view=all")).await;
    page.counts("#rows > li", 1).await;
    let turn = |state: &str| {
        format!(
            "Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }}); \
             document.dispatchEvent(new Event('visibilitychange'));"
        )
    };
    page.asks(&turn("hidden")).await;
    world.say("Maya", "are you there?").await;
    world.open(&chat, "ben", "refund").await;
    world.say("Jonas", "hi").await;
    // It would have come by now to whoever listens.
    let other = world.browser("ben").await;
    other.go(&format!("/c/{chat}")).await;
    world.say("Maya", "hello?").await;
    other.counts("#rows > li", 4).await;
    assert_eq!(page.texts("#rows > li").await.len(), 1);
    page.asks(&turn("visible")).await;
    page.counts("#rows > li", 4).await;
    page.reads("#panel .card.open", "refund").await;
    page.counts("#chats li", 2).await;
    other.close().await;
    page.close().await;
}
