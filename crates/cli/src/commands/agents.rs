use clap::{Args, Subcommand};
use proto::v1;

use super::answer;
use super::page::Amount;
use crate::client::timely;
use crate::draw::{Align, Style, Table};
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark agents
  threadmark agents add ana --name Ana --capacity 5    # replaces what is known of her; presence stays
  threadmark agents remove ana                         # out of every team too";

/// Lists who works in the inbox, adds agents or removes them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Agents {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List agents, by id
    List(List),
    /// Add an agent, or replace what is known of one
    Add(Add),
    /// Remove an agent from the directory and from every team
    Remove(Remove),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    amount: Amount,
}

#[derive(Debug, Args)]
struct Add {
    /// 1 to 256 bytes
    id: String,
    /// What is shown [default: the id]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// Conversations that rules may assign to the agent at once; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    capacity: u32,
    /// Replace only what has this etag
    #[arg(long, value_name = "ETAG", default_value = "", hide_default_value = true)]
    etag: String,
}

#[derive(Debug, Args)]
struct Remove {
    /// The agent's id
    id: String,
}

impl Agents {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self.what.unwrap_or(What::List(self.list)) {
            What::List(list) => list.run(session).await,
            What::Add(add) => add.run(session).await,
            What::Remove(remove) => remove.run(session).await,
        }
    }
}

impl List {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut table = Table::new(&[
            ("AGENT", Align::Whole),
            ("NAME", Align::Left),
            ("CAPACITY", Align::Right),
            ("PRESENCE", Align::Left),
            ("SINCE", Align::Whole),
        ]);
        let (mut have, mut page_token) = (0, String::new());
        while let Some(page_size) = self.amount.next(have) {
            let request = v1::ListAgentsRequest { workspace: session.workspace.clone(), page_size, page_token };
            let answer = session.client.directory().list_agents(timely(request)).await;
            let page = answer.map_err(|status| session.failure(status))?.into_inner();
            have += page.agents.len();
            for agent in &page.agents {
                if session.out.is_json() {
                    session.out.message("Agent", agent)?;
                } else {
                    table.row(row(session, agent));
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if session.out.is_json() { Ok(()) } else { session.out.table(&table, "no agents: add them with 'agents add'") }
    }
}

fn row(session: &Session, agent: &v1::Agent) -> [(Style, String); 5] {
    let presence = agent.presence.unwrap_or_default();
    let (style, word) = match presence.state() {
        v1::presence::State::Online => (Style::Plain, "online"),
        v1::presence::State::Away => (Style::Dim, "away"),
        _ => (Style::Dim, "offline"),
    };
    let capacity = if agent.capacity == 0 { String::new() } else { agent.capacity.to_string() };
    [
        (Style::Plain, agent.id.clone()),
        (Style::Plain, agent.display_name.clone()),
        (Style::Plain, capacity),
        (style, word.to_owned()),
        (Style::Dim, session.recent(presence.since_time.as_ref())),
    ]
}

impl Add {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let agent = v1::Agent { id: self.id, display_name: self.name, capacity: self.capacity, ..v1::Agent::default() };
        let request =
            v1::UpsertAgentRequest { workspace: session.workspace.clone(), agent: Some(agent), etag: self.etag };
        let done = session.client.directory().upsert_agent(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        let id = done.agent.as_ref().map(|agent| agent.id.as_str()).unwrap_or_default();
        answer(session, "UpsertAgentResponse", &done, &format!("agent {id} is in the directory, etag {}", done.etag))
    }
}

impl Remove {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let words = format!("agent {} is removed; what is assigned stays assigned", self.id);
        let request = v1::DeleteAgentRequest { workspace: session.workspace.clone(), agent_id: self.id };
        let done = session.client.directory().delete_agent(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "DeleteAgentResponse", &done, &words)
    }
}
