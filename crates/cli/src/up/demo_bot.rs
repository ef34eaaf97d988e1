//! The demo's second workspace, whose customers talk to the bot: it answers with its source, does not understand, hands
//! off; a human answers and closes; and the bot is there again.

use std::time::Duration;

use proto::v1;
use proto::v1::timeline_entry::Entry;
use service::config::{BotSettings, Workspace};
use service::{Config, Shutdown};
use tokio::time::Instant;

use crate::client::{Access, Client, timely};
use crate::failure::Failure;

/// The workspace of these chats: `threadmark --workspace demo-bot conversations`.
const WORKSPACE: &str = "demo-bot";
const KNOWLEDGE: &str = include_str!("demo_knowledge.jsonl");
const AGENT: (&str, &str) = ("ana", "Ana");
const TEAM: &str = "support";
/// How long anybody may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the chat is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(250);
/// Between one customer and the next.
const PAUSE: Duration = Duration::from_secs(45);
const CUSTOMERS: [&str; 4] = ["Maya", "Tom", "Inês", "Yusuf"];

/// Adds the workspace to the configuration.
pub(super) fn prepare(config: &mut Config) {
    let bot = BotSettings {
        enabled: Some(true),
        name: Some("Robo".to_owned()),
        team: TEAM.to_owned(),
        agent: "default".to_owned(),
        ..BotSettings::default()
    };
    config.workspaces.push(Workspace { bot, ..Workspace::new(WORKSPACE) });
}

/// Teaches the bot, then lets one customer after the other write, until the end.
pub(super) async fn run(server: String, access: Access, shutdown: Shutdown) -> Result<(), Failure> {
    let client = Client::connect(&server, access).await?;
    let telling = async {
        teach(&client).await?;
        for nth in 0.. {
            let (name, id) = (CUSTOMERS[nth % CUSTOMERS.len()], nuid::next().to_string());
            let customer = Customer { client: &client, name, id };
            customer.story().await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    tokio::select! {
        told = telling => told,
        () = shutdown.begun() => Ok(()),
    }
}

/// Puts the agent, the team and the knowledge in their places.
async fn teach(client: &Client) -> Result<(), Failure> {
    let failed = |status| client.failure(status);
    let (id, display_name) = (AGENT.0.to_owned(), AGENT.1.to_owned());
    let agent = Some(v1::Agent { id: id.clone(), display_name, ..v1::Agent::default() });
    let request = v1::UpsertAgentRequest { workspace: WORKSPACE.to_owned(), agent, etag: String::new() };
    client.directory().upsert_agent(timely(request)).await.map_err(failed)?;
    let team =
        v1::Team { id: TEAM.to_owned(), agent_ids: vec![id.clone()], default_assignee: id, ..v1::Team::default() };
    let request = v1::UpsertTeamRequest { workspace: WORKSPACE.to_owned(), team: Some(team), etag: String::new() };
    client.directory().upsert_team(timely(request)).await.map_err(failed)?;
    let request = v1::ImportKnowledgeRequest {
        workspace: WORKSPACE.to_owned(),
        name: "shop".to_owned(),
        format: v1::knowledge_document::Format::Jsonl.into(),
        data: KNOWLEDGE.as_bytes().to_vec().into(),
        ..v1::ImportKnowledgeRequest::default()
    };
    client.bot().import_knowledge(timely(request)).await.map(drop).map_err(failed)
}

/// One customer.
struct Customer<'a> {
    client: &'a Client,
    name: &'a str,
    /// Another one each time, so that every chat is a new one.
    id: String,
}

impl Customer<'_> {
    async fn story(&self) -> Result<(), Failure> {
        let write = |nth: usize, text: &'static str| self.write(format!("{}-{nth}", self.id), text);
        let chat = write(1, "How long do I have to return something?").await?;
        self.answered(&chat, 1, 0).await?;
        write(2, "And can the blue one sing in the shower?").await?;
        let said = self.answered(&chat, 2, 0).await?;
        if said.stamps == 0 {
            // It asked back: it does not understand that either, and hands off.
            write(3, "The blue parrot, in the shower, with an echo").await?;
            self.answered(&chat, 3, 1).await?;
        }
        self.answer(&chat, "Hello, Ana here. It hums, but singing takes a second parrot.").await?;
        write(4, "Thanks, Ana!").await?;
        self.close(&chat).await?;
        let said = self.said(&chat).await?;
        write(5, "When does the shop open?").await?;
        self.answered(&chat, said.words + 1, 0).await.map(drop)
    }

    async fn write(&self, id: String, text: &str) -> Result<String, Failure> {
        let (contact, display_name) = (self.id.clone(), self.name.to_owned());
        let contact = v1::Contact { id: contact, display_name, ..v1::Contact::default() };
        let request = v1::ReceiveMessageRequest {
            workspace: WORKSPACE.to_owned(),
            channel: "web:shop".to_owned(),
            contact: Some(contact),
            message: Some(v1::ReceivedMessage { id, text: text.to_owned(), ..v1::ReceivedMessage::default() }),
            ..v1::ReceiveMessageRequest::default()
        };
        let answer = self.client.conversations().receive_message(timely(request)).await;
        Ok(answer.map_err(|status| self.client.failure(status))?.into_inner().conversation_id)
    }

    async fn answer(&self, chat: &str, text: &str) -> Result<(), Failure> {
        let request = v1::SendMessageRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: chat.to_owned(),
            actor: Some(ana()),
            content: Some(v1::send_message_request::Content::Text(text.to_owned())),
            ..v1::SendMessageRequest::default()
        };
        let sent = self.client.conversations().send_message(timely(request)).await;
        sent.map(drop).map_err(|status| self.client.failure(status))
    }

    async fn close(&self, chat: &str) -> Result<(), Failure> {
        let request = v1::CloseTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: chat.to_owned(),
            actor: Some(ana()),
            all: true,
            ..v1::CloseTicketRequest::default()
        };
        let closed = self.client.conversations().close_ticket(timely(request)).await;
        closed.map(drop).map_err(|status| self.client.failure(status))
    }

    /// Waits, not for ever, until the bot has said and stamped at least so much.
    async fn answered(&self, chat: &str, words: usize, stamps: usize) -> Result<Said, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.said(chat).await?;
            if (said.words >= words && said.stamps >= stamps) || Instant::now() > deadline {
                return Ok(said);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn said(&self, chat: &str) -> Result<Said, Failure> {
        let request = v1::ListTimelineRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: chat.to_owned(),
            page_size: 50,
            ..v1::ListTimelineRequest::default()
        };
        let page = self.client.tickets().list_timeline(timely(request)).await;
        let entries = match page {
            Ok(page) => page.into_inner().entries,
            // The view may not have heard of the chat yet.
            Err(status) if status.code() == tonic::Code::NotFound => Vec::new(),
            Err(status) => return Err(self.client.failure(status)),
        };
        let bots = |actor: &Option<v1::Actor>| actor.as_ref().is_some_and(|actor| actor.kind() == v1::actor::Kind::Bot);
        let mut said = Said::default();
        for entry in entries {
            match entry.entry {
                Some(Entry::Message(message)) => said.words += usize::from(bots(&message.actor)),
                Some(Entry::Stamp(stamp)) => said.stamps += usize::from(bots(&stamp.actor)),
                _ => {}
            }
        }
        Ok(said)
    }
}

/// How much the bot has done in a chat.
#[derive(Clone, Copy, Default)]
struct Said {
    words: usize,
    stamps: usize,
}

fn ana() -> v1::Actor {
    let (id, display_name) = (AGENT.0.to_owned(), AGENT.1.to_owned());
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id, display_name }
}
