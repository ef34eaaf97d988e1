//! What a chat looks like.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_shows_its_windows_beside_it() {
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.counts("#rows > li", 10).await;
    let stamps = page.texts(".stamp .words").await;
    let words = ["Ticket opened by Ana", "Assigned to Ana", "Ticket opened by Ana", "Ticket closed by Ana"];
    assert_eq!(stamps, words);
    // The primary's bracket begins with its stamp, runs to the end, since it is open, and holds the nested one.
    let lanes = page.asks(LANES).await;
    let expected = json!([
        "",
        "0begins open",
        "0 open",
        "0 open",
        "0 open",
        "0 open, 1begins",
        "0 open, 1",
        "0 open, 1",
        "0 open, 1",
        "0 open, 1ends"
    ]);
    assert_eq!(lanes, expected);
    page.reads(".bubble.note", "The carrier pays").await;
    // All about a ticket, for whoever points at it or comes to it by keyboard.
    let about = page.asks("return document.querySelector('#t1 a.ticket').title").await;
    let about = about.as_str().unwrap();
    for words in ["#1 damage", "Opened by Ana", "First response after", "Open", "Assigned to Ana"] {
        assert!(about.contains(words), "{words}: {about}");
    }
    // Pointing at a bracket tells the same, how long it lasted too, and lights all of it up.
    page.asks("document.querySelector('.lanes i.n1').dispatchEvent(new MouseEvent('mouseover', { bubbles: true }))")
        .await;
    let about = page.asks("return document.querySelector('.lanes i.n1').title").await;
    for words in ["#2 return, nested in #1", "Opened by Ana", "Closed by Ana after", "First response after"] {
        assert!(about.as_str().unwrap().contains(words), "{words}: {about}");
    }
    assert_eq!(page.asks("return document.querySelectorAll('.lanes i.lit').length").await, json!(5));
    page.counts("#rail a", 2).await;
    page.reads("h2.day", "202").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_meanwhile_appears_also_after_the_console_was_away() {
    let Some(mut world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.reads(".row.in .text", "hello").await;
    world.say("Maya", "is anyone there?").await;
    page.reads(".row.in .text", "is anyone there?").await;
    world.end_console().await;
    page.reads("#connection", "Connection lost").await;
    for n in 0..30 {
        world.say("Maya", &format!("line {n}")).await;
    }
    world.open(&chat, "ben", "refund").await;
    world.start_console().await;
    page.reads(".stamp .words", "Ticket opened by Ben").await;
    page.counts("#rows > li", 33).await;
    assert_eq!(said(&page).await, world.chat(&chat).await);
    page.reads("#panel .card.open", "refund").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_message_shows_both_times_in_its_place() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "now").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.reads(".row.in .text", "now").await;
    let occur_time = Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 });
    let message = proto::v1::ReceivedMessage { text: "long ago".to_owned(), occur_time, ..Default::default() };
    world.receive("Maya", message).await;
    page.reads(".row.late .came", "came late").await;
    assert_eq!(said(&page).await, ["long ago", "now"]);
    let days = page.asks("return [...document.querySelectorAll('.newday')].length").await;
    assert_eq!(days, json!(2));
    page.close().await;
}

/// What the rows say, from the oldest to the newest.
async fn said(page: &crate::browser::Browser) -> Vec<String> {
    page.texts("#rows > li .text, #rows > li .stamp .words").await
}

/// The brackets of each row, the primary's lane first: lane, then what its classes say.
const LANES: &str = "return [...document.querySelectorAll('#rows > li')].map((row) => \
    [...row.querySelectorAll('.lanes i')].map((lane) => \
        (lane.className.match(/n(\\d)/) || ['', '?'])[1] + (['begins', 'ends'].find((c) => lane.classList.contains(c)) || '') + \
        (lane.classList.contains('open') ? ' open' : '')).join(', '))";
