//! Humans take over at random moments while the bot thinks: not one word of the bot's stands after that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proto::v1;
use proto::v1::actor::Kind;
use proto::v1::decided_entry::Entry;
use proto::v1::event::Event;
use testkit::{Cluster, NatsServer};

use crate::world::{BOT, DEADLINE, World, person};

/// Conversations at once.
const LOAD: usize = 8;
const PAUSE: Duration = Duration::from_millis(20);
/// Pause, thinking and deciding take about so long, in milliseconds: humans come at any moment of it.
const TURN: u64 = 90;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_bot_never_talks_after_a_human_took_over() {
    let nats = NatsServer::start().await;
    let url = nats.url();
    race(World::at(&url, 1, Box::new(nats), PAUSE, BOT, |_, brain| Arc::new(brain)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_bot_never_talks_after_a_human_took_over_on_three_replicas() {
    let cluster = Cluster::start(3).await;
    let url = cluster.urls().join(",");
    race(World::at(&url, 3, Box::new(cluster), PAUSE, BOT, |_, brain| Arc::new(brain)).await).await;
}

async fn race(world: World) {
    let rounds = testkit::count("bot-rounds", 50, 1_000);
    world.brain.takes(Duration::from_millis(TURN / 3));
    let client = world.conversations.clone();
    futures::stream::iter(0..rounds).for_each_concurrent(LOAD, |nth| round(client.clone(), nth)).await;
    world.idle().await;
    let outcome = Outcome::read(&world).await;
    outcome.say(rounds);
    assert_eq!(outcome.after, 0, "words of the bot after a human took over");
    assert_eq!(outcome.twice, 0, "conversations that it answered twice");
    assert_eq!(outcome.spoke + outcome.dropped, rounds);
    assert!(outcome.spoke > 0 && outcome.dropped > 0, "humans came at moments that do not matter");
    world.stop().await;
}

/// A customer asks, and a human takes over at a random moment, in one of three ways.
async fn round(
    mut client: v1::conversation_service_client::ConversationServiceClient<tonic::transport::Channel>,
    nth: usize,
) {
    let text = if nth.is_multiple_of(3) { "where is the human" } else { "refund" };
    let request = v1::ReceiveMessageRequest {
        workspace: "acme".to_owned(),
        channel: "web:1".to_owned(),
        contact: Some(v1::Contact { id: format!("c{nth}"), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage { id: format!("m{nth}"), text: text.to_owned(), ..Default::default() }),
        ..v1::ReceiveMessageRequest::default()
    };
    let conversation_id = client.receive_message(request).await.unwrap().into_inner().conversation_id;
    tokio::time::sleep(Duration::from_micros(fastrand::u64(0..TURN * 1_500))).await;
    let (workspace, actor) = ("acme".to_owned(), Some(person("ann")));
    match fastrand::u8(0..3) {
        0 => {
            let content = Some(v1::send_message_request::Content::Text("mine".to_owned()));
            let request = v1::SendMessageRequest { workspace, conversation_id, actor, content, ..Default::default() };
            client.send_message(request).await.map(drop)
        }
        1 => {
            let request = v1::OpenTicketRequest { workspace, conversation_id, actor, ..Default::default() };
            client.open_ticket(request).await.map(drop)
        }
        _ => {
            let assignee = Some(v1::Assignee { agent_id: "ann".to_owned(), ..v1::Assignee::default() });
            let request =
                v1::AssignConversationRequest { workspace, conversation_id, actor, assignee, ..Default::default() };
            client.assign_conversation(request).await.map(drop)
        }
    }
    .unwrap();
}

/// What stands on the log.
#[derive(Debug, Default)]
struct Outcome {
    /// Conversations in which the bot spoke before the human came, and those in which it never did.
    spoke: usize,
    dropped: usize,
    /// Its messages after the human came, and conversations with more than one decision of its own.
    after: usize,
    twice: usize,
}

impl Outcome {
    async fn read(world: &World) -> Outcome {
        let newest = world.bus.events_info().await.unwrap().state.last_sequence;
        let (mut reader, mut at) = (world.bus.reader(0), 0);
        // Of each conversation: whether a human came, and the decisions of the bot.
        let mut seen: BTreeMap<String, (bool, usize)> = BTreeMap::new();
        let mut outcome = Outcome::default();
        while at < newest {
            let batch = tokio::time::timeout(DEADLINE, reader.next()).await.unwrap();
            at = batch.last().unwrap().revision;
            for event in batch.iter().map(|recorded| recorded.event().unwrap()) {
                let conversation = seen.entry(event.conversation.clone()).or_default();
                let Some(Event::Decided(decided)) = &event.event else { continue };
                match event.actor.unwrap().kind() {
                    Kind::Agent => conversation.0 = true,
                    Kind::Bot => {
                        conversation.1 += 1;
                        let words = |entry: &&v1::DecidedEntry| matches!(entry.entry, Some(Entry::Message(_)));
                        let words = decided.entries.iter().filter(words).count();
                        outcome.after += if conversation.0 { words } else { 0 };
                    }
                    kind => panic!("{kind:?} decided something"),
                }
            }
        }
        outcome.spoke = seen.values().filter(|(_, bot)| *bot > 0).count();
        outcome.dropped = seen.values().filter(|(human, bot)| *human && *bot == 0).count();
        outcome.twice = seen.values().filter(|(_, bot)| *bot > 1).count();
        outcome
    }

    fn say(&self, rounds: usize) {
        #![expect(clippy::print_stderr, reason = "a measured figure, for whoever reads the output of the test")]
        eprintln!("{rounds} rounds of a human against the bot: {self:?}");
    }
}
