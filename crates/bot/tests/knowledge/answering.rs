use proto::v1;
use proto::v1::answer_response::Outcome;
use proto::v1::knowledge_document::Format;

use crate::world::{WORKSPACE, outcome, world};

const HANDBOOK: &str = "# Shipping\n\nWe ship from Rotterdam every weekday.\n\n## Abroad\n\nParcels to Norway need a customs form.\n\n- fill it in\n- sign it\n\n# Returns\n\nReturns are free within thirty days of delivery.\n";
const SHOP: &str = include_str!("../data/shop.jsonl");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passage_is_given_with_its_place() {
    let mut world = world().await;
    let imported = world.import("handbook", Format::Markdown, HANDBOOK).await;
    assert_eq!((imported.passage_count, imported.example_count), (3, 0));
    let answer = world.ask("do parcels to norway need a customs form?").await;
    let Some(Outcome::Reply(reply)) = &answer.outcome else { panic!("{answer:?}") };
    assert_eq!(reply.text, "Parcels to Norway need a customs form.\n\n- fill it in\n- sign it");
    let source = &reply.sources[0];
    assert_eq!(
        (source.document.as_str(), source.version, source.title.as_str(), source.line),
        ("handbook", 1, "Shipping / Abroad", 7)
    );
    assert_eq!(outcome(&world.ask("who is the king of norway").await), "NotSure");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_answered_in_each_of_its_languages_and_others_are_handed_off() {
    let mut world = world().await;
    world.import("shop", Format::Jsonl, SHOP).await;
    for (text, intent) in [
        ("how do i retrun an item", "return"),
        ("Bestellung bitte stornieren", "storno"),
        ("descargar factura", "factura"),
        ("¿TIENEN OFERTAS DE EMPLEO?", "empleo"),
    ] {
        let answer = world.ask(text).await;
        assert_eq!(answer.intent, intent, "{text}");
        assert!(matches!(answer.outcome, Some(Outcome::Reply(_))), "{text}: {answer:?}");
        assert!((0.0..=1.0).contains(&answer.score));
    }
    for (text, reason) in [
        ("кто президент", "NotSure"),
        ("متى تفتحون", "NotSure"),
        ("😡😡😡", "NoWords"),
        ("", "NoWords"),
        ("\u{202e}\u{200f}", "NoWords"),
        ("I want to talk to a human", "AskedForHuman"),
        ("Ich möchte mit einem Mitarbeiter sprechen", "AskedForHuman"),
        ("qwrtz plmnb xcvvb", "NotSure"),
    ] {
        assert_eq!(outcome(&world.ask(text).await), reason, "{text:?}");
    }
    let long = world.ask(&"where is my order ".repeat(900)).await;
    assert!(long.outcome.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn remarks_on_the_chat_need_no_knowledge() {
    let mut world = world().await;
    assert_eq!(outcome(&world.ask("Danke!").await), "You're welcome!");
    assert_eq!(outcome(&world.ask("谢谢").await), "不客气！");
    assert_eq!(outcome(&world.ask("human please").await), "AskedForHuman");
    world.import("shop", Format::Jsonl, SHOP).await;
    let said = |by: v1::actor::Kind, text: &str| v1::Said { by: by.into(), text: text.to_owned() };
    let request = v1::AnswerRequest {
        workspace: WORKSPACE.to_owned(),
        text: "that didn't help".to_owned(),
        history: vec![said(v1::actor::Kind::Customer, "where is it"), said(v1::actor::Kind::Bot, "There.")],
    };
    assert_eq!(outcome(&world.bot.answer(request).await.unwrap().into_inner()), "NotHelped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_to_left_and_unspaced_scripts_are_known_too() {
    let mut world = world().await;
    let rows = "{\"question\":\"متى تفتحون المتجر؟\",\"answer\":\"من التاسعة\",\"intent\":\"hours\"}\n\
        {\"question\":\"送料はいくらですか\",\"answer\":\"500円です\",\"intent\":\"shipping\"}\n\
        {\"question\":\"怎么退货\",\"answer\":\"三十天内\",\"intent\":\"return\"}\n\
        {\"question\":\"Где мой заказ?\",\"answer\":\"В пути\",\"intent\":\"track\"}\n";
    world.import("faq", Format::Jsonl, rows).await;
    for (text, said) in [
        ("متى تفتحون المتجر", "من التاسعة"),
        ("送料はいくら？", "500円です"),
        ("怎么退货呢", "三十天内"),
        ("где мой заказ", "В пути"),
    ] {
        assert_eq!(outcome(&world.ask(text).await), said, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intent_without_words_is_a_reply_without_words() {
    let mut world = world().await;
    let mut rows = String::new();
    for (intent, words) in
        [("greet", "hello there friend"), ("balance", "what is my balance"), ("card", "my card is lost")]
    {
        for more in ["", " please", " today", " now", " thanks"] {
            rows.push_str(&format!("{{\"text\":\"{words}{more}\",\"intent\":\"{intent}\"}}\n"));
        }
    }
    world.import("intents", Format::Jsonl, rows).await;
    let answer = world.ask("what is my balance").await;
    assert_eq!((outcome(&answer).as_str(), answer.intent.as_str()), ("", "balance"));
}
