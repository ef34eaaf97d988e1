//! Where people say which workspace they work in and who they are.

use axum::extract::{Form, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use proto::v1;

use crate::failure::Failure;
use crate::page;
use crate::server::Shared;
use crate::session::{forget, remember};
use crate::words::{self, Fields};

/// The page on which they choose.
pub(crate) async fn show(State(app): State<Shared>, Query(asked): Query<Fields>) -> Result<Html<String>, Failure> {
    let names: Vec<&String> = app.options.workspaces.keys().collect();
    let chosen = words::field(&asked, "workspace");
    let chosen = names.iter().find(|name| name.as_str() == chosen).or(names.first());
    let body = match chosen {
        None => nothing_configured(),
        Some(chosen) => {
            let agents = app.services.agents(chosen).await?;
            choose(&names, chosen, &agents)
        }
    };
    Ok(Html(page::bare("Sign in", body).into_string()))
}

/// Remembers who it is, and goes to the inbox.
pub(crate) async fn enter(State(app): State<Shared>, Form(form): Form<Fields>) -> Result<Response, Failure> {
    let workspace = words::field(&form, "workspace");
    if !app.options.workspaces.contains_key(workspace) {
        return Err(Failure::Unreadable("There is no such workspace.".to_owned()));
    }
    let agent = words::field(&form, "agent");
    let known = app.services.agents(workspace).await?;
    let agent = match known.into_iter().find(|known| known.id == agent) {
        Some(known) => known,
        None => hire(&app, workspace, &form).await?,
    };
    let name = if agent.display_name.is_empty() { &agent.id } else { &agent.display_name };
    let cookie = remember(workspace, &agent.id, name);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}

/// Forgets who it was.
pub(crate) async fn leave() -> Response {
    ([(header::SET_COOKIE, forget())], Redirect::to("/sign-in")).into_response()
}

/// Puts somebody new into the directory.
async fn hire(app: &Shared, workspace: &str, form: &Fields) -> Result<v1::Agent, Failure> {
    let name = words::field(form, "name").trim();
    if name.is_empty() {
        return Err(Failure::Unreadable("Choose who you are, or give a name.".to_owned()));
    }
    let id: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let agent = v1::Agent { id, display_name: name.to_owned(), ..v1::Agent::default() };
    let request = v1::UpsertAgentRequest { workspace: workspace.to_owned(), agent: Some(agent), etag: String::new() };
    let hired = app.services.directory().upsert_agent(request).await?.into_inner().agent;
    hired.ok_or_else(|| Failure::Unreadable("The directory did not say who was added.".to_owned()))
}

fn nothing_configured() -> Markup {
    html! {
        main.plain #main {
            h1 { "No workspace yet" }
            p { "Name one in the configuration and start again:" }
            pre { "[[workspaces]]\nname = \"acme\"" }
        }
    }
}

fn choose(names: &[&String], chosen: &str, agents: &[v1::Agent]) -> Markup {
    html! {
        main.plain #main {
            h1 { "Who are you?" }
            @if names.len() > 1 {
                nav.tabs aria-label="Workspaces" {
                    @for name in names {
                        a href={ "/sign-in?workspace=" (name) } aria-current=[(name.as_str() == chosen).then_some("page")] { (name) }
                    }
                }
            } @else {
                p { "Workspace " strong { (chosen) } }
            }
            ul.people {
                @for agent in agents {
                    li {
                        form method="post" action="/sign-in" {
                            input type="hidden" name="workspace" value=(chosen);
                            button.person name="agent" value=(agent.id) {
                                (page::face(words::called(&agent.display_name, &agent.id)))
                                span dir="auto" { (words::called(&agent.display_name, &agent.id)) }
                            }
                        }
                    }
                }
            }
            details open[agents.is_empty()] {
                summary { "Somebody new" }
                form.line method="post" action="/sign-in" {
                    input type="hidden" name="workspace" value=(chosen);
                    label { "Your name" input name="name" required maxlength="80" autocomplete="name"; }
                    button { "Add and sign in" }
                }
            }
        }
    }
}
