//! Signing in with a token, by plain HTTP, against services that ask for one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do")]

mod world;

use proto::v1::token::Role;
use reqwest::StatusCode;
use testkit::eventually;

use world::{DEADLINE, World, cookie};

/// Every page, and every address that the pages' script asks.
const PAGES: [&str; 16] = [
    "/inbox",
    "/inbox/list",
    "/inbox/live",
    "/c/{chat}",
    "/c/{chat}/entries",
    "/c/{chat}/panel",
    "/c/{chat}/live",
    "/c/{chat}/media/m1",
    "/dashboard",
    "/tickets",
    "/tickets.csv",
    "/tickets.jsonl",
    "/rules",
    "/bot",
    "/me",
    "/",
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_page_without_a_token() {
    let world = World::start().await;
    let chat = world.chat("acme", "porcupine").await;
    for shown in [None, Some("threadmark=acme.ana.Ana".to_owned()), Some(format!("threadmark={}", "0".repeat(64)))] {
        for page in PAGES {
            let answer = world.get(&page.replace("{chat}", &chat), shown.as_deref()).await;
            assert!(answer.status().is_redirection(), "{page}: {}", answer.status());
            assert!(!answer.text().await.unwrap().contains("porcupine"));
        }
    }
    for (path, form) in [(format!("/c/{chat}/send"), vec![("text", "hi")]), ("/rules".to_owned(), vec![("yaml", "")])] {
        let answer = world.post(&path, &form, None).await;
        assert!(answer.status().is_redirection(), "{path}: {}", answer.status());
    }
    let stranger = service::access::TokenText::draw().expose();
    for wrong in ["", "tm_1_2", "acme", stranger.expose()] {
        let answer = world.post("/sign-in", &[("token", wrong)], None).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(answer.headers().get("set-cookie").is_none());
        let text = answer.text().await.unwrap();
        assert!(wrong.len() < 10 || !text.contains(wrong), "the page repeats what was typed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_token_shows_that_agents_workspace_and_no_other() {
    let world = World::start().await;
    let (mine, theirs) = (world.chat("acme", "porcupine").await, world.chat("rival", "walrus").await);
    let (_, token) = world.token("acme", Role::Agent).await;
    let answer = world.post("/sign-in", &[("token", token.expose())], None).await;
    assert_eq!(answer.headers()["location"], "/inbox");
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains(token.expose()), "{set}");
    let cookie = cookie(&set);
    let own = world.get(&format!("/c/{mine}"), Some(&cookie)).await;
    assert_eq!(own.status(), StatusCode::OK);
    let text = own.text().await.unwrap();
    assert!(text.contains("porcupine") && !text.contains(token.expose()));
    for page in PAGES.iter().filter(|page| !page.ends_with("/live")) {
        let answer = world.get(&page.replace("{chat}", &theirs), Some(&cookie)).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(!page.starts_with("/c/") || !status.is_success(), "{page}: {status}");
        assert!(!text.contains("walrus"), "{page} shows another workspace");
    }
    let live = world.get(&format!("/c/{theirs}/live"), Some(&cookie)).await;
    assert!(!live.status().is_success(), "{}", live.status());
    let said = world.post(&format!("/c/{theirs}/send"), &[("text", "evil"), ("command", "x")], Some(&cookie)).await;
    assert!(!said.text().await.unwrap().contains("walrus"));
    // Nor does choosing another workspace help.
    let chosen = world.post("/sign-in", &[("workspace", "rival"), ("agent", "ana")], Some(&cookie)).await;
    assert!(chosen.headers().get("set-cookie").is_none());
    assert!(!world.said("rival", &theirs).await.contains(&"evil".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_out_or_is_revoked_is_back_at_the_door() {
    let world = World::start().await;
    let (made, token) = world.token("acme", Role::Agent).await;
    let enter = async || {
        let answer = world.post("/sign-in", &[("token", token.expose())], None).await;
        cookie(answer.headers()["set-cookie"].to_str().unwrap())
    };
    let first = enter().await;
    assert_eq!(world.get("/inbox", Some(&first)).await.status(), StatusCode::OK);
    world.post("/sign-out", &[], Some(&first)).await;
    assert!(world.get("/inbox", Some(&first)).await.status().is_redirection());
    let second = enter().await;
    world.tokens.revoke(None, &made.id).await.unwrap();
    let back = eventually("the token to be refused", DEADLINE, async || {
        let answer = world.get("/inbox", Some(&second)).await;
        answer.status().is_redirection().then_some(answer)
    })
    .await;
    assert_eq!(back.headers()["location"], "/sign-in?ended");
    let page = world.get("/sign-in?ended", None).await.text().await.unwrap();
    assert!(page.contains("expired or was revoked"), "{page}");
    let again = world.post("/sign-in", &[("token", token.expose())], None).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    assert!(again.text().await.unwrap().contains("revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_names_nobody_is_asked_who_acts() {
    let world = World::start().await;
    let chat = world.chat("acme", "porcupine").await;
    let (_, token) = world.token("acme", Role::Admin).await;
    let answer = world.post("/sign-in", &[("token", token.expose())], None).await;
    assert_eq!(answer.headers()["location"], "/sign-in");
    let half = cookie(answer.headers()["set-cookie"].to_str().unwrap());
    assert!(world.get("/inbox", Some(&half)).await.status().is_redirection());
    let page = world.get("/sign-in", Some(&half)).await.text().await.unwrap();
    assert!(page.contains("Who are you?") && !page.contains("rival"), "{page}");
    let form = [("workspace", "acme"), ("name", "Rita")];
    let chosen = world.post("/sign-in", &form, Some(&half)).await;
    let whole = cookie(chosen.headers()["set-cookie"].to_str().unwrap());
    assert_ne!(half, whole);
    assert_eq!(world.get(&format!("/c/{chat}"), Some(&whole)).await.status(), StatusCode::OK);
    // The id from before is worth nothing.
    assert!(world.get("/sign-in", Some(&half)).await.text().await.unwrap().contains("Your token"));
}
