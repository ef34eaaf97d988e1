//! What is held about a person: to hand it out, and to end it.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use proto::v1;
use proto::v1::erase_contact_response::Step;

use super::contact_export;
use crate::client::timely;
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who;

const EXPORT_HELP: &str = "\
Examples:
  threadmark contact export Maya --output maya.json         # files lie in maya.json.media beside it
  threadmark contact export 12125550100 --media embed       # everything in one document
The conversation and those that it continues, or that continue it: tickets, timeline, what stands in the log with the
words unsealed, addresses, runs of rules and turns of the bot, sends, and what names the contact among rejected items and
events of other systems.";

const ERASE_HELP: &str = "\
Examples:
  threadmark contact erase cGzKp2b7QwXyZ0123456789          # asks first
  threadmark contact erase 12125550100 --yes --agent ana
The key of the conversation is overwritten: nothing that was said there can be read again, by nobody. Times, stamps,
tickets and counts stay. Close open tickets first. What broke off goes on when it is asked for again. A contact that
writes again is a new one. Backups made before hold the key until they are gone.";

/// A page of conversations and of everything else.
const PAGE: i32 = 1_000;

/// What is held about a contact.
#[derive(Debug, Subcommand)]
pub(crate) enum Contact {
    /// Write everything about a contact as JSON
    Export(Export),
    /// Erase a contact for ever
    Erase(Erase),
}

#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub(crate) struct Export {
    /// Its conversation's id, or its name or number
    contact: String,
    /// Where to write it [default: here]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to do with files [default: beside with --output, else none]
    #[arg(long, value_enum)]
    media: Option<Media>,
}

/// What becomes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Media {
    /// In a directory beside the document
    Beside,
    /// As base64 in the document
    Embed,
    /// Only what they are
    None,
}

#[derive(Debug, Args)]
#[command(after_help = ERASE_HELP)]
pub(crate) struct Erase {
    /// Its conversation's id, or its name or number
    contact: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Who erases [default: $USER, else "cli"]
    #[arg(long, value_name = "ID", env = "THREADMARK_AGENT")]
    agent: Option<String>,
}

impl Contact {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Contact::Export(export) => export.run(session).await,
            Contact::Erase(erase) => erase.run(session).await,
        }
    }
}

impl Export {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let media = match (self.media, &self.output) {
            (Some(Media::Beside), None) => {
                return Err(Failure::Usage("files lie beside a document: say --output FILE, or --media embed".into()));
            }
            (Some(media), _) => media,
            (None, Some(_)) => Media::Beside,
            (None, None) => Media::None,
        };
        let id = find::conversation(session, &self.contact, Care::Acting).await?;
        let conversations = linked(session, &id).await?;
        contact_export::write(session, &conversations, self.output.as_deref(), media).await
    }
}

impl Erase {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let id = find::conversation(session, &self.contact, Care::Acting).await?;
        let conversations = linked(session, &id).await?;
        if !self.yes {
            confirm(&conversations)?;
        }
        let actor = v1::Actor {
            kind: v1::actor::Kind::Agent.into(),
            id: who::me(self.agent.as_deref()),
            ..v1::Actor::default()
        };
        for conversation in &conversations {
            let request = v1::EraseContactRequest {
                workspace: session.workspace.clone(),
                conversation_id: conversation.clone(),
                actor: Some(actor.clone()),
            };
            let steps = session.client.contacts().erase_contact(request).await;
            let mut steps = steps.map_err(|status| session.failure(status))?.into_inner();
            let mut done = false;
            while let Some(step) = steps.message().await.map_err(|status| session.failure(status))? {
                done |= step.step() == Step::Erased;
                if session.out.is_json() {
                    session.out.message("EraseContactResponse", &step)?;
                } else {
                    session.out.text(&words(conversation, &step))?;
                }
            }
            if !done {
                return Err(Failure::Failed("it broke off: the same command goes on with it".to_owned()));
            }
        }
        Ok(())
    }
}

fn words(conversation: &str, step: &v1::EraseContactResponse) -> String {
    let removed = |what: &str| format!("{} {what} removed", step.count);
    let what = match step.step() {
        Step::Marked => "marked: nobody reads or writes in it any more".to_owned(),
        Step::Queues => removed("timers and waiting messages"),
        Step::Media => removed("files"),
        Step::Runs => removed("runs of rules and turns of the bot"),
        Step::Sends => removed("records of sends"),
        Step::External => removed("events of other systems"),
        Step::Rejected => removed("rejected items"),
        Step::DeadLetters => removed("dead letters"),
        Step::Aliases => removed("addresses"),
        Step::Key => removed("keys"),
        Step::Erased => format!("erased, at revision {}", step.revision),
        Step::Unspecified => "a step that this version does not know".to_owned(),
    };
    format!("{conversation}  {what}")
}

fn confirm(conversations: &[String]) -> Result<(), Failure> {
    let sure = || Failure::Usage("nothing was erased: say --yes to erase without being asked".to_owned());
    if !std::io::stdin().is_terminal() {
        return Err(sure());
    }
    let failed = |error: std::io::Error| Failure::Failed(error.to_string());
    let mut out = std::io::stderr();
    write!(out, "This erases {} for ever. Type 'erase' to go on: ", conversations.join(", ")).map_err(failed)?;
    out.flush().map_err(failed)?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).map_err(failed)?;
    if typed.trim() == "erase" { Ok(()) } else { Err(sure()) }
}

/// The conversation with all that it goes on from, and that go on from it: they are one person's.
async fn linked(session: &Session, id: &str) -> Result<Vec<String>, Failure> {
    let mut continues: HashMap<String, String> = HashMap::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListConversationsRequest {
            workspace: session.workspace.clone(),
            page_size: PAGE,
            page_token,
            ..v1::ListConversationsRequest::default()
        };
        let page = session.client.tickets().list_conversations(timely(request)).await;
        let page = page.map_err(|status| session.failure(status))?.into_inner();
        let links = page.conversations.into_iter().filter(|conversation| !conversation.continues.is_empty());
        continues.extend(links.map(|conversation| (conversation.id, conversation.continues)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(together(id, &continues))
}

fn together(id: &str, continues: &HashMap<String, String>) -> Vec<String> {
    let mut all = BTreeSet::from([id.to_owned()]);
    loop {
        let before = all.len();
        for (newer, older) in continues {
            if all.contains(newer) || all.contains(older) {
                all.extend([newer.clone(), older.clone()]);
            }
        }
        if all.len() == before {
            return all.into_iter().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_continues_each_other_is_one_persons() {
        let links = [("b", "a"), ("c", "b"), ("y", "x")].map(|(newer, older)| (newer.to_owned(), older.to_owned()));
        let continues = HashMap::from(links);
        for id in ["a", "b", "c"] {
            assert_eq!(together(id, &continues), ["a", "b", "c"]);
        }
        assert_eq!(together("z", &continues), ["z"]);
    }
}
