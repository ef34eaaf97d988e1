use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, StreamExt as _};
use maud::{Markup, html};

use super::list::load;
use super::views::Choice;
use crate::failure::Failure;
use crate::lang::word;
use crate::page::{self, Part};
use crate::server::Shared;
use crate::session::Who;
use crate::words::{Fields, field};

const PULSE: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_secs(1);

/// The inbox.
pub(crate) async fn show(who: Who, Query(asked): Query<Fields>) -> Result<Html<String>, Failure> {
    let (listed, staff) =
        tokio::try_join!(load(&who, Choice::of(&asked), field(&asked, "page")), who.services.staff(&who.workspace))?;
    let body = html! {
        main.columns #main {
            h1.unseen { (who.t("Inbox")) }
            (listed.column(&who, &staff))
            div.plain.welcome { (welcome(&who)) }
        }
        (keys(&who))
    };
    Ok(Html(page::page(&who, Part::Inbox, who.t("Inbox"), body).into_string()))
}

/// The list alone, for the page's script.
pub(crate) async fn list(who: Who, Query(asked): Query<Fields>) -> Result<Html<String>, Failure> {
    let (listed, staff) =
        tokio::try_join!(load(&who, Choice::of(&asked), field(&asked, "page")), who.services.staff(&who.workspace))?;
    Ok(Html(listed.parts(&who, &staff).into_string()))
}

/// Says whenever something changed in the workspace.
pub(crate) async fn live(State(app): State<Shared>, who: Who) -> impl IntoResponse {
    let changes = app.changes.of(&app, &who);
    let hello = stream::once(async { Event::default().event("hello").retry(RETRY).data("{}") });
    let news = stream::unfold(changes, |mut changes| async move {
        changes.changed().await.ok()?;
        let seen = *changes.borrow_and_update();
        Some((Event::default().event("changed").data(seen.to_string()), changes))
    });
    let shutdown = app.shutdown.clone();
    let until = Box::pin(async move { shutdown.begun().await });
    Sse::new(hello.chain(news).take_until(until).map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(PULSE))
}

fn welcome(who: &Who) -> Markup {
    html! {
        p.hello dir="auto" { (who.fill("Hello {}", &[&who.name])) }
        p { (who.t("Choose a chat at the left. It never ends and is never split: tickets are the brackets beside it.")) }
        p.hint { kbd { "j" } " " kbd { "k" } " " (who.t("move,")) " " kbd { (who.t("Enter")) } " " (who.t("opens,")) " " kbd { "/" } " " (who.t("searches,")) " " kbd { "?" } " " (who.t("shows every key.")) }
    }
}

/// Every key and what it does.
pub(crate) fn key_list(who: &Who) -> Markup {
    const KEYS: [(&str, &str); 12] = [
        ("j, k", word("next and previous chat")),
        ("Enter", word("open it")),
        ("1 … 9", word("choose a view")),
        ("/", word("search")),
        ("u", word("back to the inbox")),
        ("r", word("write")),
        ("Esc", word("leave a field")),
        ("n", word("save what is written as a note")),
        ("o", word("open a ticket")),
        ("c", word("close the ticket opened last")),
        ("m", word("assign to me")),
        ("g", word("go to the newest message")),
    ];
    html! { dl.about { @for (key, does) in KEYS { dt { kbd { (key) } } dd { (who.t(does)) } } } }
}

/// The same in a dialog.
pub(crate) fn keys(who: &Who) -> Markup {
    html! {
        dialog #help aria-labelledby="keys" {
            h2 #keys { (who.t("Keys")) }
            (key_list(who))
            button.quiet type="button" data-close="" { (who.t("Close")) }
        }
    }
}
