use clap::{Args, ValueEnum};
use proto::v1;
use v1::list_conversations_request::View;

use super::facts;
use super::page::Paging;
use crate::client::timely;
use crate::draw::{Align, Style, Table, words};
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who;

const EXAMPLES: &str = "\
Examples:
  threadmark conversations
  threadmark conversations --view unassigned
  threadmark conversations --view mine --agent ana
  threadmark conversations --search refund --json";

/// Lists conversations, newest activity first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// Which ones
    #[arg(long, value_enum, default_value = "all")]
    view: ViewName,
    /// Words in the contact's name or number, a tag or a message
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    search: String,
    /// Whose conversations '--view mine' lists [default: $USER, else "cli"]
    #[arg(long, value_name = "ID", env = "THREADMARK_AGENT")]
    agent: Option<String>,
    /// Whose conversations '--view team' lists
    #[arg(long, value_name = "ID", required_if_eq("view", "team"), default_value = "", hide_default_value = true)]
    team: String,
    /// Of this channel alone
    #[arg(long, value_name = "CHANNEL", default_value = "", hide_default_value = true)]
    channel: String,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ViewName {
    /// Every conversation
    All,
    /// Assigned to an agent
    Mine,
    /// A ticket is open and nobody is assigned
    Unassigned,
    /// The bot holds it
    Bot,
    /// Assigned to a team, or to an agent of it
    Team,
}

impl List {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut table = Table::new(&[
            ("CONVERSATION", Align::Whole),
            ("CONTACT", Align::Left),
            ("LAST", Align::Whole),
            ("OPEN", Align::Right),
            ("UNREAD", Align::Right),
            ("HELD BY", Align::Left),
            ("TAGS", Align::Left),
            ("CHANNEL", Align::Left),
        ]);
        let (mut have, mut page_token) = (0, String::new());
        while let Some(page_size) = self.paging.next(have) {
            let request = self.request(session, page_size, page_token);
            let answer = session.client.tickets().list_conversations(timely(request)).await;
            let page = answer.map_err(|status| session.failure(status))?.into_inner();
            have += page.conversations.len();
            for conversation in &page.conversations {
                if session.out.is_json() {
                    session.out.message("Conversation", conversation)?;
                } else {
                    table.row(row(session, conversation));
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if session.out.is_json() {
            return Ok(());
        }
        session.out.table(&table, "no conversations")?;
        if !page_token.is_empty() {
            session.out.remark("there are more: --all shows every one");
        }
        Ok(())
    }

    fn request(&self, session: &Session, page_size: i32, page_token: String) -> v1::ListConversationsRequest {
        let view = match self.view {
            ViewName::All => View::All,
            ViewName::Mine => View::Mine,
            ViewName::Unassigned => View::Unassigned,
            ViewName::Bot => View::Bot,
            ViewName::Team => View::Team,
        };
        v1::ListConversationsRequest {
            workspace: session.workspace.clone(),
            view: view.into(),
            agent_id: if view == View::Mine { who::me(self.agent.as_deref()) } else { String::new() },
            team_id: if view == View::Team { self.team.clone() } else { String::new() },
            query: self.search.clone(),
            page_size,
            page_token,
            min_revision: self.paging.min_revision,
            channel: self.channel.clone(),
        }
    }
}

fn row(session: &Session, conversation: &v1::Conversation) -> [(Style, String); 8] {
    let count = |count: u32| if count == 0 { String::new() } else { count.to_string() };
    [
        (Style::Plain, conversation.id.clone()),
        (Style::Strong, words::contact(conversation.contact.as_ref())),
        (Style::Plain, session.recent(conversation.last_entry_time.as_ref())),
        (Style::Primary, count(conversation.open_ticket_count)),
        (Style::Strong, count(conversation.unread_count)),
        (Style::Plain, held_by(conversation)),
        (Style::Dim, conversation.tags.join(", ")),
        (Style::Dim, conversation.channel.clone()),
    ]
}

/// Who answers next, by the rule of who holds a conversation.
fn held_by(conversation: &v1::Conversation) -> String {
    let assignee = words::assignee(conversation.assignee.as_ref());
    match (assignee.is_empty(), conversation.open_ticket_count, conversation.bot_paused) {
        (false, _, _) => assignee,
        (true, 0, false) => "bot".to_owned(),
        (true, 0, true) => "nobody, bot paused".to_owned(),
        (true, _, _) => "nobody".to_owned(),
    }
}

/// Shows a conversation.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark conversation Maya")]
pub(crate) struct Show {
    /// Its id, or its contact's name or number
    conversation: String,
    /// Wait until the view has come to this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    min_revision: i64,
}

impl Show {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let id = find::conversation(session, &self.conversation, Care::Looking).await?;
        let conversation = session.conversation(&id, self.min_revision).await?;
        if session.out.is_json() {
            return session.out.message("Conversation", &conversation);
        }
        let contact = conversation.contact.clone().unwrap_or_default();
        let list = [
            ("conversation", conversation.id.clone()),
            ("contact", words::contact(Some(&contact))),
            ("user id", contact.user_id),
            ("handle", contact.username),
            ("channel", conversation.channel.clone()),
            ("held by", held_by(&conversation)),
            ("open tickets", conversation.open_ticket_ids.join(", ")),
            ("unread", conversation.unread_count.to_string()),
            ("tags", conversation.tags.join(", ")),
            ("last entry", words::minute(conversation.last_entry_time.as_ref(), &session.zone)),
            ("continues", conversation.continues.clone()),
            ("bot", if conversation.bot_paused { "paused".to_owned() } else { String::new() }),
            ("revision", conversation.revision.to_string()),
        ];
        facts(&session.out, &list)
    }
}
