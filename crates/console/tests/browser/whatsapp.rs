//! What comes by WhatsApp while a chat is open: how far messages came, reactions, edits, what was taken back, and the
//! window of 24 hours.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{CUSTOMER, World};

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn text(body: &str) -> Value {
    json!({ "body": body })
}

/// The report of a channel about the message that is ours by its id.
fn status(ours: &str, word: &str) -> Value {
    let status = json!({
        "id": "wamid.out", "status": word, "timestamp": now().to_string(), "recipient_id": CUSTOMER,
        "biz_opaque_callback_data": ours,
    });
    json!({ "statuses": [status] })
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_go_from_queued_to_read_while_one_looks() {
    let Some(world) = World::start().await else { return };
    world.whatsapp_message("wamid.in", now(), "text", text("hello")).await;
    let chat = world.whatsapp_chat().await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.types("#words", "Good morning").await;
    page.click("#send").await;
    page.holds(
        "it waits",
        "return document.querySelector('.row.out:not(.pending) .ticks[title=queued]').checkVisibility()",
    )
    .await;
    let ours = page.asks("return document.querySelector('.row.out [data-reply]').dataset.reply").await;
    for word in ["sent", "delivered", "read"] {
        world.whatsapp(status(ours.as_str().unwrap(), word)).await;
        page.sees(&format!(".row.out .ticks[title={word}]")).await;
    }
    page.counts(".row.out:not(.mark)", 1).await;
    // One that did not reach the customer says why.
    page.types("#words", "And?").await;
    page.click("#send").await;
    page.counts(".row.out:not(.pending)", 2).await;
    let ours = page.asks("return [...document.querySelectorAll('.row.out [data-reply]')].pop().dataset.reply").await;
    let mut failed = status(ours.as_str().unwrap(), "failed");
    failed["statuses"][0]["id"] = "wamid.other".into();
    failed["statuses"][0]["errors"] = json!([{ "code": 131_026, "title": "Message undeliverable" }]);
    world.whatsapp(failed).await;
    page.reads(".row.out .why", "131026 Message undeliverable").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_edits_and_what_was_taken_back_change_the_message() {
    let Some(world) = World::start().await else { return };
    world.whatsapp_message("wamid.1", now(), "text", text("I want the blue one")).await;
    let chat = world.whatsapp_chat().await;
    world.whatsapp_message("wamid.2", now(), "text", text("Delete me")).await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.counts("#rows > li", 2).await;
    page.types("#words", "Noted").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .text", "Noted").await;
    let ours = page.asks("return document.querySelector('.row.out [data-reply]').dataset.reply").await;
    world.whatsapp(status(ours.as_str().unwrap(), "sent")).await;
    page.sees(".row.out .ticks[title=sent]").await;
    let rows = page.asks("return document.querySelectorAll('#rows > li').length").await;
    let react = |id: &str, emoji: &str| (id.to_owned(), json!({ "message_id": "wamid.out", "emoji": emoji }));
    for (id, content) in [react("wamid.3", "👍"), react("wamid.4", "🎉")] {
        world.whatsapp_message(&id, now(), "reaction", content).await;
    }
    page.reads(".row.out .reactions", "🎉").await;
    page.counts(".row.out .reactions li", 1).await;
    world.whatsapp_message("wamid.5", now(), "reaction", react("", "").1).await;
    page.counts(".row.out .reactions", 0).await;
    let edit =
        json!({ "original_message_id": "wamid.1", "message": { "type": "text", "text": text("I want the red one") } });
    world.whatsapp_message("wamid.6", now(), "edit", edit).await;
    page.reads(".row.in .text", "I want the red one").await;
    page.reads(".row.in .foot", "edited").await;
    world.whatsapp_message("wamid.7", now(), "revoke", json!({ "original_message_id": "wamid.2" })).await;
    page.reads(".row.in .gone", "taken back").await;
    let said = page.texts(".row.in .text").await;
    assert_eq!(said, ["I want the red one"]);
    // Each of them changed a row, and none is a row of its own; a reload shows the same.
    assert_eq!(page.asks("return document.querySelectorAll('#rows > li').length").await, rows);
    page.go(&format!("/c/{chat}")).await;
    page.reads(".row.in .gone", "taken back").await;
    page.reads(".row.in .foot", "edited").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shut_window_says_so_and_takes_templates_alone() {
    let Some(world) = World::start().await else { return };
    world.whatsapp_message("wamid.1", now() - 25 * 3_600, "text", text("hello")).await;
    let chat = world.whatsapp_chat().await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.reads(".window.shut", "only a template").await;
    page.types("#words", "Are you there?").await;
    page.click("#send").await;
    // Refused in place, with its reason, and the words are kept.
    page.reads("#write .refusal", "template").await;
    page.holds("the words are kept", "return document.querySelector('#words').value === 'Are you there?'").await;
    page.counts(".row.pending", 0).await;
    page.click(".compose summary").await;
    page.types("input[name=template]", "are_you_there").await;
    page.click("form[action$='/template'] button").await;
    page.reads(".row.out:not(.pending) .hint", "are_you_there").await;
    // The customer writes: the time left is shown without a reload, and free words pass.
    world.whatsapp_message("wamid.2", now() - 3_600, "text", text("yes")).await;
    page.reads(".window:not(.shut)", "22 h 59 min").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .text", "Are you there?").await;
    page.close().await;
}
