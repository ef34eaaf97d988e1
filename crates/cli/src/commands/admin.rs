//! What others are let in by.

mod keys;

use std::path::PathBuf;
use std::time::Duration;

use bus::{Bus, Options, User};
use clap::{Args, Subcommand, ValueEnum};
use proto::v1;
use proto::v1::token::Role;
use service::access::{NewToken, TokenError, Tokens};

use crate::args::Globals;
use crate::client::timely;
use crate::draw::{Align, Style, Table};
use crate::failure::Failure;
use crate::operator::OnBus;
use crate::output::Output;
use crate::session::Session;
use crate::{token, when};

const EXAMPLES: &str = "\
Roles: a reader asks; an agent also does what agents do, always as that agent; an admin also changes the directory, rules,
knowledge, webhooks and tokens; a service does everything, as anybody.

Examples:
  threadmark admin token create ana-laptop --role agent --agent ana --ttl 2160h     # shown this once
  threadmark admin token list
  threadmark admin token rotate 3f09c1d2e4b5a697 --overlap 24h    # another one; the old one expires a day later
  threadmark admin token revoke 3f09c1d2e4b5a697                  # refused from now on
The first one of all is made beside the bus, by whoever may write to it:
  threadmark admin token create first --role admin --nats nats://127.0.0.1:4222
  threadmark admin token create services --role service --all-workspaces --nats nats://… --keep service.token";

/// Set up what others are let in by.
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Tokens: who may come in, and how far
    #[command(subcommand, after_help = EXAMPLES)]
    Token(Token),
    /// Make a key for each service, and the users that the bus lets in by them
    #[command(after_help = keys::EXAMPLES)]
    Keys(keys::Keys),
    /// Make the streams and buckets of the bus, or bring them to what this version needs
    Streams(Streams),
}

/// Makes the streams and buckets of the bus, or brings them to what this version needs. Deletes nothing.
#[derive(Debug, Args)]
pub(crate) struct Streams {
    #[command(flatten)]
    bus: OnBus,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make one, and show it this once
    Create(Create),
    /// List them, newest first
    List(List),
    /// Refuse one from now on
    Revoke(Revoke),
    /// Make another like one, and let that one expire after a while
    Rotate(Rotate),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Create {
    /// What people call it
    name: String,
    /// How far it goes
    #[arg(long, value_enum)]
    role: RoleName,
    /// Who acts with it: for agents, and for admins who always act as one
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    agent: String,
    /// How long it is taken, as in 2160h [default: until it is revoked]
    #[arg(long, value_name = "DURATION", value_parser = when::length)]
    ttl: Option<Duration>,
    /// Of all workspaces: for services, with --nats
    #[arg(long, requires = "nats")]
    all_workspaces: bool,
    /// Write it into this file for its owner alone, unless one that is taken stands there; print nothing
    #[arg(long, value_name = "FILE", requires = "nats")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    beside: Beside,
}

/// For who may write to the bus itself.
#[derive(Debug, Args)]
struct Beside {
    /// Make it beside this bus, as in nats://127.0.0.1:4222, without asking a server: for the first one
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// The folder with admin.nk, where the bus has users
    #[arg(long, value_name = "DIR", requires = "nats", env = "THREADMARK_NATS__KEYS")]
    keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    beside: Beside,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Its id, as the list shows it
    id: String,
    #[command(flatten)]
    beside: Beside,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Its id, as the list shows it
    id: String,
    /// How long the old one is still taken, at most 720h
    #[arg(long, value_name = "DURATION", value_parser = when::length, default_value = "24h")]
    overlap: Duration,
    #[command(flatten)]
    beside: Beside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    Reader,
    Agent,
    Admin,
    Service,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Role {
        match name {
            RoleName::Reader => Role::Reader,
            RoleName::Agent => Role::Agent,
            RoleName::Admin => Role::Admin,
            RoleName::Service => Role::Service,
        }
    }
}

impl Admin {
    pub(crate) async fn run(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        match self {
            Admin::Token(Token::Create(create)) => create.run(globals, out).await,
            Admin::Token(Token::List(list)) => list.run(globals, out).await,
            Admin::Token(Token::Revoke(revoke)) => revoke.run(globals, out).await,
            Admin::Token(Token::Rotate(rotate)) => rotate.run(globals, out).await,
            Admin::Keys(keys) => keys.run(&out),
            Admin::Streams(streams) => streams.run(&out).await,
        }
    }
}

impl Streams {
    async fn run(self, out: &Output) -> Result<(), Failure> {
        let bus = self.bus.connect().await?;
        bus.ensure_streams().await.map_err(|error| Failure::Failed(error.to_string()))?;
        let survey = bus.survey().await.map_err(|error| Failure::Failed(error.to_string()))?;
        out.text(&format!("{} streams and buckets are as this version needs them", survey.streams.len()))
    }
}

impl Beside {
    /// The bus, where one is named.
    async fn bus(&self) -> Result<Option<Bus>, Failure> {
        let Some(url) = &self.nats else { return Ok(None) };
        let away = |error: bus::Error| Failure::Away(format!("{url}: {error}"));
        let options = Options { name: User::Admin.name().to_owned(), keys: self.keys.clone(), ..Options::new(url) };
        Bus::connect(&options).await.map(Some).map_err(away)
    }
}

fn failed(error: TokenError) -> Failure {
    match error {
        TokenError::Unknown => Failure::NotFound(error.to_string()),
        error => Failure::Failed(error.to_string()),
    }
}

fn wire(duration: Duration) -> prost_types::Duration {
    proto::duration(duration)
}

impl Create {
    async fn run(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        if (self.role == RoleName::Agent) == self.agent.is_empty() && self.role != RoleName::Admin {
            let why = "--agent goes with --role agent, which needs it, and with --role admin".to_owned();
            return Err(Failure::Usage(why));
        }
        if self.all_workspaces && self.role != RoleName::Service {
            return Err(Failure::Usage("--all-workspaces goes with --role service alone".to_owned()));
        }
        let Some(bus) = self.beside.bus().await? else { return self.ask(globals, out).await };
        let new = NewToken {
            workspace: if self.all_workspaces { String::new() } else { globals.workspace.clone() },
            name: self.name,
            role: self.role.into(),
            agent_name: self.agent.clone(),
            agent_id: self.agent,
            ttl: self.ttl,
        };
        if !new.workspace.is_empty() && !service::is_workspace_name(&new.workspace) {
            return Err(Failure::Usage(format!("{:?} is no name of a workspace", new.workspace)));
        }
        // It may be the first to come.
        bus.ensure_access().await.map_err(|error| Failure::Failed(error.to_string()))?;
        match self.keep {
            Some(file) => token::keep(&bus, &file, new).await.map(drop),
            None => {
                let (token, secret) = Tokens::of(&bus).create(new).await.map_err(failed)?;
                show(&out, Some(token), secret.expose())
            }
        }
    }

    async fn ask(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        let session = Session::open(globals, out).await?;
        let request = v1::CreateTokenRequest {
            workspace: session.workspace.clone(),
            name: self.name,
            role: Role::from(self.role).into(),
            agent_id: self.agent,
            ttl: self.ttl.map(wire),
        };
        let made = session.client.access().create_token(timely(request)).await;
        let made = made.map_err(|status| session.failure(status))?.into_inner();
        show(&session.out, made.token, &made.secret)
    }
}

/// A new token: its text goes to standard output by itself, what it is to standard error.
fn show(out: &Output, token: Option<v1::Token>, secret: &str) -> Result<(), Failure> {
    if out.is_json() {
        let made = v1::CreateTokenResponse { token, secret: secret.to_owned() };
        return out.message("CreateTokenResponse", &made);
    }
    let token = token.unwrap_or_default();
    out.remark(&format!("token {} of role {}, shown this once:", token.id, role(&token)));
    out.text(secret)
}

fn role(token: &v1::Token) -> String {
    token.role().as_str_name().to_lowercase()
}

impl List {
    async fn run(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        let zone = when::zone(globals.time_zone.as_deref()).map_err(Failure::Usage)?;
        let tokens = match self.beside.bus().await? {
            Some(bus) => Tokens::of(&bus).list(None).await.map_err(|error| failed(error.into()))?,
            None => {
                let session = Session::open(globals, out.clone()).await?;
                let request = v1::ListTokensRequest { workspace: session.workspace.clone() };
                let found = session.client.access().list_tokens(timely(request)).await;
                found.map_err(|status| session.failure(status))?.into_inner().tokens
            }
        };
        if out.is_json() {
            return tokens.iter().try_for_each(|token| out.message("Token", token));
        }
        let mut table = Table::new(&[
            ("TOKEN", Align::Whole),
            ("ROLE", Align::Left),
            ("NAME", Align::Left),
            ("WORKSPACE", Align::Left),
            ("AGENT", Align::Left),
            ("STATE", Align::Left),
        ]);
        for token in &tokens {
            let at = |time| crate::draw::words::minute(Some(time), &zone);
            let state = match (&token.revoke_time, &token.expire_time) {
                (Some(revoked), _) => format!("revoked {}", at(revoked)),
                (None, Some(end)) if proto::time(end).is_none_or(|end| end <= bus::now()) => {
                    format!("expired {}", at(end))
                }
                (None, Some(end)) => format!("until {}", at(end)),
                (None, None) => "taken".to_owned(),
            };
            let workspace = if token.workspace.is_empty() { "all" } else { &token.workspace };
            let cells = [&token.id, &role(token), &token.name, workspace, &token.agent_id, &state];
            table.row(cells.map(|cell| (Style::Plain, cell.to_owned())));
        }
        out.table(&table, "no tokens: make one with 'admin token create'")
    }
}

impl Revoke {
    async fn run(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        let token = match self.beside.bus().await? {
            Some(bus) => Tokens::of(&bus).revoke(None, &self.id).await.map_err(failed)?,
            None => {
                let session = Session::open(globals, out.clone()).await?;
                let request = v1::RevokeTokenRequest { workspace: session.workspace.clone(), id: self.id };
                let done = session.client.access().revoke_token(timely(request)).await;
                done.map_err(|status| session.failure(status))?.into_inner().token.unwrap_or_default()
            }
        };
        if out.is_json() { out.message("Token", &token) } else { out.text(&format!("token {} is revoked", token.id)) }
    }
}

impl Rotate {
    async fn run(self, globals: &Globals, out: Output) -> Result<(), Failure> {
        let (id, overlap) = (self.id, self.overlap);
        let Some(bus) = self.beside.bus().await? else {
            let session = Session::open(globals, out).await?;
            let workspace = session.workspace.clone();
            let request = v1::RotateTokenRequest { workspace, id, overlap: Some(wire(overlap)) };
            let made = session.client.access().rotate_token(timely(request)).await;
            let made = made.map_err(|status| session.failure(status))?.into_inner();
            return show(&session.out, made.token, &made.secret);
        };
        let (token, secret) = Tokens::of(&bus).rotate(None, &id, overlap).await.map_err(failed)?;
        show(&out, Some(token), secret.expose())
    }
}
