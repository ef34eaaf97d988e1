//! Where people show the token that they were given. One that names no agent, or no workspace, is asked for those too.

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use proto::v1;
use service::Secret;
use service::access::Bearer;
use tonic::Code;

use crate::failure::Failure;
use crate::lang::{Lang, word};
use crate::page;
use crate::server::Shared;
use crate::services::Services;
use crate::session::{Session, forget, remember, shown};
use crate::words::{self, Fields};

/// What is said to whose token has ended.
const ENDED: &str = word("Your token has expired or was revoked, so you were signed out. Sign in with another one.");

/// The page on which they show a token, or choose who they are.
pub(crate) async fn show(
    State(app): State<Shared>,
    lang: Lang,
    headers: HeaderMap,
    Query(asked): Query<Fields>,
) -> Result<Response, Failure> {
    let session = match shown(&headers).and_then(|id| app.sessions.find(id)) {
        Some(session) => Some((*session).clone()),
        None => without_token(&app).await?,
    };
    let Some(session) = session.filter(|session| !session.is_fixed) else {
        let why = if asked.iter().any(|(key, _)| key == "ended") { ENDED } else { "" };
        return Ok(token_page(lang, StatusCode::OK, lang.t(why)));
    };
    let names: Vec<&String> =
        app.options.workspaces.keys().filter(|name| session.only.is_empty() || session.only == **name).collect();
    let chosen = words::field(&asked, "workspace");
    let chosen = names.iter().find(|name| name.as_str() == chosen).or(names.first());
    let body = match chosen {
        None => nothing_configured(lang),
        Some(chosen) => match session.services(&app.services).agents(chosen).await {
            Ok(agents) => choose(lang, &names, chosen, &agents, &session),
            Err(status) if status.code() == Code::Unauthenticated => {
                return Ok(token_page(lang, StatusCode::OK, lang.t(ENDED)));
            }
            Err(status) => return Err(status.into()),
        },
    };
    Ok(Html(page::bare(lang, lang.t("Sign in"), body).into_string()).into_response())
}

/// Takes a token, or who it is that has shown one, and goes on.
pub(crate) async fn enter(
    State(app): State<Shared>,
    lang: Lang,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Result<Response, Failure> {
    let before = shown(&headers);
    if form.iter().any(|(key, _)| key == "token") {
        return take_token(&app, lang, &headers, words::field(&form, "token").trim()).await;
    }
    let session = match before.and_then(|id| app.sessions.find(id)) {
        Some(session) => Some((*session).clone()),
        None => without_token(&app).await?,
    };
    let Some(session) = session.filter(|session| !session.is_fixed) else { return Err(Failure::SignIn) };
    let workspace = words::field(&form, "workspace");
    if !app.options.workspaces.contains_key(workspace) || !(session.only.is_empty() || session.only == workspace) {
        return Err(Failure::Unreadable(word("There is no such workspace.")));
    }
    let services = session.services(&app.services);
    let agent = words::field(&form, "agent");
    let known = services.agents(workspace).await?;
    let agent = match known.into_iter().find(|known| known.id == agent) {
        Some(known) => known,
        None => hire(&services, workspace, &form).await?,
    };
    let name = if agent.display_name.is_empty() { agent.id.clone() } else { agent.display_name };
    let session = Session { workspace: workspace.to_owned(), agent: agent.id, name, ..session };
    Ok(begin(&app, &headers, session, "/inbox"))
}

/// Ends the session.
pub(crate) async fn leave(State(app): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(id) = shown(&headers) {
        app.sessions.end(id);
    }
    ([(header::SET_COOKIE, forget())], Redirect::to("/sign-in")).into_response()
}

/// The session that nobody has to sign in for: of services that ask for no token.
async fn without_token(app: &Shared) -> Result<Option<Session>, Failure> {
    match app.services.who_am_i().await {
        Ok(token) => Ok(Some(Session::of(&Secret::default(), &token))),
        Err(status) if status.code() == Code::Unauthenticated => Ok(None),
        Err(status) => Err(status.into()),
    }
}

async fn take_token(app: &Shared, lang: Lang, headers: &HeaderMap, token: &str) -> Result<Response, Failure> {
    let secret = Secret::new(token);
    let Ok(bearer) = Bearer::of(&secret, "the form") else {
        let why = lang.t("That is no token. Copy all of it, from tm_ to its end.");
        return Ok(token_page(lang, StatusCode::UNAUTHORIZED, why));
    };
    let token = match app.services.with(bearer).who_am_i().await {
        Ok(token) => token,
        Err(status) if status.code() == Code::Unauthenticated => {
            let words = Failure::from(status).words(lang);
            return Ok(token_page(lang, StatusCode::UNAUTHORIZED, &words));
        }
        Err(status) => return Err(status.into()),
    };
    let session = Session::of(&secret, &token);
    let next = if session.agent.is_empty() { "/sign-in" } else { "/inbox" };
    Ok(begin(app, headers, session, next))
}

/// Another id each time, so that nobody goes on with one that was there before.
fn begin(app: &Shared, headers: &HeaderMap, session: Session, next: &str) -> Response {
    if let Some(before) = shown(headers) {
        app.sessions.end(before);
    }
    let id = app.sessions.begin(session);
    ([(header::SET_COOKIE, remember(&id, headers))], Redirect::to(next)).into_response()
}

fn token_page(lang: Lang, code: StatusCode, why: &str) -> Response {
    let body = html! {
        main.plain #main {
            h1 { (lang.t("Sign in")) }
            @if !why.is_empty() { p role="alert" dir="auto" { (why) } }
            form.line method="post" action="/sign-in" {
                label { (lang.t("Your token")) input type="password" name="token" required autocomplete="current-password" maxlength="200"; }
                button { (lang.t("Sign in")) }
            }
            p.hint { (lang.t("An admin makes one with")) " " code { "threadmark admin token create" } "; " code { "threadmark up" } " " (lang.t("prints one.")) }
        }
    };
    (code, Html(page::bare(lang, lang.t("Sign in"), body).into_string())).into_response()
}

/// Puts somebody new into the directory.
async fn hire(services: &Services, workspace: &str, form: &Fields) -> Result<v1::Agent, Failure> {
    let name = words::field(form, "name").trim();
    if name.is_empty() {
        return Err(Failure::Unreadable(word("Choose who you are, or give a name.")));
    }
    let id: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let agent = v1::Agent { id, display_name: name.to_owned(), ..v1::Agent::default() };
    let request = v1::UpsertAgentRequest { workspace: workspace.to_owned(), agent: Some(agent), etag: String::new() };
    let hired = services.directory().upsert_agent(request).await?.into_inner().agent;
    hired.ok_or_else(|| Failure::Unreadable(word("The directory did not say who was added.")))
}

fn nothing_configured(lang: Lang) -> Markup {
    html! {
        main.plain #main {
            h1 { (lang.t("No workspace yet")) }
            p { (lang.t("Name one in the configuration and start again:")) }
            pre dir="ltr" { "[[workspaces]]\nname = \"acme\"" }
        }
    }
}

fn choose(lang: Lang, names: &[&String], chosen: &str, agents: &[v1::Agent], session: &Session) -> Markup {
    html! {
        main.plain #main {
            h1 { (lang.t("Who are you?")) }
            @if !session.token.is_empty() {
                p { (lang.t("This token names no agent: choose as whom you act. All that you do is recorded under that name.")) }
            }
            @if names.len() > 1 {
                nav.tabs aria-label=(lang.t("Workspaces")) {
                    @for name in names {
                        a href={ "/sign-in?workspace=" (name) } aria-current=[(name.as_str() == chosen).then_some("page")] { (name) }
                    }
                }
            } @else {
                p { (lang.t("Workspace")) " " strong { (chosen) } }
            }
            ul.people {
                @for agent in agents {
                    li {
                        form method="post" action="/sign-in" {
                            input type="hidden" name="workspace" value=(chosen);
                            button.person name="agent" value=(agent.id) {
                                (page::face(words::called(&agent.display_name, &agent.id)))
                                bdi { (words::called(&agent.display_name, &agent.id)) }
                            }
                        }
                    }
                }
            }
            @if session.hires {
                details open[agents.is_empty()] {
                    summary { (lang.t("Somebody new")) }
                    form.line method="post" action="/sign-in" {
                        input type="hidden" name="workspace" value=(chosen);
                        label { (lang.t("Your name")) input name="name" required maxlength="80" autocomplete="name"; }
                        button { (lang.t("Add and sign in")) }
                    }
                }
            } @else if agents.is_empty() {
                p { (lang.t("Nobody is in the directory yet: an admin adds agents.")) }
            }
        }
    }
}
