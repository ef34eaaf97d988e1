//! Pages in other languages than English, and words of people in any.

use serde_json::json;

use crate::browser::Browser;
use crate::world::World;

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
async fn a_language_that_was_chosen_is_kept_and_arabic_begins_at_the_right() {
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya").await;
    let chat = format!("/c/{chat}");
    let page = world.browser("ana").await;
    page.go(&chat).await;
    let ltr = page.asks(SIDES).await;
    assert_eq!(ltr, json!({ "list": "left", "panel": "right", "lanes": "left", "ours": "right" }));
    choose(&page, "ar").await;
    assert_eq!(
        page.asks("return [document.documentElement.lang, document.documentElement.dir]").await,
        json!(["ar", "rtl"])
    );
    page.go(&chat).await;
    page.reads(".stamp .words", "فتح التذكرة Ana").await;
    let rtl = page.asks(SIDES).await;
    assert_eq!(rtl, json!({ "list": "right", "panel": "left", "lanes": "right", "ours": "left" }));
    // What scripts do is in the language, too, and so is a refusal.
    page.asks("document.querySelector('form[action$=\"/close\"] input[name=ticket]').value += '7'").await;
    page.click("form[action$='/close'] button").await;
    page.reads("form[action$='/close'] .refusal", "لم تعد هذه التذكرة مفتوحة").await;
    page.go("/nowhere").await;
    page.reads("main", "لا توجد صفحة كهذه").await;
    for width in [1440, 390] {
        page.client.set_window_size(width, 900).await.unwrap();
        for path in
            ["/inbox?view=all", &chat, "/dashboard?period=today", "/tickets?period=today", "/rules", "/bot", "/me"]
        {
            page.go(path).await;
            page.sees("html[dir=rtl] main#main").await;
            let found = page.asks(include_str!("reach.js")).await;
            assert_eq!(found, json!([]), "{path}, {width} wide");
        }
    }
    page.client.set_window_size(1440, 900).await.unwrap();
    choose(&page, "de").await;
    page.go("/inbox").await;
    page.reads(".hello", "Hallo Ana").await;
    choose(&page, "").await;
    page.go("/inbox").await;
    page.reads(".hello", "Hello Ana").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_chooses_a_language_first() {
    let Some(world) = World::start().await else { return };
    let page = world.stranger().await;
    page.go("/sign-in").await;
    page.click(".languages button[value=ar]").await;
    page.reads("h1", "تسجيل الدخول").await;
    assert_eq!(page.path().await, "/sign-in");
    page.types("input[name=token]", "nonsense").await;
    page.click("main form button").await;
    page.reads("[role=alert]", "هذا ليس رمزًا").await;
    page.click(".languages button[value=de]").await;
    page.reads("h1", "Anmelden").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_keep_their_direction_whatever_that_of_the_page_is() {
    let Some(world) = World::start().await else { return };
    let (arabic, hebrew, english) = ("أين طلبي رقم 42؟ (ABC)", "שלום, איפה ההזמנה שלי?", "Where is my order, please?");
    let (chat, _) = world.say("ليلى حداد", arabic).await;
    world.say("ليلى حداد", hebrew).await;
    world.say("ليلى حداد", english).await;
    let page = world.browser("ana").await;
    for (lang, dir) in [("en", "ltr"), ("ar", "rtl")] {
        choose(&page, lang).await;
        page.go(&format!("/c/{chat}")).await;
        page.sees(&format!("html[dir={dir}]")).await;
        page.counts("#rows > li", 3).await;
        let directions =
            "return [...document.querySelectorAll('.row.in .text')].map((text) => getComputedStyle(text).direction)";
        assert_eq!(page.asks(directions).await, json!(["rtl", "rtl", "ltr"]), "{lang}");
        // A name stands beside its face, whichever way it is written.
        let beside = "const face = document.querySelector('.chathead .face').getBoundingClientRect(); \
            const range = document.createRange(); range.selectNodeContents(document.querySelector('.chathead h1')); \
            const name = range.getBoundingClientRect(); return Math.min(Math.abs(name.left - face.right), Math.abs(face.left - name.right)) < 40";
        assert_eq!(page.asks(beside).await, json!(true), "{lang}");
    }
    page.types("#words", "مرحبا").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .text", "مرحبا").await;
    page.close().await;
}

/// On which side of the page something stands.
const SIDES: &str = "const side = (selector) => { const box = document.querySelector(selector).getBoundingClientRect(); \
    const chat = document.querySelector(/list|panel/.test(selector) ? 'body' : '#rows').getBoundingClientRect(); \
    return box.left + box.right < chat.left + chat.right ? 'left' : 'right'; }; \
    return { list: side('.list'), panel: side('.panel'), lanes: side('.lanes i'), ours: side('.row.out .bubble') };";

async fn choose(page: &Browser, lang: &str) {
    page.go("/me").await;
    page.click(&format!("select[name=lang] option[value='{lang}']")).await;
    page.click("form[action='/language'] button").await;
    page.sees("form[action='/language'] select").await;
}
