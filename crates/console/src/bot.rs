//! What the bot knows, and a box to try it.

use axum::extract::{Form, State};
use axum::response::Html;
use maud::{Markup, html};
use proto::v1;
use v1::answer_response::Outcome;
use v1::answer_response::handoff::Reason;

use crate::failure::Failure;
use crate::page::{self, Part};
use crate::server::{App, Shared};
use crate::session::Who;
use crate::words::{self, Fields, field};

/// Documents of one page, and most pages.
const PAGE: i32 = 1_000;
/// The beginning of a source, in characters.
const SOURCE: usize = 240;

/// The page.
pub(crate) async fn show(State(app): State<Shared>, who: Who) -> Result<Html<String>, Failure> {
    draw(&app, &who, "", None).await
}

/// The page with an answer to what was asked. Nothing is sent and nothing recorded.
pub(crate) async fn answer(
    State(app): State<Shared>,
    who: Who,
    Form(form): Form<Fields>,
) -> Result<Html<String>, Failure> {
    let text = field(&form, "text");
    let request = v1::AnswerRequest { workspace: who.workspace.clone(), text: text.to_owned(), history: Vec::new() };
    let answered = match app.services.bot().answer(request).await {
        Ok(answered) => Ok(answered.into_inner()),
        Err(status) => Err(Failure::from(status).words()),
    };
    draw(&app, &who, text, Some(answered)).await
}

type Answered = Result<v1::AnswerResponse, String>;

async fn draw(app: &App, who: &Who, text: &str, answered: Option<Answered>) -> Result<Html<String>, Failure> {
    let request = v1::ListKnowledgeRequest { workspace: who.workspace.clone(), page_size: PAGE, ..Default::default() };
    let known = app.services.bot().list_knowledge(request).await?.into_inner().documents;
    let body = html! {
        main.page #main {
            h1 { "The bot" }
            div.split {
                section.box.stack {
                    h2 { "Try it" }
                    form.stack method="post" action="/bot" {
                        label { "What a customer says" textarea name="text" rows="3" maxlength="16000" required dir="auto" { (text) } }
                        div { button { "Ask" } }
                    }
                    @match &answered {
                        None => { p.hint { "A dry run: nothing is sent, and nothing is recorded." } }
                        Some(Err(why)) => { p.refusal role="alert" { (why) } }
                        Some(Ok(answer)) => { (outcome(answer)) }
                    }
                }
                section.box {
                    h2 { "What it knows" }
                    (documents(&known, who))
                }
            }
        }
    };
    Ok(Html(page::page(who, Part::Bot, "The bot", body).into_string()))
}

fn outcome(answer: &v1::AnswerResponse) -> Markup {
    html! {
        div role="status" {
            @match &answer.outcome {
                Some(Outcome::Reply(reply)) => {
                    p { span.outcome.good { "It answers" } " " (sure(answer)) }
                    div.row.out { div.what { article.bubble.bot { p.by { "Bot" } p.text dir="auto" { (reply.text) } } } }
                    @for source in &reply.sources {
                        p.hint { "From " b { (source.document) } " line " (source.line) @if !source.title.is_empty() { ", " bdi { (source.title) } } ": " bdi { (words::short(&source.text, SOURCE)) } }
                    }
                }
                Some(Outcome::Handoff(handoff)) => { p { span.outcome.bad { "It hands off" } " " (reason(handoff.reason())) " " (sure(answer)) } }
                None => { p { "It says nothing." } }
            }
        }
    }
}

fn sure(answer: &v1::AnswerResponse) -> Markup {
    html! { span.hint { (format!("{:.0} % sure", answer.score * 100.0)) @if !answer.intent.is_empty() { " of " bdi { (answer.intent) } } } }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::AskedForHuman => "since the customer asks for a human",
        Reason::NotHelped => "since its answers did not help",
        Reason::NoKnowledge => "since it knows nothing in this workspace",
        Reason::NoWords => "since there are no words in it",
        Reason::NotSure | Reason::Unspecified => "since it is not sure; in a chat it may ask back once",
    }
}

fn documents(known: &[v1::KnowledgeDocument], who: &Who) -> Markup {
    html! {
        @if known.is_empty() {
            p { "Nothing yet. Give it something with" }
            pre { "threadmark --workspace " (who.workspace) " knowledge import faq.csv" }
        } @else {
            div.wide { table {
                thead { tr { th { "Document" } th.num { "Version" } th.num { "Passages" } th.num { "Examples" } th.num { "Intents" } th { "In force since" } } }
                tbody {
                    @for document in known {
                        tr {
                            th scope="row" dir="auto" { (document.name) }
                            td.num { (document.version) } td.num { (document.passage_count) } td.num { (document.example_count) } td.num { (document.intent_count) }
                            td { (words::minute(document.import_time.as_ref(), &who.zone)) }
                        }
                    }
                }
            } }
        }
    }
}
