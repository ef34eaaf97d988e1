//! What every page has around it.

use maud::{DOCTYPE, Markup, html};

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::lang::{Lang, word};
use crate::session::{Acting, Who};
use crate::words;

/// The parts of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Inbox,
    Dashboard,
    Rules,
    Bot,
    /// Whoever looks at it.
    Me,
}

const PARTS: [(Part, &str, &str); 4] = [
    (Part::Inbox, "/inbox", word("Inbox")),
    (Part::Dashboard, "/dashboard", word("Dashboard")),
    (Part::Rules, "/rules", word("Rules")),
    (Part::Bot, "/bot", word("Bot")),
];

/// A page for somebody who signed in. `body` holds the one `main`, with the id "main".
pub(crate) fn page(who: &Who, part: Part, title: &str, body: Markup) -> Markup {
    let around = html! {
        header.bar {
            a.brand href="/inbox" { (mark()) span { "Threadmark" } }
            nav aria-label=(who.t("Console")) {
                @for (at, address, name) in PARTS {
                    a href=(address) aria-current=[(at == part).then_some("page")] { (who.t(name)) }
                }
            }
            div.me {
                span.workspace title=(who.t("Workspace")) { (who.workspace) }
                a.self href="/me" aria-current=[(part == Part::Me).then_some("page")] {
                    (face(&who.name))
                    span.name {
                        @if who.acting == Acting::Chosen { (who.t("as")) " " }
                        bdi { (who.name) }
                    }
                    (unseen(who.t("Your page")))
                }
                form method="post" action="/sign-out" { button.quiet { (who.t("Sign out")) } }
            }
        }
        (body)
    };
    document(who.zone.lang, title, around)
}

/// A page for whoever comes, who may choose in which language.
pub(crate) fn bare(lang: Lang, title: &str, body: Markup) -> Markup {
    let around = html! {
        header.bar {
            a.brand href="/inbox" { (mark()) span { "Threadmark" } }
            form.me.languages method="post" action="/language" aria-label=(lang.t("Language")) {
                @for each in Lang::ALL { button.quiet name="lang" value=(each.tag()) lang=(each.tag()) aria-pressed=(if each == lang { "true" } else { "false" }) { (each.name()) } }
            }
        }
        (body)
    };
    document(lang, title, around)
}

fn document(lang: Lang, title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) dir=(lang.dir()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Threadmark" }
                link rel="stylesheet" href=(STYLE.path());
                link rel="icon" type="image/svg+xml" href=(ICON.path());
                script src=(SCRIPT.path()) defer {}
            }
            body data-words=[lang.of_scripts()] {
                a.skip href="#main" { (lang.t("Skip to the contents")) }
                (body)
            }
        }
    }
}

/// The mark: a bracket with a nested one inside.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" {
            path d="M14 5H8v22h6M23 11h-6v10h6" fill="none" stroke="currentColor" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}

/// A round sign with somebody's initials, in one of eight colours that stays theirs.
pub(crate) fn face(name: &str) -> Markup {
    let mut letters = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first: String = letters.next().into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect();
    let colour = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 8;
    html! { span class={ "face f" (colour) } aria-hidden="true" { (if first.is_empty() { "·" } else { &first }) } }
}

/// Words that only readers of the page's structure get.
pub(crate) fn unseen(text: &str) -> Markup {
    html! { span.unseen { (text) } }
}

/// A moment, with the whole of it behind the words.
pub(crate) fn time(who: &Who, at: Option<&prost_types::Timestamp>, shown: &str) -> Markup {
    let machine = words::instant(at).map(|at| at.to_string()).unwrap_or_default();
    html! { time datetime=(machine) title=(words::minute(at, &who.zone)) { (shown) } }
}
