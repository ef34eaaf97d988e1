use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::{args, simulate};

/// Does what the command line says. Wrong usage and `--help` end the process here.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let out = Output::new(cli.globals.json, cli.globals.no_color);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return ended(&out, &Failure::Failed(format!("can't start: {error}"))),
    };
    match runtime.block_on(dispatch(cli, out.clone())) {
        Ok(code) => code,
        Err(failure) => ended(&out, &failure),
    }
}

fn ended(out: &Output, failure: &Failure) -> ExitCode {
    out.failure(failure);
    ExitCode::from(failure.exit_code())
}

/// The commands that need no server; the rest are the server's clients.
async fn dispatch(cli: Cli, out: Output) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Up(args) => return crate::up::run(args).await.map_err(failed),
        Command::NatsGuard(args) => return crate::up::guard(args).await.map_err(failed),
        Command::Completions(completions) => completions.run()?,
        Command::Simulate(arguments) => return simulate::command(arguments, &cli.globals, &out).await,
        Command::Rules(rules) => rules.run(&cli.globals, out).await?,
        Command::Doctor(doctor) => doctor.run(&cli.globals, &out).await?,
        Command::Dead(letters) => letters.run(&out).await?,
        Command::Admin(admin) => admin.run(&cli.globals, out).await?,
        command => call(command, &cli.globals, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: anyhow::Error) -> Failure {
    Failure::Failed(format!("{error:#}"))
}

async fn call(command: Command, globals: &args::Globals, out: Output) -> Result<(), Failure> {
    let session = Session::open(globals, out).await?;
    match command {
        Command::Conversations(list) => list.run(&session).await,
        Command::Conversation(show) => show.run(&session).await,
        Command::Timeline(timeline) => timeline.run(&session).await,
        Command::Watch(watch) => watch.run(&session).await,
        Command::Send(send) => send.run(&session).await,
        Command::Note(note) => note.run(&session).await,
        Command::Tag(tag) => tag.run(&session).await,
        Command::Read(read) => read.run(&session).await,
        Command::Open(open) => open.run(&session).await,
        Command::Close(close) => close.run(&session).await,
        Command::Assign(assign) => assign.run(&session).await,
        Command::Unassign(unassign) => unassign.run(&session).await,
        Command::Bot(bot) => bot.run(&session).await,
        Command::Knowledge(knowledge) => knowledge.run(&session).await,
        Command::Contact(contact) => contact.run(&session).await,
        Command::Receive(receive) => receive.run(&session).await,
        Command::Tickets(list) => list.run(&session).await,
        Command::Ticket(show) => show.run(&session).await,
        Command::Count(count) => count.run(&session).await,
        Command::Stats(stats) => stats.run(&session).await,
        Command::Audit(audit) => audit.run(&session).await,
        Command::Agents(agents) => agents.run(&session).await,
        Command::Teams(teams) => teams.run(&session).await,
        Command::Presence(presence) => presence.run(&session).await,
        Command::Webhooks(webhooks) => webhooks.run(&session).await,
        Command::Verify(verify) => verify.run(&session).await,
        Command::Status(status) => status.run(&session).await,
        Command::Health(health) => health.run(&session).await,
        Command::Up(_)
        | Command::NatsGuard(_)
        | Command::Admin(_)
        | Command::Dead(_)
        | Command::Doctor(_)
        | Command::Simulate(_)
        | Command::Completions(_)
        | Command::Rules(_) => Ok(()),
    }
}
