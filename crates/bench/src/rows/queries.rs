//! Queries over a year of tickets, beside an echo of as many bytes from the same process.

use std::time::{Duration, Instant};

use prost::Message;
use proto::v1;
use proto::v1::ticket_service_client::TicketServiceClient;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::{Bench, round};
use crate::bare::echo::wire::EchoRequest;
use crate::bare::echo::wire::echo_client::EchoClient;
use crate::load::ask::Asker;
use crate::load::history::History;
use crate::measure::{Latencies, Pairs, ROUNDS};
use crate::table::{Line, Table, Target, Unit};

const SECTION: &str = "queries of one caller over a year of tickets (fjall), beside an echo of as many bytes";
/// Longest answer taken, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// A query to be asked.
enum Query {
    Timeline(v1::ListTimelineRequest),
    Tickets(Box<v1::ListTicketsRequest>),
    Count(v1::CountTicketsRequest),
}

type Make = fn(&mut Asker) -> Query;

const KINDS: [(&str, Make); 4] = [
    ("ListTimeline of 50", |asker| Query::Timeline(asker.timeline())),
    ("ListTickets of 50", |asker| Query::Tickets(Box::new(asker.tickets()))),
    ("CountTickets of any period", |asker| Query::Count(asker.count())),
    ("CountTickets in groups", |asker| Query::Count(asker.count_groups())),
];

/// Asks what `channel` leads to, which has followed `history`.
pub(crate) async fn measure(
    bench: &Bench,
    channel: Channel,
    history: &History,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut callers = Callers::new(channel);
    for (name, make) in KINDS {
        let (halves, tails) = measure_kind(bench, &mut callers, history, name, make).await?;
        table.push(Line::beside(SECTION, format!("{name}, p50"), Unit::Milliseconds, &halves));
        let tail = Line::beside(SECTION, format!("{name}, p99"), Unit::Milliseconds, &tails);
        table.push(tail.target(Target::RatioTo(3.0)));
        if name.starts_with("CountTickets") {
            let alone = Line::alone(SECTION, format!("{name}, p99 by itself"), Unit::Milliseconds, tails.ours());
            table.push(alone.target(Target::To(10.0)));
        }
    }
    Ok(())
}

/// The 50th and the 99th percentiles.
async fn measure_kind(
    bench: &Bench,
    callers: &mut Callers,
    history: &History,
    name: &str,
    make: Make,
) -> anyhow::Result<(Pairs, Pairs)> {
    let mut asker = Asker::new(history);
    let (mut halves, mut tails) = (Pairs::default(), Pairs::default());
    for nth in 0..=ROUNDS {
        bench.say(&format!("queries: {name}, round {nth} of {ROUNDS}"));
        let queries = (0..bench.count(2_000, 600)).map(|_| make(&mut asker)).collect();
        let (ours, bare) = round(callers.ask(queries)).await?;
        // Round 0 warms both up.
        if nth > 0 {
            halves.push(ours.percentile(50), bare.percentile(50));
            tails.push(ours.percentile(99), bare.percentile(99));
        }
    }
    Ok((halves, tails))
}

/// Both services, on one connection.
struct Callers {
    tickets: TicketServiceClient<Channel>,
    echo: EchoClient<Channel>,
}

impl Callers {
    fn new(channel: Channel) -> Callers {
        let tickets = TicketServiceClient::new(channel.clone()).max_decoding_message_size(LONGEST);
        Callers { tickets, echo: EchoClient::new(channel).max_decoding_message_size(LONGEST) }
    }

    /// Asks one after the other, and after each has an answer as long from the echo: what disturbs the machine
    /// disturbs both. How long each of both took.
    async fn ask(&mut self, queries: Vec<Query>) -> anyhow::Result<(Latencies, Latencies)> {
        let (mut ours, mut bare) = (Latencies::default(), Latencies::default());
        for query in queries {
            let (took, size) = match query {
                Query::Timeline(request) => timed(self.tickets.list_timeline(request)).await?,
                Query::Tickets(request) => timed(self.tickets.list_tickets(*request)).await?,
                Query::Count(request) => timed(self.tickets.count_tickets(request)).await?,
            };
            ours.push(took);
            let size = u32::try_from(size)?;
            bare.push(timed(self.echo.echo(EchoRequest { size })).await?.0);
        }
        Ok((ours, bare))
    }
}

/// How long a call took, and how many bytes its answer has.
async fn timed<M: Message>(
    call: impl Future<Output = Result<Response<M>, Status>>,
) -> anyhow::Result<(Duration, usize)> {
    let started = Instant::now();
    let answer = call.await?.into_inner();
    Ok((started.elapsed(), answer.encoded_len()))
}
