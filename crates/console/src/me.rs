//! Who somebody is here: as whom they act, their clock and their language.

use axum::extract::Form;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::inbox;
use crate::lang::Lang;
use crate::page::{self, Part};
use crate::session::{Acting, Who};
use crate::words::{Fields, field};

/// The page.
pub(crate) async fn show(who: Who, headers: HeaderMap) -> Html<String> {
    let with = match who.acting {
        Acting::Itself => who.t("a token of this agent"),
        Acting::Chosen => who.t("a token that names no agent"),
        Acting::Untold => who.t("no token: the services ask for none"),
    };
    let body = html! {
        main.page #main {
            h1 { bdi { (who.name) } }
            div.split {
                section.box.stack {
                    dl.about {
                        dt { (who.t("Workspace")) } dd { bdi { (who.workspace) } }
                        dt { (who.t("You act as")) } dd { bdi { (who.name) } @if who.agent != who.name { " " code.hint { (who.agent) } } }
                        dt { (who.t("Signed in with")) } dd { (with) }
                        dt { (who.t("Time zone")) } dd { bdi { (who.zone.zone.iana_name().unwrap_or("UTC")) } }
                    }
                    @if who.acting != Acting::Itself {
                        p.hint { (who.t("All that you do is recorded under this name.")) }
                        p { a href="/sign-in" { (who.t("Act as somebody else")) } }
                    }
                    (choice(&who, Lang::chosen(&headers)))
                    form method="post" action="/sign-out" { button.quiet { (who.t("Sign out")) } }
                }
                section.box { h2 { (who.t("Keys")) } (inbox::key_list(&who)) }
            }
        }
    };
    Html(page::page(&who, Part::Me, who.t("Your page"), body).into_string())
}

fn choice(who: &Who, chosen: Option<Lang>) -> Markup {
    html! {
        form.line method="post" action="/language" {
            label { (who.t("Language"))
                select name="lang" {
                    option value="" { (who.t("As the browser says")) }
                    @for lang in Lang::ALL { option value=(lang.tag()) lang=(lang.tag()) selected[chosen == Some(lang)] { (lang.name()) } }
                }
            }
            button.quiet { (who.t("Use")) }
        }
    }
}

/// Keeps the language that somebody chose, and leads back to where they were.
pub(crate) async fn speak(headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    let chosen = Lang::tagged(field(&form, "lang"));
    ([(header::SET_COOKIE, Lang::keep(chosen))], Redirect::to(&back(&headers))).into_response()
}

/// The path of the page of ours that a form was sent from.
fn back(headers: &HeaderMap) -> String {
    let of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = of(header::REFERER).split_once("://").and_then(|(_, rest)| rest.strip_prefix(of(header::HOST)));
    path.filter(|path| path.starts_with('/') && !path.starts_with("//")).unwrap_or("/inbox").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_leads_back_to_a_page_of_ours_alone() {
        let cases = [
            ("http://here:1/c/7?view=all", "/c/7?view=all"),
            ("http://there/c/7", "/inbox"),
            ("http://here:1.evil/c/7", "/inbox"),
            ("http://here:1//evil", "/inbox"),
            ("", "/inbox"),
        ];
        for (from, to) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "here:1".parse().unwrap());
            headers.insert(header::REFERER, from.parse().unwrap());
            assert_eq!(back(&headers), to, "{from}");
        }
    }
}
