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
  threadmark teams
  threadmark teams add billing ana ben --default ana   # in the order of rotation; replaces the team
  threadmark teams remove billing";

/// Lists teams, adds them or removes them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Teams {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List teams, by id
    List(List),
    /// Add a team, or replace one
    Add(Add),
    /// Remove a team
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
    /// Its agents, in the order of rotation; each has to be in the directory
    #[arg(value_name = "AGENT")]
    agents: Vec<String>,
    /// What is shown [default: the id]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// The agent whom the strategy "default" assigns to
    #[arg(long, value_name = "AGENT", default_value = "", hide_default_value = true)]
    default: String,
    /// Replace only what has this etag
    #[arg(long, value_name = "ETAG", default_value = "", hide_default_value = true)]
    etag: String,
}

#[derive(Debug, Args)]
struct Remove {
    /// The team's id
    id: String,
}

impl Teams {
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
            ("TEAM", Align::Whole),
            ("NAME", Align::Left),
            ("DEFAULT", Align::Left),
            ("AGENTS", Align::Left),
        ]);
        let (mut have, mut page_token) = (0, String::new());
        while let Some(page_size) = self.amount.next(have) {
            let request = v1::ListTeamsRequest { workspace: session.workspace.clone(), page_size, page_token };
            let answer = session.client.directory().list_teams(timely(request)).await;
            let page = answer.map_err(|status| session.failure(status))?.into_inner();
            have += page.teams.len();
            for team in &page.teams {
                if session.out.is_json() {
                    session.out.message("Team", team)?;
                } else {
                    table.row(row(team));
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if session.out.is_json() { Ok(()) } else { session.out.table(&table, "no teams: add them with 'teams add'") }
    }
}

fn row(team: &v1::Team) -> [(Style, String); 4] {
    [
        (Style::Plain, team.id.clone()),
        (Style::Plain, team.display_name.clone()),
        (Style::Plain, team.default_assignee.clone()),
        (Style::Plain, team.agent_ids.join(", ")),
    ]
}

impl Add {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let team =
            v1::Team { id: self.id, display_name: self.name, agent_ids: self.agents, default_assignee: self.default };
        let request = v1::UpsertTeamRequest { workspace: session.workspace.clone(), team: Some(team), etag: self.etag };
        let done = session.client.directory().upsert_team(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        let (id, count) = done.team.as_ref().map(|team| (team.id.as_str(), team.agent_ids.len())).unwrap_or_default();
        let words = format!("team {id} has {count} agents, etag {}", done.etag);
        answer(session, "UpsertTeamResponse", &done, &words)
    }
}

impl Remove {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let words = format!("team {} is removed; what is assigned stays assigned", self.id);
        let request = v1::DeleteTeamRequest { workspace: session.workspace.clone(), team_id: self.id };
        let done = session.client.directory().delete_team(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "DeleteTeamResponse", &done, &words)
    }
}
