use axum::extract::{Form, Query};
use axum::response::Html;
use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::runs;
use crate::failure::Failure;
use crate::page::{self, Part};
use crate::session::{Who, encode};
use crate::words::{self, Fields, field};

/// Rules of one page.
const PAGE: i32 = 1_000;
/// Runs shown of a rule, or of all.
const RUNS: i32 = 40;
/// What the draft begins with.
const EXAMPLE: &str = "rules:
  - name: refunds-to-billing
    on: message.received
    when: message.text.matches(\"(?i)refund\") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - assign: { team: billing, strategy: round_robin }
";

/// The rules, and the runs of one of them or of all.
pub(crate) async fn show(who: Who, Query(asked): Query<Fields>) -> Result<Html<String>, Failure> {
    let chosen = field(&asked, "rule");
    let all = field(&asked, "all") == "1";
    let (rules, runs) = tokio::try_join!(rules(&who), list_runs(&who, chosen, all))?;
    let rule = rules.iter().find(|rule| rule.name == chosen);
    let body = html! {
        main.page #main {
            h1 { (who.t("Rules")) }
            div.split {
                section.box { h2 { (who.t("In force")) } (table(&rules, &who)) }
                section.box {
                    h2 { (who.t("Recent runs")) @if let Some(rule) = rule { ": " bdi { (rule.name) } } }
                    p.hint {
                        @if !chosen.is_empty() { a href="/rules" { (who.t("All rules")) } " · " }
                        @if all { a href={ "/rules?rule=" (encode(chosen)) } { (who.t("Only what matched")) } }
                        @else { a href={ "/rules?all=1&rule=" (encode(chosen)) } { (who.t("With what did not match, and why")) } }
                    }
                    (runs::list(&runs, &who))
                }
            }
            @if let Some(rule) = rule { section.box { h2 { (who.t("As it is written")) } pre dir="ltr" { (rule.yaml) } } }
            (draft(&who, &Draft { yaml: rule.map_or(EXAMPLE, |rule| rule.yaml.as_str()), days: 30, said: None }))
        }
    };
    Ok(Html(page::page(&who, Part::Rules, who.t("Rules"), body).into_string()))
}

/// Checks a draft, or puts it in force.
pub(crate) async fn apply(who: Who, Form(form): Form<Fields>) -> Result<Html<String>, Failure> {
    let yaml = field(&form, "yaml").replace("\r\n", "\n");
    let validate_only = field(&form, "do") != "apply";
    let request = v1::ApplyRulesRequest {
        workspace: who.workspace.clone(),
        yaml: yaml.clone(),
        validate_only,
        etag: String::new(),
    };
    let said = match who.services.automation().apply_rules(request).await {
        Ok(applied) => Ok(agreed(&who, &applied.into_inner().rules, validate_only)),
        Err(status) => Err(mistakes(&who, &status)),
    };
    let rules = rules(&who).await?;
    let body = html! {
        main.page #main {
            h1 { (who.t("Rules")) }
            (draft(&who, &Draft { yaml: &yaml, days: 30, said: Some(said) }))
            section.box { h2 { (who.t("In force")) } (table(&rules, &who)) }
        }
    };
    Ok(Html(page::page(&who, Part::Rules, who.t("Rules"), body).into_string()))
}

fn agreed(who: &Who, rules: &[v1::Rule], validate_only: bool) -> Markup {
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    html! { (if validate_only { who.t("Nothing is wrong with") } else { who.t("In force now:") }) " " bdi { (names.join(", ")) } }
}

/// Every mistake with its place.
pub(super) fn mistakes(who: &Who, status: &Status) -> Markup {
    let found = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    html! {
        @if found.is_empty() { (Failure::from(status.clone()).words(who.zone.lang)) }
        @else { ul { @for mistake in found { li dir="auto" { b { (mistake.field) } " " (mistake.description) } } } }
    }
}

async fn rules(who: &Who) -> Result<Vec<v1::Rule>, Status> {
    let request = v1::ListRulesRequest { workspace: who.workspace.clone(), page_size: PAGE, ..Default::default() };
    Ok(who.services.automation().list_rules(request).await?.into_inner().rules)
}

async fn list_runs(who: &Who, rule: &str, all: bool) -> Result<Vec<v1::Run>, Status> {
    let request = v1::ListRunsRequest {
        workspace: who.workspace.clone(),
        rule: rule.to_owned(),
        include_not_matched: all,
        page_size: RUNS,
        ..v1::ListRunsRequest::default()
    };
    Ok(who.services.automation().list_runs(request).await?.into_inner().runs)
}

fn table(rules: &[v1::Rule], who: &Who) -> Markup {
    html! {
        @if rules.is_empty() { p { (who.t("No rule yet. Write one below.")) } } @else {
            div.wide { table {
                thead { tr { th { (who.t("Rule")) } th { (who.t("On")) } th.num { (who.t("Version")) } th { (who.t("In force since")) } } }
                tbody { @for rule in rules { tr {
                    th scope="row" { a href={ "/rules?rule=" (encode(&rule.name)) } { bdi { (rule.name) } } @if !rule.enabled { " " span.tag { (who.t("off")) } } }
                    td { code { (rule.on) } } td.num { (rule.version) } td { (words::minute(rule.apply_time.as_ref(), &who.zone)) }
                } } }
            } }
        }
    }
}

/// A draft, and what was said about it.
pub(super) struct Draft<'a> {
    pub(super) yaml: &'a str,
    pub(super) days: u32,
    pub(super) said: Option<Result<Markup, Markup>>,
}

/// Where a draft is written, checked, tried and put in force.
pub(super) fn draft(who: &Who, draft: &Draft<'_>) -> Markup {
    html! {
        section.box.stack {
            h2 { (who.t("A draft")) }
            form.stack #draft method="post" action="/rules" {
                label { (who.t("Rules as YAML")) textarea name="yaml" rows="12" spellcheck="false" dir="ltr" required maxlength="1048576" { (draft.yaml) } }
                div.line {
                    button.quiet name="do" value="check" { (who.t("Check")) }
                    label { (who.t("Days back")) input type="number" name="days" min="1" max="3650" value=(draft.days); }
                    button name="do" value="backtest" formaction="/rules/backtest" { (who.t("Try on what happened")) }
                    button.danger name="do" value="apply" { (who.t("Put in force")) }
                }
            }
            progress #progress hidden aria-label=(who.t("How far the draft was tried")) {}
            div #report aria-live="polite" {
                @match &draft.said { Some(Ok(said)) => { p role="status" { (said) } }, Some(Err(said)) => { div.refusal role="alert" { (said) } }, None => {} }
            }
            p.hint { (who.fill("Trying touches nothing. It is now {} UTC.", &[&Timestamp::now().strftime("%H:%M").to_string()])) }
        }
    }
}
