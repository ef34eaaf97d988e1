use axum::extract::Query;
use axum::response::Html;
use jiff::Timestamp;
use maud::{Markup, html};

use super::asked::{Asked, BASES, DIMENSIONS};
use super::figures::{Figures, zone};
use super::presets::{PRESETS, written};
use crate::failure::Failure;
use crate::page::{self, Part};
use crate::session::Who;
use crate::words::{self, Fields};

/// The dashboard of a period.
pub(crate) async fn show(who: Who, Query(fields): Query<Fields>) -> Result<Html<String>, Failure> {
    let asked = Asked::of(&fields, &who, Timestamp::now());
    let (figures, staff) = tokio::try_join!(Figures::load(&who.services, &asked), who.services.staff(&who.workspace))?;
    let body = html! {
        main.page #main {
            h1 { (who.fill("Tickets from {} to {}", &[&words::minute(Some(&words::wire(asked.start)), &asked.zone), &words::minute(Some(&words::wire(asked.end)), &asked.zone)])) }
            @if let Some(at) = asked.as_of { p.box role="note" { (who.fill("As it stood on {}. What happened later is left out.", &[&words::minute(Some(&words::wire(at)), &asked.zone)])) } }
            (choose(&asked))
            (figures.totals(&asked))
            (figures.plot(&asked))
            (figures.table(&asked, &staff))
        }
    };
    Ok(Html(page::page(&who, Part::Dashboard, who.t("Dashboard"), body).into_string()))
}

/// Where the period and the rest are chosen.
fn choose(asked: &Asked) -> Markup {
    let query = |preset: &str| {
        let unit = if asked.hours { "&unit=hour" } else { "" };
        format!("/dashboard?period={preset}&zone={}&basis={}&by={}{unit}", zone(asked), asked.basis.0, asked.by.0)
    };
    html! {
        section.box.stack aria-label=(asked.t("Period")) {
            nav.tabs aria-label=(asked.t("Periods")) {
                @for (preset, name) in PRESETS { a href=(query(preset)) aria-current=[(asked.preset == preset).then_some("page")] { (asked.t(name)) } }
            }
            form.line action="/dashboard" {
                label { (asked.t("From")) input type="datetime-local" name="from" value=(written(asked.start, &asked.zone.zone)); }
                label { (asked.t("To, not included")) input type="datetime-local" name="to" value=(written(asked.end, &asked.zone.zone)); }
                label { (asked.t("Time zone")) input name="zone" value=(asked.zone_name()) list="zones" size="18"; }
                label { (asked.t("Count")) select name="basis" { @for basis in &BASES { option value=(basis.0) selected[basis.0 == asked.basis.0] { (asked.t(basis.1)) } } } }
                label { (asked.t("By")) select name="by" { @for by in &DIMENSIONS { option value=(by.0) selected[by.0 == asked.by.0] { (asked.t(by.1)) } } } }
                label { (asked.t("Bars")) select name="unit" { option value="day" selected[!asked.hours] { (asked.t("Days")) } option value="hour" selected[asked.hours] { (asked.t("Hours")) } } }
                label { (asked.t("As of")) input type="datetime-local" name="as_of" value=[asked.as_of.map(|at| written(at, &asked.zone.zone))]; }
                label.across { input type="checkbox" name="nested" value="1" checked[asked.nested]; (asked.t("nested in percentiles")) }
                button { (asked.t("Show")) }
                datalist #zones {
                    @for name in ["UTC", "Europe/London", "Europe/Berlin", "Europe/Madrid", "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney"] { option value=(name) {} }
                }
            }
        }
    }
}
