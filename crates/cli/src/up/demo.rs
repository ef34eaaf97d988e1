//! The demo: a workspace with a channel, and customers who write to it while agents answer.

use std::net::SocketAddr;
use std::time::Duration;

use fake_graph::{FakeGraph, Fate, Report, Which};
use proto::v1;
use service::config::{Channel, ChannelKind};
use service::{Config, Secret, Shutdown, Supervisor};

use super::demo_bot;
use crate::client::{Access, Client, timely};
use crate::failure::Failure;
use crate::simulate::{self, DEMO_NUMBER, DEMO_SECRET, Options};

/// The demo's workspace: what the client commands take when none is named.
const WORKSPACE: &str = "demo";

/// The agents of the stories that the customers play, with their names.
const AGENTS: [(&str, &str); 3] = [("ana", "Ana"), ("ben", "Ben"), ("chloe", "Chloé")];
/// Their teams, each with its default assignee first.
const TEAMS: [(&str, &[&str]); 2] = [("billing", &["ben", "ana"]), ("support", &["ana", "chloe"])];
const RULES: &str = include_str!("demo.yaml");
const KNOWLEDGE: &str = include_str!("demo.csv");

/// Adds the demo's workspace and channel to the configuration.
pub(super) fn prepare(config: &mut Config) {
    config.channels.push(Channel {
        kind: ChannelKind::Whatsapp,
        workspace: WORKSPACE.to_owned(),
        phone_number_id: DEMO_NUMBER.to_owned(),
        app_secret: Secret::new(DEMO_SECRET),
        verify_token: Secret::new(DEMO_SECRET),
        access_token: Secret::default(),
        api_base: String::new(),
    });
    demo_bot::prepare(config);
}

/// Messages that the stand-in for the channel remembers: nobody asks for them.
const REMEMBERED: usize = 1_000;

/// Stands in for the channel's API: takes what is sent to the customers and tells, by signed webhooks, that it came and
/// was read. From now on the demo's channel is reached there.
///
/// # Errors
/// When no port can be had.
pub(super) async fn graph(config: &mut Config, http: SocketAddr) -> std::io::Result<FakeGraph> {
    let token = nuid::next().to_string();
    let webhooks = format!("http://{}/webhooks/whatsapp/{WORKSPACE}", super::reached(http));
    let graph = FakeGraph::builder().token(&token).webhook(webhooks, DEMO_SECRET).remember(REMEMBERED).start().await?;
    let report =
        |millis, word: &str| Report { after: Duration::from_millis(millis), word: word.to_owned(), error: None };
    graph.fate(Which::any(), Fate::of(vec![report(300, "sent"), report(900, "delivered"), report(2_500, "read")]));
    let demos = config.channels.iter_mut().filter(|channel| {
        channel.workspace == WORKSPACE && channel.phone_number_id == DEMO_NUMBER && channel.access_token.is_empty()
    });
    for channel in demos {
        channel.access_token = Secret::new(token.clone());
        channel.api_base = graph.url();
    }
    Ok(graph)
}

/// Lets the customers write and the agents answer until shutdown begins.
pub(super) fn start(http: SocketAddr, grpc: SocketAddr, access: &Access, supervisor: &Supervisor) {
    let options = Options::demo(
        format!("http://{http}/webhooks/whatsapp/{WORKSPACE}"),
        Secret::new(DEMO_SECRET),
        format!("{}://{grpc}", access.certificates.scheme()),
        access.clone(),
        WORKSPACE.to_owned(),
    );
    // What becomes of messages is told by the stand-in for the channel.
    let options = Options { statuses: false, ..options };
    let (staff, shown, until) =
        (format!("{}://{grpc}", access.certificates.scheme()), access.clone(), supervisor.shutdown().clone());
    supervisor.restart("demo staff", move || hire(staff.clone(), shown.clone(), until.clone()));
    let (bot, shown, until) =
        (format!("{}://{grpc}", access.certificates.scheme()), access.clone(), supervisor.shutdown().clone());
    supervisor.restart("demo of the bot", move || demo_bot::run(bot.clone(), shown.clone(), until.clone()));
    let shutdown = supervisor.shutdown().clone();
    supervisor.restart("demo", move || {
        let simulation = simulate::run(options.clone(), shutdown.clone());
        async move { simulation.await.map(drop) }
    });
}

/// Puts the agents, their teams and a few rules in their places, then waits for the end.
async fn hire(server: String, access: Access, shutdown: Shutdown) -> Result<(), Failure> {
    let client = Client::connect(&server, access).await?;
    let failed = |status| client.failure(status);
    let workspace = || WORKSPACE.to_owned();
    let mut directory = client.directory();
    for (id, name) in AGENTS {
        let agent = v1::Agent { id: id.to_owned(), display_name: name.to_owned(), ..v1::Agent::default() };
        let request = v1::UpsertAgentRequest { workspace: workspace(), agent: Some(agent), etag: String::new() };
        directory.upsert_agent(timely(request)).await.map_err(failed)?;
        let state = v1::presence::State::Online.into();
        let request = v1::SetPresenceRequest { workspace: workspace(), agent_id: id.to_owned(), state, ttl: None };
        directory.set_presence(timely(request)).await.map_err(failed)?;
    }
    for (id, agents) in TEAMS {
        let team = v1::Team {
            id: id.to_owned(),
            agent_ids: agents.iter().map(|&agent| agent.to_owned()).collect(),
            default_assignee: agents.first().map(|&agent| agent.to_owned()).unwrap_or_default(),
            ..v1::Team::default()
        };
        let request = v1::UpsertTeamRequest { workspace: workspace(), team: Some(team), etag: String::new() };
        directory.upsert_team(timely(request)).await.map_err(failed)?;
    }
    let request =
        v1::ApplyRulesRequest { workspace: workspace(), yaml: RULES.to_owned(), ..v1::ApplyRulesRequest::default() };
    client.automation().apply_rules(timely(request)).await.map_err(failed)?;
    let request = v1::ImportKnowledgeRequest {
        workspace: workspace(),
        name: "faq".to_owned(),
        format: v1::knowledge_document::Format::Csv.into(),
        data: KNOWLEDGE.into(),
        ..v1::ImportKnowledgeRequest::default()
    };
    client.bot().import_knowledge(timely(request)).await.map_err(failed)?;
    shutdown.begun().await;
    Ok(())
}
