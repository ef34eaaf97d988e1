//! What workers gave up on.

use bus::{Bus, Dead, Keyring};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::v1;
use proto::v1::event::Event as Kind;
use serde_json::{Value, json};

use super::facts;
use crate::draw::{Align, Style, Table};
use crate::failure::Failure;
use crate::json;
use crate::operator::OnBus;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  threadmark dead                       # what was given up on, by whom, when and why
  threadmark dead show 12               # one of them, with the event it is about, in the clear
  threadmark dead requeue 12            # hand it to the worker that gave up, once more
  threadmark dead requeue --all bot     # everything that one worker gave up on

Mend the cause first: what fails again comes back as a new letter. Letters are kept for 30 days. Requeueing twice does no
more than once.";

/// Letters of one page.
const PAGE: usize = 1_000;

/// Dead letters: what workers gave up on; lists, shows or requeues them. Talks to the bus itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Letters {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    bus: OnBus,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List them, oldest first
    List(List),
    /// Show one with the event it is about
    Show(One),
    /// Hand one, or all of a consumer, to the worker that gave up
    Requeue(Requeue),
}

#[derive(Debug, Default, Args)]
struct List {
    /// Of this consumer alone
    #[arg(long, value_name = "CONSUMER")]
    consumer: Option<String>,
}

#[derive(Debug, Args)]
struct One {
    /// Its number, as the list shows it
    letter: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Requeue {
    /// Its number, as the list shows it
    letter: Option<u64>,
    /// Everything that this consumer gave up on
    #[arg(long, value_name = "CONSUMER")]
    all: Option<String>,
}

impl Letters {
    pub(crate) async fn run(self, out: &Output) -> Result<(), Failure> {
        let bus = self.bus.connect().await?;
        match self.what.unwrap_or(What::List(List::default())) {
            What::List(list) => list.run(&bus, out).await,
            What::Show(one) => one.show(&bus, out).await,
            What::Requeue(requeue) => requeue.run(&bus, out).await,
        }
    }
}

impl List {
    async fn run(self, bus: &Bus, out: &Output) -> Result<(), Failure> {
        let mut table = Table::new(&[
            ("LETTER", Align::Right),
            ("AGE", Align::Right),
            ("CONSUMER", Align::Left),
            ("SUBJECT", Align::Left),
            ("REVISION", Align::Right),
            ("ERROR", Align::Left),
        ]);
        for dead in all(bus, self.consumer.as_deref()).await? {
            if out.is_json() {
                out.object(&letter(&dead)?)?;
                continue;
            }
            let v1::DeadLetter { consumer, subject, revision, reason, .. } = &dead.letter;
            table.row([
                (Style::Plain, dead.place.to_string()),
                (Style::Plain, age(&dead)),
                (Style::Plain, consumer.clone()),
                (Style::Dim, subject.clone()),
                (Style::Plain, revision.to_string()),
                (Style::Plain, reason.clone()),
            ]);
        }
        if out.is_json() { Ok(()) } else { out.table(&table, "nothing was given up on") }
    }
}

impl One {
    async fn show(self, bus: &Bus, out: &Output) -> Result<(), Failure> {
        let dead = found(bus, self.letter).await?;
        let about = bus.given_up(&dead.letter).await.map_err(failed)?;
        let event = about.as_ref().and_then(|found| found.event().ok()).filter(|event| event.event.is_some());
        let (mut clear, mut words, mut causation) = (Value::Null, Vec::new(), String::new());
        if let Some(event) = &event {
            clear = parsed(&json::line("Event", event)?)?;
            causation.clone_from(&event.causation_id);
            words = said(event, bus.conversation(&event.workspace, &event.conversation).await.ok().flatten().as_ref())?;
        }
        if out.is_json() {
            return out.object(&json!({ "letter": letter(&dead)?, "event": clear, "words": words }));
        }
        let v1::DeadLetter { consumer, subject, revision, reason, .. } = &dead.letter;
        facts(
            out,
            &[
                ("letter", dead.place.to_string()),
                ("age", age(&dead)),
                ("consumer", consumer.clone()),
                ("error", reason.clone()),
                ("subject", subject.clone()),
                ("revision", revision.to_string()),
                ("caused by", causation),
                ("event", if event.is_some() { clear.to_string() } else { nothing(about.is_some()) }),
            ],
        )?;
        words.iter().try_for_each(|words| facts(out, &[("words", words.to_string())]))
    }
}

impl Requeue {
    async fn run(self, bus: &Bus, out: &Output) -> Result<(), Failure> {
        let letters = match (self.letter, &self.all) {
            (Some(place), _) => vec![found(bus, place).await?],
            (None, consumer) => all(bus, consumer.as_deref()).await?,
        };
        let mut requeued = 0;
        for dead in &letters {
            requeued += u64::from(bus.requeue(dead).await.map_err(failed)?);
        }
        if out.is_json() {
            return out.object(&json!({ "requeued": requeued }));
        }
        out.text(&format!("requeued {requeued}: 'threadmark dead' shows what fails again"))
    }
}

async fn all(bus: &Bus, consumer: Option<&str>) -> Result<Vec<Dead>, Failure> {
    let mut letters: Vec<Dead> = Vec::new();
    loop {
        let after = letters.last().map_or(0, |last| last.place);
        let page = bus.dead_letters(consumer, after, PAGE).await.map_err(failed)?;
        let last = page.len() < PAGE;
        letters.extend(page);
        if last {
            return Ok(letters);
        }
    }
}

async fn found(bus: &Bus, place: u64) -> Result<Dead, Failure> {
    let gone = || Failure::NotFound(format!("no letter {place}: it was requeued, or is older than 30 days"));
    bus.dead_letter(place).await.map_err(failed)?.ok_or_else(gone)
}

fn failed(error: bus::Error) -> Failure {
    Failure::Failed(error.to_string())
}

fn letter(dead: &Dead) -> Result<Value, Failure> {
    let mut letter = parsed(&json::line("DeadLetter", &dead.letter)?)?;
    letter["letter"] = dead.place.into();
    Ok(letter)
}

fn parsed(line: &str) -> Result<Value, Failure> {
    serde_json::from_str(line).map_err(|error| Failure::Failed(error.to_string()))
}

fn nothing(there: bool) -> String {
    if there { "no event of a conversation" } else { "gone: requeueing it will fail" }.to_owned()
}

fn age(dead: &Dead) -> String {
    let Some(time) = dead.letter.record_time.as_ref() else { return String::new() };
    let seconds = Timestamp::now().as_second().saturating_sub(time.seconds).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// What is said in an event, in the clear; nothing where the conversation's key is gone.
fn said(event: &v1::Event, keyring: Option<&Keyring>) -> Result<Vec<Value>, Failure> {
    let Some(keyring) = keyring else { return Ok(Vec::new()) };
    let message = |sealed: &[u8]| match keyring.open::<v1::SealedMessage>(sealed) {
        Ok(words) => parsed(&json::line("SealedMessage", &words)?),
        Err(error) => Ok(json!({ "sealed": error.to_string() })),
    };
    let Some(kind) = &event.event else { return Ok(Vec::new()) };
    let one = match kind {
        Kind::MessageReceived(of) => message(&of.sealed),
        Kind::MessageEchoed(of) => message(&of.sealed),
        Kind::MessageBackfilled(of) => message(&of.sealed),
        Kind::ReactionChanged(of) => message(&of.sealed),
        Kind::MessageEdited(of) => message(&of.sealed),
        Kind::MessageRevoked(of) => message(&of.sealed),
        Kind::ContactChanged(of) => message(&of.sealed),
        Kind::MessageStatusChanged(_) | Kind::MessagesRead(_) | Kind::ContactErased(_) => return Ok(Vec::new()),
        Kind::Decided(decided) => {
            let entries = decided.entries.iter().filter_map(|entry| entry.entry.as_ref());
            return entries
                .filter_map(|entry| match entry {
                    v1::decided_entry::Entry::Message(of) => Some(message(&of.sealed)),
                    v1::decided_entry::Entry::Note(of) => {
                        let note = keyring.open::<v1::SealedNote>(&of.sealed).ok()?;
                        Some(Ok(json!({ "note": note.text })))
                    }
                    v1::decided_entry::Entry::Stamp(_) => None,
                })
                .collect();
        }
    };
    Ok(vec![one?])
}
