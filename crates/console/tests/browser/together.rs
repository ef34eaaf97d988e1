//! Two people at once.

use crate::world::World;

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
