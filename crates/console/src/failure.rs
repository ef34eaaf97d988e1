//! Why there is no page, and what to do.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::lang::{Lang, word};
use crate::page;
use crate::session::forget;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Nobody has signed in.
    SignIn,
    /// There is no such page.
    Nothing,
    /// The request can't be read: says what is wrong, in words of the tables.
    Unreadable(&'static str),
    /// It must not be done: likewise.
    Forbidden(&'static str),
    /// A service refused, or is away.
    Refused(Box<Status>),
}

/// Why services refuse what people do, by the reasons that they give to programs. English is what they say themselves,
/// which names what it is about.
const REFUSALS: [(&str, &str); 13] = [
    ("BUS_AWAY", word("The services are busy: try again.")),
    ("CONTACT_ERASED", word("This contact was erased.")),
    ("MOVED_ON", word("The chat has moved on: look again, then decide.")),
    ("OTHER_WORKSPACE", word("Your token is of another workspace.")),
    ("ROLE_TOO_LOW", word("Your token does not allow this.")),
    ("TICKET_NOT_OPEN", word("This ticket is not open any more.")),
    ("TOKEN_EXPIRED", word("This token has expired.")),
    ("TOKEN_REVOKED", word("This token was revoked.")),
    ("TOKEN_UNKNOWN", word("Nobody knows this token.")),
    ("TOO_MANY_CALLS", word("Too much at once: wait a moment.")),
    ("TOO_MANY_OPEN", word("Too many tickets are open in this chat: close one first.")),
    ("TOO_MANY_TAGS", word("This chat has too many tags: remove one first.")),
    ("WINDOW_CLOSED", word("24 hours have passed: only a template reaches the customer")),
];

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Refused(Box::new(status))
    }
}

impl Failure {
    fn code(&self) -> StatusCode {
        match self {
            Failure::SignIn => StatusCode::UNAUTHORIZED,
            Failure::Nothing => StatusCode::NOT_FOUND,
            Failure::Unreadable(_) => StatusCode::BAD_REQUEST,
            Failure::Forbidden(_) => StatusCode::FORBIDDEN,
            Failure::Refused(status) => match status.code() {
                Code::NotFound => StatusCode::NOT_FOUND,
                Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
                Code::FailedPrecondition | Code::Aborted | Code::AlreadyExists => StatusCode::CONFLICT,
                Code::PermissionDenied => StatusCode::FORBIDDEN,
                Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
                Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                Code::DeadlineExceeded | Code::Cancelled => StatusCode::GATEWAY_TIMEOUT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// What happened, in a sentence that may stand beside the button that was pressed.
    pub(crate) fn words(&self, lang: Lang) -> String {
        match self {
            Failure::SignIn => lang.t("You are not signed in.").to_owned(),
            Failure::Nothing => lang.t("There is no such page.").to_owned(),
            Failure::Unreadable(what) | Failure::Forbidden(what) => lang.t(what).to_owned(),
            Failure::Refused(status) if is_away(status) => lang.t("The services are away.").to_owned(),
            Failure::Refused(status) => match (translated(status, lang), status.message()) {
                (Some(words), _) => words.to_owned(),
                (None, "") => lang.fill("It was refused ({}).", &[&status.code().to_string()]),
                (None, words) => words.to_owned(),
            },
        }
    }

    /// The same in two or three words.
    fn title(&self) -> &'static str {
        match self.code() {
            StatusCode::UNAUTHORIZED => word("Sign in"),
            StatusCode::NOT_FOUND => word("Not found"),
            StatusCode::CONFLICT => word("Not possible now"),
            StatusCode::FORBIDDEN => word("It must not be done"),
            _ => word("It did not work"),
        }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        match self.code() {
            StatusCode::UNAUTHORIZED => word("Sign in first."),
            StatusCode::NOT_FOUND => {
                word("It may belong to another workspace, or the address was cut off. Go to the inbox.")
            }
            StatusCode::BAD_REQUEST => word("Go back, change what is named above, and try again."),
            StatusCode::CONFLICT => word("Somebody may have been quicker. Load the page again and look."),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => word(
                "Nothing is lost: load the page again in a moment. If it stays so, see whether threadmark up runs and console.services names its address.",
            ),
            StatusCode::FORBIDDEN => word("Open the console and try again there."),
            _ => word("Load the page again; the log of the service says more."),
        }
    }

    /// As a page.
    pub(crate) fn draw(&self, lang: Lang) -> Response {
        let title = lang.t(self.title());
        let body = html! {
            main.plain #main {
                h1 { (title) }
                p dir="auto" { (self.words(lang)) }
                p { (lang.t(self.advice())) }
                p { a.button href="/inbox" { (lang.t("Go to the inbox")) } " " a href="/sign-in" { (lang.t("Sign in as somebody else")) } }
            }
        };
        (self.code(), Html(page::bare(lang, title, body).into_string())).into_response()
    }
}

/// Whether a status is not the services' own: the connection failed.
fn is_away(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.get_details_error_info().is_none()
}

/// A refusal in another language than English, if its reason is known.
fn translated(status: &Status, lang: Lang) -> Option<&'static str> {
    let reason = status.get_details_error_info().filter(|_| lang != Lang::default())?.reason;
    REFUSALS.iter().find(|(known, _)| *known == reason).map(|(_, words)| lang.t(words))
}

impl IntoResponse for Failure {
    /// [`crate::guard`] draws the page: it knows the language of whoever asks.
    fn into_response(self) -> Response {
        if matches!(self, Failure::SignIn) {
            return Redirect::to("/sign-in").into_response();
        }
        if matches!(&self, Failure::Refused(status) if status.code() == Code::Unauthenticated) {
            return ([(header::SET_COOKIE, forget())], Redirect::to("/sign-in?ended")).into_response();
        }
        if let Failure::Refused(status) = &self {
            tracing::debug!(%status, "refused");
        }
        let mut response = self.code().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Answers to what nobody knows.
pub(crate) async fn nothing_here() -> Failure {
    Failure::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_language_of_the_page_or_as_the_service_says_it() {
        let status = |reason| service::status::refused(Code::FailedPrecondition, reason, "", "ticket c-3 is not open");
        let failure = Failure::from(status("TICKET_NOT_OPEN"));
        assert_eq!(failure.words(Lang::English), "ticket c-3 is not open");
        assert_eq!(failure.words(Lang::German), "Dieses Ticket ist nicht mehr offen.");
        assert_eq!(Failure::from(status("SOMETHING_NEW")).words(Lang::German), "ticket c-3 is not open");
        assert_eq!(Failure::Nothing.words(Lang::Arabic), "لا توجد صفحة كهذه.");
    }
}
