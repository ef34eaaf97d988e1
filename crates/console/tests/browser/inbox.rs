//! The list of chats.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn views_hold_what_they_should_and_follow() {
    let Some(world) = World::start().await else { return };
    let mine = world.story("Maya").await;
    let (waiting, _) = world.say("Jonas", "where is my parcel?").await;
    world.open(&waiting, "ben", "parcel").await;
    world.say("Lucía", "hola").await;
    let page = world.browser("ana").await;
    page.go("/inbox?view=mine").await;
    page.counts("#chats li", 1).await;
    page.reads("#chats li", "Maya").await;
    page.reads("#chats li .tag.open", "#1 damage").await;
    page.go("/inbox?view=unassigned").await;
    page.reads("#chats li", "Jonas").await;
    page.reads("#chats li .tag.wait", "waits").await;
    page.reads("#chats li .badge", "1").await;
    page.go("/inbox?view=bot").await;
    page.reads("#chats li", "Lucía").await;
    page.go("/inbox?view=all").await;
    page.counts("#chats li", 3).await;
    assert!(page.texts("#chats li .name").await[0].contains("Lucía"), "newest activity first");
    page.reads("#views a[href='/inbox?view=all']", "3").await;
    // Live: somebody new, and a ticket that is closed.
    world.say("Oliver", "hi").await;
    page.counts("#chats li", 4).await;
    page.reads("#views a[href='/inbox?view=mine']", "1").await;
    world.close(&mine, "ana", true).await;
    page.reads("#views a[href='/inbox?view=mine']", "0").await;
    // Search by name and by words.
    page.types("#find", "parcel").await;
    page.click("form.find button").await;
    page.counts("#chats li", 1).await;
    page.reads("#chats li", "Jonas").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_in_the_language_of_the_browser() {
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya").await;
    let page = world.browser("ana").await;
    let in_german = "return fetch(arguments[0], { headers: { 'Accept-Language': 'de-AT,de;q=0.9,en;q=0.5' } }).then((answer) => answer.text())";
    let cases = [
        (
            format!("/c/{chat}"),
            vec!["<html lang=\"de\" dir=\"ltr\">", "Ticket geöffnet von Ana", "Wer hat ihn", "Noch einmal"],
        ),
        ("/dashboard?period=today".to_owned(), vec!["Geöffnet", "Erste Antwort", "herunterladen"]),
        ("/rules".to_owned(), vec!["Am Geschehenen erproben"]),
        ("/bot".to_owned(), vec!["Was er weiß"]),
        ("/inbox".to_owned(), vec!["Hallo Ana", "Posteingang"]),
    ];
    for (path, words) in cases {
        let html = page.client.execute(in_german, vec![path.as_str().into()]).await.unwrap();
        for word in words {
            assert!(html.as_str().unwrap().to_lowercase().contains(&word.to_lowercase()), "{word:?} on {path}: {html}");
        }
    }
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_through_the_list_and_into_the_chat() {
    let Some(world) = World::start().await else { return };
    for name in ["Maya", "Jonas", "Lucía"] {
        world.say(name, "hello").await;
    }
    let page = world.browser("ana").await;
    page.go("/inbox?view=all").await;
    page.counts("#chats li", 3).await;
    page.press("j").await;
    page.press("j").await;
    page.holds("the second is chosen", "return document.activeElement.textContent.includes('Jonas')").await;
    page.press("k").await;
    page.holds("the first is chosen", "return document.activeElement.textContent.includes('Lucía')").await;
    page.asks("document.activeElement.click()").await;
    page.reads("h1", "Lucía").await;
    page.press("r").await;
    page.holds("the words", "return document.activeElement.id === 'words'").await;
    page.asks("document.activeElement.blur()").await;
    page.press("/").await;
    page.holds("the search", "return document.activeElement.id === 'find'").await;
    page.asks("document.activeElement.blur()").await;
    page.press("o").await;
    page.holds("the topic", "return document.activeElement.id === 'topic'").await;
    page.asks("document.activeElement.blur()").await;
    page.press("?").await;
    page.sees("#help[open]").await;
    page.asks("document.querySelector('#help').close()").await;
    page.press("u").await;
    page.holds("the inbox", "return location.pathname === '/inbox'").await;
    page.close().await;
}
