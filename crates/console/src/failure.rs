//! Why there is no page, and what to do.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::page;
use crate::session::forget;

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody has signed in.
    SignIn,
    /// There is no such page.
    Nothing,
    /// The request can't be read: says what is wrong.
    Unreadable(String),
    /// It must not be done.
    Forbidden(String),
    /// A service refused, or is away.
    Refused(Box<Status>),
}

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
    pub(crate) fn words(&self) -> String {
        match self {
            Failure::SignIn => "You are not signed in.".to_owned(),
            Failure::Nothing => "There is no such page.".to_owned(),
            Failure::Unreadable(what) | Failure::Forbidden(what) => what.clone(),
            Failure::Refused(status) if is_away(status) => "The services are away.".to_owned(),
            Failure::Refused(status) => match status.message() {
                "" => format!("It was refused ({}).", status.code()),
                words => words.to_owned(),
            },
        }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        match self.code() {
            StatusCode::UNAUTHORIZED => "Sign in first.",
            StatusCode::NOT_FOUND => "It may belong to another workspace, or the address was cut off. Go to the inbox.",
            StatusCode::BAD_REQUEST => "Go back, change what is named above, and try again.",
            StatusCode::CONFLICT => "Somebody may have been quicker. Load the page again and look.",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                "Nothing is lost: load the page again in a moment. If it stays so, see whether `threadmark up` runs and \
                 console.services names its address."
            }
            StatusCode::FORBIDDEN => "Open the page again by itself.",
            _ => "Load the page again; the log of the service says more.",
        }
    }
}

/// Whether a status is not the services' own: the connection failed.
fn is_away(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.get_details_error_info().is_none()
}

impl IntoResponse for Failure {
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
        let (code, words) = (self.code(), self.words());
        let title = code.canonical_reason().unwrap_or("It did not work");
        let body = html! {
            main.plain #main {
                h1 { (title) }
                p { (words) }
                p { (self.advice()) }
                p { a.button href="/inbox" { "Go to the inbox" } " " a href="/sign-in" { "Sign in as somebody else" } }
            }
        };
        (code, Html(page::bare(title, body).into_string())).into_response()
    }
}

/// Answers to what nobody knows.
pub(crate) async fn nothing_here() -> Failure {
    Failure::Nothing
}
