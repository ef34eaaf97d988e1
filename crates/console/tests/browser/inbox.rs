//! The list of chats.

use proto::v1;

use crate::world::{CUSTOMER, WORKSPACE, World, person};

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
    // A view for each team that one is in.
    let assignee = v1::Assignee { agent_id: String::new(), team_id: "billing".to_owned() };
    let request = v1::AssignConversationRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: waiting,
        actor: Some(person("ben")),
        assignee: Some(assignee),
        ..v1::AssignConversationRequest::default()
    };
    world.conversations.clone().assign_conversation(request).await.unwrap();
    page.reads("#views a[href='/inbox?view=team:billing']", "1").await;
    page.click("#views a[href='/inbox?view=team:billing']").await;
    page.reads("#chats li", "Jonas").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_found_by_name_by_number_and_by_what_was_said() {
    let Some(world) = World::start().await else { return };
    world.say("Jonas", "where is my parcel?").await;
    world.say("Lucía", "hola").await;
    let message = serde_json::json!({ "body": "I write by telephone" });
    world.whatsapp_message("wamid.1", jiff::Timestamp::now().as_second(), "text", message).await;
    world.whatsapp_chat().await;
    let page = world.browser("ana").await;
    for (words, name) in
        [("jonas", "Jonas"), ("LUCÍA", "Lucía"), ("parcel", "Jonas"), (&CUSTOMER[3..9], "Maya"), ("telephone", "Maya")]
    {
        page.go("/inbox?view=all").await;
        page.counts("#chats li", 3).await;
        page.types("#find", &format!("{words}\u{e007}")).await;
        page.counts("#chats li", 1).await;
        page.reads("#chats li .name", name).await;
        page.holds("the words stay", &format!("return document.querySelector('#find').value === '{words}'")).await;
    }
    page.types("#find", " and nothing else\u{e007}").await;
    page.reads("#chats", "No chat here").await;
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
    page.types(":focus", "\u{e007}").await;
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
    page.types("body", "\u{e00c}").await;
    page.counts("#help[open]", 0).await;
    page.press("u").await;
    page.holds("the inbox", "return location.pathname === '/inbox'").await;
    page.press("3").await;
    page.holds("the third view", "return location.search === '?view=bot'").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_worked_by_keys_alone() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.press("m").await;
    page.reads(".holder", "Assigned to Ana").await;
    // Enter sends, with Shift it begins a line.
    page.press("r").await;
    page.types("#words", "Good\u{e008}\u{e007}\u{e000}morning\u{e007}").await;
    page.holds(
        "it is sent",
        "return document.querySelector('.row.out:not(.pending) .text')?.textContent === 'Good\\nmorning'",
    )
    .await;
    page.types("#words", "likes tea\u{e00c}").await;
    page.holds("the field is left", "return document.activeElement === document.body").await;
    page.press("n").await;
    page.reads(".bubble.note .text", "likes tea").await;
    page.press("o").await;
    page.types("#topic", "refund\u{e007}").await;
    page.reads("#panel .card.open", "refund").await;
    page.types("#topic", "\u{e00c}").await;
    page.press("c").await;
    page.counts("#panel .card:not(.open)", 1).await;
    page.reads(".stamp .words", "Ticket closed by Ana").await;
    page.asks("document.querySelector('#scroll').scrollTop = 0").await;
    page.press("g").await;
    page.holds(
        "the newest is in sight",
        "const s = document.querySelector('#scroll'); return s.scrollHeight - s.scrollTop - s.clientHeight < 80",
    )
    .await;
    page.close().await;
}
