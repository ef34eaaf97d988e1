//! Who signs in how, and as whom they act.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_an_admins_token_chooses_as_whom_they_act_and_sees_it() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    let page = world.stranger().await;
    page.sign_in(&world.token("acme", "").await).await;
    page.reads("main", "names no agent: choose as whom you act").await;
    // Until then there is nothing to act with.
    page.go("/inbox").await;
    page.reads("h1", "Who are you?").await;
    page.click("button[value=ben]").await;
    page.reads(".self", "as Ben").await;
    page.go("/me").await;
    page.reads("main", "a token that names no agent").await;
    page.reads("main", "recorded under this name").await;
    page.go(&format!("/c/{chat}")).await;
    page.types("#words", "Good morning").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .by", "Ben").await;
    assert!(world.chat(&chat).await.contains(&"Assigned to Ben".to_owned()));
    // Another one, without another token.
    page.go("/me").await;
    page.click("main a[href='/sign-in']").await;
    page.click("button[value=ana]").await;
    page.reads(".self", "as Ana").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_token_acts_as_that_agent_alone() {
    let Some(world) = World::start().await else { return };
    let page = world.browser("ana").await;
    page.reads(".self", "Ana").await;
    assert!(!page.texts(".self").await.concat().contains("as Ana"));
    page.go("/me").await;
    page.reads("main", "a token of this agent").await;
    page.counts("main a[href='/sign-in']", 0).await;
    // Neither the address nor the page holds the token.
    page.go("/sign-in").await;
    page.counts("button[value=ben]", 0).await;
    page.go("/inbox").await;
    page.click("form[action='/sign-out'] button").await;
    page.sees("input[name=token]").await;
    page.go("/inbox").await;
    page.sees("input[name=token]").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_services_ask_for_no_token_one_says_who_one_is() {
    let Some(world) = World::with_open_doors().await else { return };
    let page = world.stranger().await;
    page.go("/sign-in?workspace=acme").await;
    page.click("button[value=ana]").await;
    page.reads(".self", "Ana").await;
    page.go("/me").await;
    page.reads("main", "the services ask for none").await;
    page.go("/sign-in?workspace=rival").await;
    page.types("input[name=name]", "Rita").await;
    page.click("main form.line button").await;
    page.reads(".workspace", "rival").await;
    page.close().await;
}
