use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    admin, agents, audit, bot, completions, contact, conversations, count, dead, doctor, health, knowledge, presence,
    projection, receive, rules, stats, talk, teams, tickets, timeline, watch, webhooks, window,
};

/// What `--help` ends with.
const FIRST_STEPS: &str = "\
First steps:
  threadmark up                              start everything, with a demo workspace and live customers
  threadmark conversations                   the chats, newest activity first
  threadmark timeline Maya                   one chat with its tickets as brackets, by id, name or number
  threadmark open Maya --topic refund        open a ticket; 'send', 'assign' and 'close' go on from there
  threadmark count --from 7d --by day        how many tickets, of any period, in any time zone

Exit codes:
  0 done   1 refused or failed   2 wrong usage   3 the server is away   4 not found";

/// A support inbox in which a ticket is a window of time in one continuous chat.
#[derive(Parser)]
#[command(name = "threadmark", version, after_help = FIRST_STEPS, disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// Where gRPC answers
    #[arg(long, global = true, value_name = "URL", env = "THREADMARK_SERVER", default_value = "http://127.0.0.1:7070")]
    pub(crate) server: String,
    /// A file that holds the token to show [default: THREADMARK_TOKEN, else what 'threadmark up' made on this machine]
    #[arg(long, global = true, value_name = "FILE", env = "THREADMARK_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The authority of the server's certificate, for https:// [default: those that the machine trusts]
    #[arg(long, global = true, value_name = "FILE", env = "THREADMARK_TLS__CA")]
    pub(crate) ca: Option<PathBuf>,
    /// The certificate to show, where the server asks for one
    #[arg(long, global = true, value_name = "FILE", env = "THREADMARK_TLS__CERT")]
    pub(crate) cert: Option<PathBuf>,
    /// Its key
    #[arg(long, global = true, value_name = "FILE", env = "THREADMARK_TLS__KEY")]
    pub(crate) key: Option<PathBuf>,
    /// The business
    #[arg(short, long, global = true, value_name = "NAME", env = "THREADMARK_WORKSPACE", default_value = "demo")]
    pub(crate) workspace: String,
    /// Print JSON, one object on each line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// IANA time zone of what is typed and shown [default: this machine's]
    #[arg(long, global = true, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Print no colors, as with NO_COLOR or into a pipe
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start everything in one process, with a demo workspace and live customers
    Up(crate::up::Args),
    /// Set up what others are then let in by: tokens
    #[command(subcommand)]
    Admin(admin::Admin),
    #[command(hide = true)]
    NatsGuard(crate::up::GuardArgs),
    /// List conversations, newest activity first
    Conversations(conversations::List),
    /// Show a conversation: contact, assignee, open tickets, tags
    Conversation(conversations::Show),
    /// Draw a chat with its stamps, and its tickets as brackets
    Timeline(timeline::Timeline),
    /// Follow a chat, or all tickets, live
    Watch(watch::Watch),
    /// Write to the customer
    Send(talk::Send),
    /// Write a note that only the staff sees
    Note(talk::Note),
    /// Add a tag to a conversation, or remove one
    #[command(subcommand)]
    Tag(talk::Tag),
    /// Mark a conversation as read
    Read(talk::Read),
    /// Open a ticket: a primary, or a nested one while a primary is open
    Open(window::Open),
    /// Close the ticket opened last, a ticket by its id, or every open one
    Close(window::Close),
    /// Assign a conversation to an agent, a team, or an agent of a team
    Assign(window::Assign),
    /// Take a conversation from whoever holds it
    Unassign(window::Unassign),
    /// Ask the bot, or pause and resume it in a conversation
    #[command(subcommand)]
    Bot(bot::Bot),
    /// What the bot knows: import, list or delete documents
    #[command(subcommand)]
    Knowledge(knowledge::Knowledge),
    /// Hand in a message from a customer, on a channel without a webhook
    Receive(receive::Receive),
    /// What is held about a contact: export it, or erase it for ever
    #[command(subcommand)]
    Contact(contact::Contact),
    /// List tickets, newest first
    Tickets(tickets::List),
    /// Show a ticket: who, when, how long, how many messages
    Ticket(tickets::Show),
    /// Count the tickets of a period
    Count(count::Count),
    /// First response and resolution of the tickets of a period, with percentiles
    Stats(stats::Stats),
    /// List who works in the inbox, add agents or remove them
    Agents(agents::Agents),
    /// List teams, add them or remove them
    Teams(teams::Teams),
    /// Say whether an agent is there
    Presence(presence::Presence),
    /// Say who did what, from the log itself
    Audit(audit::Audit),
    /// Rules that react to what happens: check, apply, list, show, switch, delete
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Let customers write through signed webhooks, and agents answer
    Simulate(crate::simulate::Arguments),
    /// Rebuild the view beside the live one and compare them
    Verify(projection::Verify),
    /// Post events to other systems
    Webhooks(webhooks::Webhooks),
    /// Say what is wrong with the bus and the services, and what to do
    Doctor(doctor::Doctor),
    /// What workers gave up on: list, show, requeue
    Dead(dead::Letters),
    /// Say how far the view has come
    Status(projection::Status),
    /// Say whether a server is well: for health checks
    Health(health::Health),
    /// Print completions for a shell
    Completions(completions::Completions),
}
