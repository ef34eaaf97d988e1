//! What the bot knows, and a box to try it.

use axum::extract::Form;
use axum::response::Html;
use maud::{Markup, html};
use proto::v1;
use v1::answer_response::Outcome;
use v1::answer_response::handoff::Reason;

use crate::failure::Failure;
use crate::lang::word;
use crate::page::{self, Part};
use crate::session::Who;
use crate::words::{self, Fields, field};

/// Documents of one page, and most pages.
const PAGE: i32 = 1_000;
/// The beginning of a source, in characters.
const SOURCE: usize = 240;

/// The page.
pub(crate) async fn show(who: Who) -> Result<Html<String>, Failure> {
    draw(&who, "", None).await
}

/// The page with an answer to what was asked. Nothing is sent and nothing recorded.
pub(crate) async fn answer(who: Who, Form(form): Form<Fields>) -> Result<Html<String>, Failure> {
    let text = field(&form, "text");
    let request = v1::AnswerRequest { workspace: who.workspace.clone(), text: text.to_owned(), history: Vec::new() };
    let answered = match who.services.bot().answer(request).await {
        Ok(answered) => Ok(answered.into_inner()),
        Err(status) => Err(Failure::from(status).words(who.zone.lang)),
    };
    draw(&who, text, Some(answered)).await
}

type Answered = Result<v1::AnswerResponse, String>;

async fn draw(who: &Who, text: &str, answered: Option<Answered>) -> Result<Html<String>, Failure> {
    let request = v1::ListKnowledgeRequest { workspace: who.workspace.clone(), page_size: PAGE, ..Default::default() };
    let known = who.services.bot().list_knowledge(request).await?.into_inner().documents;
    let body = html! {
        main.page #main {
            h1 { (who.t("The bot")) }
            div.split {
                section.box.stack {
                    h2 { (who.t("Try it")) }
                    form.stack method="post" action="/bot" {
                        label { (who.t("What a customer says")) textarea name="text" rows="3" maxlength="16000" required dir="auto" { (text) } }
                        div { button { (who.t("Ask")) } }
                    }
                    @match &answered {
                        None => { p.hint { (who.t("A dry run: nothing is sent, and nothing is recorded.")) } }
                        Some(Err(why)) => { p.refusal role="alert" { (why) } }
                        Some(Ok(answer)) => { (outcome(who, answer)) }
                    }
                }
                section.box {
                    h2 { (who.t("What it knows")) }
                    (documents(&known, who))
                }
            }
        }
    };
    Ok(Html(page::page(who, Part::Bot, who.t("The bot"), body).into_string()))
}

fn outcome(who: &Who, answer: &v1::AnswerResponse) -> Markup {
    html! {
        div role="status" {
            @match &answer.outcome {
                Some(Outcome::Reply(reply)) => {
                    p { span.outcome.good { (who.t("It answers")) } " " (sure(who, answer)) }
                    div.row.out { div.what { article.bubble.bot { p.by { (who.t("Bot")) } p.text dir="auto" { (reply.text) } } } }
                    @for source in &reply.sources {
                        p.hint { b { (source.document) } " " (who.fill("line {}", &[&source.line.to_string()])) @if !source.title.is_empty() { ", " bdi { (source.title) } } ": " bdi { (words::short(&source.text, SOURCE)) } }
                    }
                }
                Some(Outcome::Handoff(handoff)) => { p { span.outcome.bad { (who.t("It hands off")) } " " (who.t(reason(handoff.reason()))) " " (sure(who, answer)) } }
                None => { p { (who.t("It says nothing.")) } }
            }
        }
    }
}

fn sure(who: &Who, answer: &v1::AnswerResponse) -> Markup {
    html! { span.hint { (who.fill("{} % sure", &[&format!("{:.0}", answer.score * 100.0)])) @if !answer.intent.is_empty() { ": " bdi { (answer.intent) } } } }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::AskedForHuman => word("since the customer asks for a human"),
        Reason::NotHelped => word("since its answers did not help"),
        Reason::NoKnowledge => word("since it knows nothing in this workspace"),
        Reason::NoWords => word("since there are no words in it"),
        Reason::NotSure | Reason::Unspecified => word("since it is not sure; in a chat it may ask back once"),
    }
}

fn documents(known: &[v1::KnowledgeDocument], who: &Who) -> Markup {
    html! {
        @if known.is_empty() {
            p { (who.t("Nothing yet. Give it something with")) }
            pre dir="ltr" { "threadmark --workspace " (who.workspace) " knowledge import faq.csv" }
        } @else {
            div.wide { table {
                thead { tr { th { (who.t("Document")) } th.num { (who.t("Version")) } th.num { (who.t("Passages")) } th.num { (who.t("Examples")) } th.num { (who.t("Intents")) } th { (who.t("In force since")) } } }
                tbody {
                    @for document in known {
                        tr {
                            th scope="row" { bdi { (document.name) } }
                            td.num { (document.version) } td.num { (document.passage_count) } td.num { (document.example_count) } td.num { (document.intent_count) }
                            td { (words::minute(document.import_time.as_ref(), &who.zone)) }
                        }
                    }
                }
            } }
        }
    }
}
