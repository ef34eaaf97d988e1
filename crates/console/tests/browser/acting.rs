//! What people do in a chat.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_done_once_and_shown() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;

    // Whoever writes into an unassigned chat has it.
    page.types("#words", "Good morning").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .text", "Good morning").await;
    page.reads(".holder", "Assigned to Ana").await;
    page.counts(".row.pending", 0).await;

    page.types("#words", "likes tea").await;
    page.click("#note").await;
    page.reads(".bubble.note .text", "likes tea").await;

    // Twice at once is once.
    page.types("#topic", "refund").await;
    page.asks(
        "const form = document.querySelector('form[action$=\"/open\"]'); form.requestSubmit(); form.requestSubmit();",
    )
    .await;
    page.reads("#panel .card.open", "refund").await;
    page.counts("#panel .card", 1).await;

    page.types("#topic", "parcel").await;
    page.click("form[action$='/open'] button").await;
    page.reads("#panel .card.open.nested", "parcel").await;
    // Closing the primary names what closes with it.
    page.reads("form[action$='/close'] .hint", "with #2 parcel").await;
    page.asks("document.querySelector('form[action$=\"/close\"] button').click()").await;
    page.counts("#panel .card:not(.open)", 2).await;
    page.counts(".lanes i.open", 0).await;
    assert_eq!(
        world.chat(&chat).await[5..],
        ["Ticket opened by Ana", "Ticket closed by Ana", "Ticket closed by Ana", "Unassigned"]
    );

    page.asks("const pick = document.querySelector('select[name=assignee]'); pick.value = 'team:billing'; pick.form.requestSubmit();").await;
    page.reads(".holder", "team Billing").await;
    page.click("#mine").await;
    page.reads(".holder", "Assigned to Ana").await;
    page.click("form[action$='/unassign'] button").await;
    page.reads(".holder", "The bot has it").await;
    page.click("form[action$='/pause'] button").await;
    page.reads(".holder", "the bot is paused").await;
    page.click("form[action$='/hand-back'] button").await;
    page.reads(".holder", "The bot has it").await;

    // An agent who takes over from the bot, and hands back with a ticket open.
    page.reads("#mine", "Take over from the bot").await;
    page.click("#mine").await;
    page.reads(".holder", "Assigned to Ana").await;
    page.asks("const pick = document.querySelector('select[name=assignee]'); pick.value = 'agent:ben'; pick.form.requestSubmit();").await;
    page.reads(".holder", "Assigned to Ben").await;
    page.types("#topic", "loan").await;
    page.click("form[action$='/open'] button").await;
    page.reads("form[action$='/hand-back'] button", "Close 1 and hand back to the bot").await;
    page.click("form[action$='/hand-back'] button").await;
    page.reads(".holder", "The bot has it").await;
    page.counts("#panel .card.open", 0).await;

    page.types("form[action$='/tag'] input[name=tag]", "vip").await;
    page.click("form[action$='/tag'] button").await;
    page.reads(".chip", "vip").await;
    page.click("form[action$='/untag'] button").await;
    page.counts(".chip", 0).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_quotes_what_it_answers_and_a_template_is_sent() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "which size?").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.asks("document.querySelector('[data-reply]').click()").await;
    page.reads("#answering", "which size?").await;
    page.types("#words", "the large one").await;
    page.click("#send").await;
    page.reads(".row.out .quote", "which size?").await;
    page.click(".compose summary").await;
    page.types("input[name=template]", "order_update").await;
    page.types("textarea[name=parameters]", "Maya\n42").await;
    page.click("form[action$='/template'] button").await;
    page.reads(".row.out .hint", "order_update").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_shown_where_it_happened_and_words_are_kept() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    world.open(&chat, "ana", "refund").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.sees("form[action$='/close']").await;
    // A ticket that is not this chat's: as when somebody was quicker.
    page.asks("document.querySelector('form[action$=\"/close\"] input[name=ticket]').value += '7'").await;
    page.click("form[action$='/close'] button").await;
    page.sees("form[action$='/close'] .refusal:not(:empty)").await;
    let long =
        "document.querySelector('#words').maxLength = 9999; document.querySelector('#words').value = 'x'.repeat(4500);";
    page.asks(long).await;
    page.click("#send").await;
    page.sees("#write .refusal:not(:empty)").await;
    page.holds("the words are kept", "return document.querySelector('#words').value.length === 4500").await;
    page.counts(".row.pending", 0).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_stands_there_before_it_is_confirmed_and_goes_when_it_is_refused() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.sees("#rows > li").await;
    world.end_console().await;
    // Nothing answers, so it is shown at once, and taken back with its words when that is clear.
    let seen = "const seen = []; new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach((node) => \
        node.matches?.('.row.pending') && seen.push(node.querySelector('.text').textContent)))).observe(document.querySelector('#rows'), { childList: true }); window.seen = seen;";
    page.asks(seen).await;
    page.types("#words", "Good morning").await;
    page.click("#send").await;
    page.reads("#write .refusal", "The console does not answer").await;
    assert_eq!(page.asks("return window.seen").await, json!(["Good morning"]));
    page.counts(".row.pending", 0).await;
    page.holds("the words are kept", "return document.querySelector('#words').value === 'Good morning'").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_work_without_scripts() {
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya").await;
    let page = world.browser_like("ben", false, false).await;
    page.go(&format!("/c/{chat}")).await;
    page.types("#words", "Tomorrow at ten").await;
    page.click("#send").await;
    page.reads(".row.out .text", "Tomorrow at ten").await;
    page.click("form[action$='/close'] button").await;
    page.sees(".holder .calm").await;
    assert_eq!(world.chat(&chat).await.last().unwrap(), "Unassigned");
    page.go("/dashboard?period=today").await;
    page.reads("[data-figure=opened]", "1").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_run_by_hand_and_says_why_not() {
    let Some(world) = World::start().await else { return };
    let yaml = "rules:\n  - name: escalate\n    on: manual\n    do:\n      - open_ticket: { topic: escalation }\n";
    let request = proto::v1::ApplyRulesRequest {
        workspace: crate::world::WORKSPACE.to_owned(),
        yaml: yaml.to_owned(),
        ..Default::default()
    };
    world.automation().apply_rules(request).await.unwrap();
    let (chat, _) = world.say("Maya", "this is the third time!").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.click("form[action$='/rule'] button").await;
    page.reads("#panel .card.open", "escalation").await;
    page.click("form[action$='/rule'] button").await;
    page.sees("form[action$='/rule'] .refusal:not(:empty)").await;
    page.close().await;
}
