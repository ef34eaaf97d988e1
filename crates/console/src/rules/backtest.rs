//! A draft of rules tried on what happened, with progress.

use axum::body::Body;
use axum::extract::Form;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use jiff::{Timestamp, ToSpan as _};
use maud::{Markup, html};
use proto::v1;
use serde_json::json;
use std::convert::Infallible;
use tonic::{Status, Streaming};
use v1::backtest_rules_response::Part as Told;

use super::handlers::{Draft, draft, mistakes};
use super::report::report;
use crate::failure::Failure;
use crate::page::{self, Part};
use crate::session::Who;
use crate::words::{Fields, field, wire};

/// The longest period, in days.
const LONGEST: u32 = 3_650;

/// Tries a draft. The page's script gets a line of JSON for each step, others the page with the report.
pub(crate) async fn backtest(who: Who, headers: HeaderMap, Form(form): Form<Fields>) -> Result<Response, Failure> {
    let yaml = field(&form, "yaml").replace("\r\n", "\n");
    let days = field(&form, "days").parse().unwrap_or(30).clamp(1, LONGEST);
    let now = Timestamp::now();
    let start = now.checked_sub((i64::from(days) * 24).hours()).unwrap_or(Timestamp::UNIX_EPOCH);
    let request = v1::BacktestRulesRequest {
        workspace: who.workspace.clone(),
        yaml: yaml.clone(),
        start_time: Some(wire(start)),
        end_time: Some(wire(now)),
    };
    let answers = who.services.automation().backtest_rules(request).await.map(tonic::Response::into_inner);
    if headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/x-ndjson") {
        let lines = stream::unfold((who, Some(answers)), |(who, answers)| async move {
            let (line, rest) = line(&who, answers?).await;
            Some((Ok::<_, Infallible>(Bytes::from(line)), (who, rest)))
        });
        return Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response());
    }
    let said = Some(whole(&who, answers).await);
    let body = html! { main.page #main { h1 { (who.t("Rules")) } (draft(&who, &Draft { yaml: &yaml, days, said })) } };
    Ok(Html(page::page(&who, Part::Rules, who.t("Rules"), body).into_string()).into_response())
}

type Answers = Result<Streaming<v1::BacktestRulesResponse>, Status>;

/// The next line, and what comes behind it.
async fn line(who: &Who, answers: Answers) -> (String, Option<Answers>) {
    let end = |html: Markup| (format!("{}\n", json!({ "html": html.into_string() })), None);
    let mut answers = match answers {
        Ok(answers) => answers,
        Err(status) => return end(refused(who, &status)),
    };
    match answers.message().await {
        Ok(Some(answer)) => match answer.part {
            Some(Told::Report(found)) => end(report(who, &found)),
            Some(Told::Progress(progress)) => {
                let line = json!({ "done": progress.events_done, "total": progress.events_total });
                (format!("{line}\n"), Some(Ok(answers)))
            }
            None => (String::new(), Some(Ok(answers))),
        },
        Ok(None) => end(refused(who, &Status::unavailable(who.t("It ended without a report: try again.")))),
        Err(status) => end(refused(who, &status)),
    }
}

/// The report, without progress.
async fn whole(who: &Who, answers: Answers) -> Result<Markup, Markup> {
    let mut answers = answers.map_err(|status| mistakes(who, &status))?;
    while let Some(answer) = answers.next().await {
        if let Some(Told::Report(found)) = answer.map_err(|status| mistakes(who, &status))?.part {
            return Ok(report(who, &found));
        }
    }
    Err(html! { (who.t("It ended without a report: try again.")) })
}

fn refused(who: &Who, status: &Status) -> Markup {
    html! { div.refusal role="alert" { (mistakes(who, status)) } }
}
