//! Decisions a second, beside a bare read of the last message and append under the expected sequence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bus::{Bus, Proposal, TraceParent, Verdict};
use conversation::{Action, Actor, ActorKind, Command, CommandKey, ConversationId, IfOpen, Settings, Which};
use prost::Message as _;
use proto::v1;

use super::{Bench, round};
use crate::bare::append::Appender;
use crate::measure::{Pairs, ROUNDS, rate};
use crate::table::{Line, Table, Target, Unit};

const SECTION: &str = "decisions/s over 1,000 conversations, beside a bare read and append under the expected sequence";
const CONVERSATIONS: usize = 1_000;
const WORKSPACE: &str = "bench";

pub(crate) async fn measure(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let (_server, bus) = bench.server().await?;
    let bare = Appender::new(&bus).await?;
    for writers in [1, 4, 16] {
        let what = if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") };
        let count = bench.count(3_000, 800) * if writers == 1 { 1 } else { 2 };
        let mut pairs = Pairs::default();
        for nth in 0..=ROUNDS {
            bench.say(&format!("decisions: {what}, round {nth} of {ROUNDS}"));
            let work = Arc::new(Work::new(count, (writers * 100 + nth) as u64));
            let started = Instant::now();
            let sizes = round(decide_all(&bus, &work, writers)).await?;
            let ours = rate(count, started.elapsed());
            let started = Instant::now();
            round(bare.append_all(work.conversations.clone(), sizes, writers)).await?;
            // Round 0 warms both up.
            if nth > 0 {
                pairs.push(ours, rate(count, started.elapsed()));
            }
        }
        table.push(Line::beside(SECTION, what, Unit::PerSecond, &pairs).target(Target::RatioFrom(0.7)));
    }
    Ok(())
}

/// The decisions of one round: which conversation each is made in.
struct Work {
    conversations: Arc<Vec<usize>>,
    next: AtomicUsize,
    seed: u64,
}

impl Work {
    fn new(count: usize, seed: u64) -> Work {
        let mut dice = fastrand::Rng::with_seed(seed);
        let conversations = (0..count).map(|_| dice.usize(0..CONVERSATIONS)).collect();
        Work { conversations: Arc::new(conversations), next: AtomicUsize::new(0), seed }
    }
}

/// Makes every decision and returns the size of each as it stands on the stream.
async fn decide_all(bus: &Bus, work: &Arc<Work>, writers: usize) -> anyhow::Result<Arc<Vec<usize>>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..writers {
        let (bus, work) = (bus.clone(), work.clone());
        tasks.spawn(async move { decide_some(&bus, &work).await });
    }
    let mut sizes = vec![0; work.conversations.len()];
    while let Some(done) = tasks.join_next().await {
        for (nth, size) in done?? {
            sizes[nth] = size;
        }
    }
    Ok(Arc::new(sizes))
}

async fn decide_some(bus: &Bus, work: &Work) -> anyhow::Result<Vec<(usize, usize)>> {
    let mut sizes = Vec::new();
    loop {
        let nth = work.next.fetch_add(1, Ordering::Relaxed);
        let Some(&conversation) = work.conversations.get(nth) else { return Ok(sizes) };
        let outcome = bus.decide(&proposal(work.seed, nth, conversation)?).await?;
        match outcome.verdict {
            Verdict::Decided { event, repeated: false, .. } => sizes.push((nth, v1::Event::encoded_len(&event))),
            other => anyhow::bail!("a decision that was to be appended came to {other:?}"),
        }
    }
}

/// Nine in ten say something, as agents do; each tenth opens a window and closes it.
fn proposal(seed: u64, nth: usize, conversation: usize) -> anyhow::Result<Proposal> {
    let id = format!("{seed}/{nth}");
    let actions = if nth.is_multiple_of(10) {
        let open = Action::OpenTicket { topic: "refund".to_owned(), assignee: None, if_open: IfOpen::Nest };
        vec![open, Action::CloseTicket(Which::Last)]
    } else {
        // As long as a sealed sentence.
        vec![Action::SendMessage { kind: "text".to_owned(), sealed: vec![7; 160] }]
    };
    Ok(Proposal {
        workspace: WORKSPACE.to_owned(),
        conversation: conversation_id(conversation)?,
        channel: "whatsapp:1".to_owned(),
        command: Command {
            actor: Actor::new(ActorKind::Agent, "ana"),
            actions,
            key: CommandKey { command: bus::digest(&[id.as_bytes()]), digest: 1, causation: 0 },
            expected_revision: None,
        },
        settings: Settings::default(),
        causation_id: String::new(),
        correlation_id: String::new(),
        depth: 0,
        trace: TraceParent::start(),
    })
}

fn conversation_id(nth: usize) -> anyhow::Result<ConversationId> {
    // As long as those that `bus` makes.
    ConversationId::parse(&format!("cbench{nth:017}")).ok_or_else(|| anyhow::anyhow!("no id"))
}
