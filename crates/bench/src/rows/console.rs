//! Pages of the console over a long view, each beside a bare ListTimeline asked right after it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use projection::Engine;
use proto::v1;
use proto::v1::directory_service_client::DirectoryServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use service::Shutdown;
use threadmark_console::{Console, Options};
use tonic::transport::Channel;

use super::{Bench, round};
use crate::child::View;
use crate::load::ask::Asker;
use crate::load::history::{AGENTS, TEAMS, WORKSPACE};
use crate::load::http::Connection;
use crate::load::log::Log;
use crate::measure::{Latencies, Pairs, ROUNDS};
use crate::table::{Line, Table, Target, Unit};
use crate::view;

const SECTION: &str = "pages of the console over a year of messages (fjall), beside a bare ListTimeline of 50";
const WEIGHT: &str = "what a browser gets of the console, with style and script";
/// What a page may take, in milliseconds.
const PROMPT: f64 = 100.0;
/// What a page may weigh, in kilobytes.
const LIGHT: f64 = 150.0;
/// Three of the five events of a story are messages.
const EVENTS_PER_MESSAGE: (u64, u64) = (5, 3);

/// A page of the console.
#[derive(Clone, Copy)]
enum Page {
    Chat,
    Scroll,
    Inbox,
    Dashboard,
    Tickets,
}

const PAGES: [(&str, Page); 5] = [
    ("a chat", Page::Chat),
    ("older messages", Page::Scroll),
    ("the inbox", Page::Inbox),
    ("the dashboard of any period", Page::Dashboard),
    ("tickets of any period", Page::Tickets),
];

pub(crate) async fn measure(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let messages = bench.messages.unwrap_or(bench.count(1_000_000, 100_000) as u64);
    let events = messages * EVENTS_PER_MESSAGE.0 / EVENTS_PER_MESSAGE.1;
    let (server, bus) = bench.server().await?;
    bench.say("console: making the keys of its chats");
    let mut log = Log::begin(&bus, events).await?;
    let mut view = View::start_with_desk(&server.url(), Engine::Fjall, WORKSPACE).await?;
    log.grow(events, |done| bench.say(&format!("console: event {done} of {events}"))).await?;
    view.catch_up(log.revision(), |done| bench.say(&format!("console: {done} of {events} applied"))).await?;
    hire(view.channel()).await?;
    let shutdown = Shutdown::new();
    let mut browser = Browser::open(&view, &shutdown).await?;
    for (name, page) in PAGES {
        let mut asker = Asker::new(log.history());
        let (mut halves, mut tails, mut weight) = (Pairs::default(), Pairs::default(), 0);
        for nth in 0..=ROUNDS {
            bench.say(&format!("console: {name}, round {nth} of {ROUNDS}"));
            let count = bench.count(300, 60);
            let (ours, bare, most) = round(browser.look(page, count, &mut asker)).await.context(name)?;
            weight = weight.max(most);
            // Round 0 warms both up.
            if nth > 0 {
                halves.push(ours.percentile(50), bare.percentile(50));
                tails.push(ours.percentile(99), bare.percentile(99));
            }
        }
        table.push(Line::beside(SECTION, format!("{name}, p50"), Unit::Milliseconds, &halves));
        let tail = Line::beside(SECTION, format!("{name}, p99"), Unit::Milliseconds, &tails);
        table.push(tail.target(Target::To(PROMPT)));
        if !matches!(page, Page::Scroll) {
            let whole = (weight + browser.assets) as f64 / 1e3;
            table.push(Line::alone(WEIGHT, name, Unit::Kilobytes, whole).target(Target::To(LIGHT)));
        }
    }
    shutdown.begin();
    Ok(())
}

/// Those whom the history names.
async fn hire(channel: Channel) -> anyhow::Result<()> {
    let mut directory = DirectoryServiceClient::new(channel);
    let workspace = WORKSPACE.to_owned();
    for nth in 0..AGENTS {
        let id = format!("agent-{nth}");
        let agent = v1::Agent { display_name: format!("{id} of the staff"), id, ..v1::Agent::default() };
        let request = v1::UpsertAgentRequest { workspace: workspace.clone(), agent: Some(agent), etag: String::new() };
        directory.upsert_agent(request).await?;
    }
    for nth in 0..TEAMS {
        let agent_ids = (nth..AGENTS).step_by(TEAMS).map(|nth| format!("agent-{nth}")).collect();
        let team = v1::Team { id: format!("team-{nth}"), agent_ids, ..v1::Team::default() };
        let request = v1::UpsertTeamRequest { workspace: workspace.clone(), team: Some(team), etag: String::new() };
        directory.upsert_team(request).await?;
    }
    Ok(())
}

/// Somebody of the staff who looks at one page after the other.
struct Browser {
    connection: Connection,
    tickets: TicketServiceClient<Channel>,
    cookie: String,
    /// Bytes of the style and the script.
    assets: usize,
}

impl Browser {
    async fn open(view: &View, shutdown: &Shutdown) -> anyhow::Result<Browser> {
        let options = Options::from_config(&view::config(WORKSPACE)?, view.address())?;
        let console = Console::bind(SocketAddr::from(([127, 0, 0, 1], 0)), options, shutdown.clone()).await?;
        let mut connection = Connection::open(console.address()?).await?;
        tokio::spawn(console.serve());
        let cookie = sign_in(&mut connection).await?;
        let tickets = TicketServiceClient::new(view.channel());
        let mut browser = Browser { connection, tickets, cookie, assets: 0 };
        // In the clear, to find what it names.
        let inbox = format!("GET /inbox HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\n\r\n", browser.cookie);
        browser.connection.send(&inbox.into()).await?;
        let page = String::from_utf8_lossy(browser.connection.received()).into_owned();
        let assets = page.split('"').filter(|text| text.starts_with("/assets/")).collect::<Vec<_>>();
        for asset in assets {
            browser.assets += browser.connection.send(&browser.get(asset)).await?;
        }
        Ok(browser)
    }

    /// As browsers ask: they take what is compressed.
    fn get(&self, path: &str) -> Bytes {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n");
        format!("{head}cookie: {}\r\n\r\n", self.cookie).into()
    }

    /// Looks at pages of one kind: how long each took, how long the bare question after it, and the bytes of the
    /// heaviest.
    async fn look(
        &mut self,
        page: Page,
        count: usize,
        asker: &mut Asker,
    ) -> anyhow::Result<(Latencies, Latencies, usize)> {
        let (mut ours, mut bare, mut most) = (Latencies::default(), Latencies::default(), 0);
        for _ in 0..count {
            let question = v1::ListTimelineRequest { from_time: None, ..asker.timeline() };
            let path = self.path(page, &question, asker).await?;
            let request = self.get(&path);
            let started = Instant::now();
            most = most.max(self.connection.send(&request).await?);
            ours.push(started.elapsed());
            bare.push(self.ask(question).await?.1);
        }
        Ok((ours, bare, most))
    }

    async fn path(
        &mut self,
        page: Page,
        question: &v1::ListTimelineRequest,
        asker: &mut Asker,
    ) -> anyhow::Result<String> {
        let chat = &question.conversation_id;
        let mut period = |path: &str| {
            let asked = asker.count();
            let time = |at: Option<prost_types::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
            format!("{path}?start={}&end={}&zone={}", time(asked.start_time), time(asked.end_time), asked.time_zone)
        };
        Ok(match page {
            Page::Chat => format!("/c/{chat}"),
            Page::Inbox => "/inbox?view=all".to_owned(),
            Page::Dashboard => period("/dashboard"),
            Page::Tickets => period("/tickets"),
            Page::Scroll => {
                let direction = v1::list_timeline_request::Direction::Older.into();
                // The console takes its own page's token: it asks the same question.
                let question = v1::ListTimelineRequest { direction, ..question.clone() };
                format!("/c/{chat}/entries?before={}", self.ask(question).await?.0)
            }
        })
    }

    /// What a bare question says of the next page, and how long its answer took.
    async fn ask(&mut self, question: v1::ListTimelineRequest) -> anyhow::Result<(String, Duration)> {
        let started = Instant::now();
        let answer = self.tickets.list_timeline(question).await?.into_inner();
        Ok((answer.next_page_token, started.elapsed()))
    }
}

/// Signs in as one of the staff; the services ask for no token. The cookie.
async fn sign_in(connection: &mut Connection) -> anyhow::Result<String> {
    let form = format!("workspace={WORKSPACE}&agent=agent-1");
    let head = "POST /sign-in HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n\
                content-type: application/x-www-form-urlencoded\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{form}", form.len());
    connection.ask(&request.into(), "303").await?;
    let answer = String::from_utf8_lossy(connection.received());
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).context("nobody was signed in")?;
    Ok(set.split(';').next().unwrap_or(set).to_owned())
}
