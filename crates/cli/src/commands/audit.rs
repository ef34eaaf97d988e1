//! Who did what: the log as acts, without any word that was said.

use clap::{Args, ValueEnum};
use proto::v1;
use v1::deed::Kind;

use super::again::{Again, Cut, next_or_end};
use crate::draw::{Line, Style, clean, words};
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;

/// How wide the columns are, as far as their words let them.
const REVISION: usize = 9;
const ACTOR: usize = 24;
const CONVERSATION: usize = 23;

const EXAMPLES: &str = "\
Examples:
  threadmark audit --since today
  threadmark audit --actor agent:ana --since 7d --until yesterday
  threadmark audit --actor bot --act opened      # every ticket that the bot opened
  threadmark audit --conversation Maya --json | jq -r '[.time, .actor.id, .deeds[].kind] | @tsv'
  threadmark audit --follow                      # from now on; --since or --after add what was before
Oldest first. It holds no word of messages, notes or customers. It takes a token of role admin. Changes of tokens,
rules, webhooks, agents and knowledge are not in the log: 'threadmark admin token list' says when tokens were made.";

/// Says who did what, from the log itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Audit {
    /// Recorded at this time or later, as in 2026-11-01, today, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Recorded before this time
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    until: Option<String>,
    /// Of one actor, or of one kind: agent:ana, rule:refunds, bot, system
    #[arg(long, value_name = "KIND[:ID]", value_parser = actor)]
    actor: Option<Who>,
    /// Of one conversation: its id, or its contact's name or number
    #[arg(long, value_name = "CONVERSATION")]
    conversation: Option<String>,
    /// Acts in which one of these was done
    #[arg(long = "act", value_name = "ACT", value_delimiter = ',')]
    acts: Vec<Deed>,
    /// What stands behind this revision
    #[arg(long, value_name = "REVISION")]
    after: Option<i64>,
    /// Go on with what is done from now on; Ctrl-C ends it
    #[arg(long)]
    follow: bool,
}

/// Whose acts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Who {
    kind: v1::actor::Kind,
    id: String,
}

fn actor(text: &str) -> Result<Who, String> {
    let (kind, id) = text.split_once(':').unwrap_or((text, ""));
    let kind = match kind {
        "agent" => v1::actor::Kind::Agent,
        "bot" => v1::actor::Kind::Bot,
        "rule" => v1::actor::Kind::Automation,
        "system" => v1::actor::Kind::System,
        other => return Err(format!("{other:?} is no kind of actor: say agent, bot, rule or system, or KIND:ID")),
    };
    Ok(Who { kind, id: id.to_owned() })
}

/// What can be done.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Deed {
    Opened,
    Closed,
    Assigned,
    Unassigned,
    Sent,
    Noted,
    Tagged,
    Untagged,
    PausedBot,
    ResumedBot,
    Reacted,
    Edited,
    Revoked,
    Erased,
}

impl From<Deed> for Kind {
    fn from(deed: Deed) -> Kind {
        match deed {
            Deed::Opened => Kind::TicketOpened,
            Deed::Closed => Kind::TicketClosed,
            Deed::Assigned => Kind::Assigned,
            Deed::Unassigned => Kind::Unassigned,
            Deed::Sent => Kind::MessageSent,
            Deed::Noted => Kind::NoteAdded,
            Deed::Tagged => Kind::TagAdded,
            Deed::Untagged => Kind::TagRemoved,
            Deed::PausedBot => Kind::BotPaused,
            Deed::ResumedBot => Kind::BotResumed,
            Deed::Reacted => Kind::Reacted,
            Deed::Edited => Kind::MessageEdited,
            Deed::Revoked => Kind::MessageRevoked,
            Deed::Erased => Kind::ContactErased,
        }
    }
}

impl Audit {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = match &self.conversation {
            Some(conversation) => find::conversation(session, conversation, Care::Looking).await?,
            None => String::new(),
        };
        // To follow without saying since when is to begin now.
        let now = self.follow && self.since.is_none() && self.after.is_none();
        let since = if now { Some("now") } else { self.since.as_deref() };
        let who = self.actor.unwrap_or(Who { kind: v1::actor::Kind::Unspecified, id: String::new() });
        let mut request = v1::ReadActsRequest {
            workspace: session.workspace.clone(),
            start_time: session.instant(since)?,
            end_time: session.instant(self.until.as_deref())?,
            actor_kind: who.kind.into(),
            actor_id: who.id,
            conversation_id,
            kinds: self.acts.into_iter().map(|deed| Kind::from(deed).into()).collect(),
            after_revision: self.after.unwrap_or(0),
            follow: self.follow,
        };
        let (mut again, mut told) = (Again::default(), false);
        loop {
            match until_cut(session, &mut request, &mut again, &mut told).await {
                Ok(()) if told || session.out.is_json() => return Ok(()),
                Ok(()) => return session.out.line(&Line::of(Style::Dim, "nothing was done")),
                // What was told is not told again: the request goes on behind it.
                Err(cut) if request.follow => again.after(session, cut).await?,
                Err(cut) => return Err(cut.failure(session)),
            }
        }
    }
}

/// Tells all acts, until the end or a cut.
async fn until_cut(
    session: &Session,
    request: &mut v1::ReadActsRequest,
    again: &mut Again,
    told: &mut bool,
) -> Result<(), Cut> {
    let mut stream = session.client.audit().read_acts(request.clone()).await?.into_inner();
    while let Some(news) = next_or_end(&mut stream).await? {
        again.well(session);
        if let Some(act) = &news.act {
            if session.out.is_json() {
                session.out.message("Act", act)?;
            } else {
                if !*told {
                    session.out.line(&heading())?;
                }
                session.out.line(&line(session, act))?;
            }
            *told = true;
        }
        request.after_revision = request.after_revision.max(news.revision);
    }
    Ok(())
}

fn heading() -> Line {
    let mut line = Line::of(Style::Dim, "TIME");
    line.pad_to(27);
    line = line.with(
        Style::Dim,
        format!("{:>REVISION$}  {:<ACTOR$}  {:<CONVERSATION$}  DID", "REVISION", "ACTOR", "CONVERSATION"),
    );
    line
}

fn line(session: &Session, act: &v1::Act) -> Line {
    let time = words::zoned(act.time.as_ref(), &session.zone);
    let time = time.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default();
    let mut line = Line::of(Style::Plain, time);
    line.pad_to(27);
    let deeds: Vec<String> = act.deeds.iter().map(did).collect();
    line.with(Style::Dim, format!("{:>REVISION$}  ", act.revision))
        .with(Style::Plain, format!("{:<ACTOR$}  ", who(act.actor.as_ref())))
        .with(Style::Dim, format!("{:<CONVERSATION$}  ", clean(&act.conversation_id)))
        .with(Style::Plain, deeds.join(", "))
}

/// As `--actor` takes it, with the name that was shown.
fn who(actor: Option<&v1::Actor>) -> String {
    let Some(actor) = actor else { return "?".to_owned() };
    let kind = match actor.kind() {
        v1::actor::Kind::Agent => "agent",
        v1::actor::Kind::Bot => "bot",
        v1::actor::Kind::Automation => "rule",
        v1::actor::Kind::System => "system",
        v1::actor::Kind::Customer => "customer",
        v1::actor::Kind::Unspecified => "?",
    };
    let id = if actor.id.is_empty() { kind.to_owned() } else { format!("{kind}:{}", clean(&actor.id)) };
    if actor.display_name.is_empty() { id } else { format!("{id} ({})", clean(&actor.display_name)) }
}

fn did(deed: &v1::Deed) -> String {
    let (ticket, tag) = (clean(&deed.ticket_id), clean(&deed.tag));
    match deed.kind() {
        Kind::Unspecified => "did what this version has no word for".to_owned(),
        Kind::TicketOpened if deed.topic.is_empty() => format!("opened {ticket}"),
        Kind::TicketOpened => format!("opened {ticket} ({})", clean(&deed.topic)),
        Kind::TicketClosed => format!("closed {ticket}"),
        Kind::Assigned => format!("assigned to {}", words::assignee(deed.assignee.as_ref())),
        Kind::Unassigned => "unassigned".to_owned(),
        Kind::MessageSent => format!("sent {}", clean(&deed.message_type)),
        Kind::NoteAdded => "noted".to_owned(),
        Kind::TagAdded => format!("tagged {tag}"),
        Kind::TagRemoved => format!("untagged {tag}"),
        Kind::BotPaused => "paused the bot".to_owned(),
        Kind::BotResumed => "resumed the bot".to_owned(),
        Kind::Reacted => "reacted".to_owned(),
        Kind::MessageEdited => "edited a message".to_owned(),
        Kind::MessageRevoked => "revoked a message".to_owned(),
        Kind::ContactErased => "erased the contact".to_owned(),
    }
}
