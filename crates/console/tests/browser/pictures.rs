//! Pictures for the README: `cargo xtask screenshots`.

use std::path::Path;

use crate::world::World;

/// Draws the pictures into the directory that `THREADMARK_SCREENSHOTS` names; without it there is nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_taken() {
    let Some(to) = std::env::var_os("THREADMARK_SCREENSHOTS") else { return };
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya Thompson").await;
    world.say("Maya Thompson", "One more thing: can I change the colour?").await;
    for (name, words, topic) in [
        ("Jonas Weber", "Meine Rechnung fehlt noch", "Rechnung"),
        ("Lucía Fernández", "¿Cuándo llega mi pedido?", "entrega"),
        ("ليلى حداد", "أين طلبي؟", ""),
        ("Oliver Grant", "The kettle leaks", "exchange"),
        ("Camille Laurent", "Merci beaucoup !", ""),
    ] {
        let (other, _) = world.say(name, words).await;
        if !topic.is_empty() {
            world.open(&other, if topic == "entrega" { "ben" } else { "ana" }, topic).await;
        }
        if topic == "exchange" {
            world.send(&other, "ben", "We exchange it.").await;
            world.close(&other, "ben", true).await;
        }
    }
    let page = world.browser("ana").await;
    page.client.set_window_size(1280, 860).await.unwrap();
    let to = Path::new(&to);
    page.go("/inbox?view=all").await;
    picture(&page, &to.join("inbox.png")).await;
    page.go(&format!("/c/{chat}?view=all")).await;
    page.sees("#chats a[aria-current]").await;
    picture(&page, &to.join("chat.png")).await;
    page.go("/dashboard?period=today&unit=hour&by=topic").await;
    picture(&page, &to.join("dashboard.png")).await;
    page.go("/rules").await;
    page.click("button[value=backtest]").await;
    page.reads("#report", "events in the period").await;
    page.asks("document.querySelector('#report').scrollIntoView()").await;
    picture(&page, &to.join("backtest.png")).await;
    page.go("/me").await;
    page.click("select[name=lang] option[value=ar]").await;
    page.click("form[action='/language'] button").await;
    page.sees("html[dir=rtl] select").await;
    page.go(&format!("/c/{chat}?view=all")).await;
    page.sees("#chats a[aria-current]").await;
    picture(&page, &to.join("arabic.png")).await;
    page.close().await;
    let page = world.browser_like("ana", true, true).await;
    page.client.set_window_size(390, 860).await.unwrap();
    page.go(&format!("/c/{chat}")).await;
    page.sees("#rows > li").await;
    picture(&page, &to.join("phone.png")).await;
    page.close().await;
}

async fn picture(page: &crate::browser::Browser, file: &Path) {
    page.sees("main#main").await;
    std::fs::write(file, page.client.screenshot().await.unwrap()).unwrap();
}
