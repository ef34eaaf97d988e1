//! Nobody gets more than the capacity says, what is too much waits in the team's queue, and whoever is free gets it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::log::{Stamped, percentile, say, stamps};
use super::town::{Town, WORKSPACE};
use crate::deployment::DEADLINE;
use crate::log::Collected;

const CAPACITY: usize = 2;
const RULE: &str = r#"
name: share
on: message.received
when: conversation.open_ticket_count == 0
do:
  - open_ticket: { topic: work }
  - assign: { team: billing, strategy: round_robin, only_online: true, fallback: team_queue }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn capacity_is_never_overshot_and_the_queue_drains_when_somebody_is_free() {
    // Six are held at first, and so many wait.
    let waiting = testkit::count("automation-capacity", 8, 200);
    let town = Town::start(3, "").await;
    let desk = &town.desk;
    desk.staff("billing", &[("ann", 2), ("bob", 2), ("cid", 2), ("late", 2)]).await;
    for agent in ["ann", "bob", "cid"] {
        desk.online(agent).await;
    }
    desk.apply(1, RULE).await;
    let mut chats = Chats::new(&town);
    // All that can be held, and one more, at once: capacity is what concurrent conversations fight for.
    let write = async |nth| desk.receive(&contact(nth), &message(nth), "hi").await;
    let crowd = futures::future::join_all((0..7).map(write)).await;
    chats.until("all of the crowd has an owner", |chats| chats.holders.len() == crowd.len()).await;
    assert_eq!(chats.held().values().copied().collect::<Vec<_>>(), [CAPACITY; 3], "{:?}", chats.holders);
    // The rest one by one, so that it is known who waits for how long.
    for nth in crowd.len()..waiting + 6 {
        let (conversation, _) = desk.receive(&contact(nth), &message(nth), "hi").await;
        chats.until("who is too much waits", |chats| chats.queue.contains(&conversation)).await;
    }
    assert_eq!((chats.held().len(), chats.queue.len()), (3, waiting));

    let mut took = Vec::new();
    // Somebody comes: the two oldest are hers.
    let oldest: Vec<String> = chats.queue[..CAPACITY].to_vec();
    let before = bus::now().0;
    desk.online("late").await;
    chats.until("who comes gets the oldest", |chats| chats.held().get("late") == Some(&CAPACITY)).await;
    for conversation in &oldest {
        assert_eq!(chats.holders[conversation].0, "late", "the oldest first");
        took.push(chats.holders[conversation].1 - before);
    }
    // Somebody is done: the oldest is hers.
    while let Some(oldest) = chats.queue.first().cloned() {
        let done = chats.holders.iter().find(|(_, (agent, _))| !agent.is_empty()).map(|(id, _)| id.clone()).unwrap();
        let agent = chats.holders[&done].0.clone();
        desk.close_all(&done, &agent, &format!("close-{done}")).await;
        chats.until("who is done gets the oldest", |chats| !chats.queue.contains(&oldest)).await;
        assert_eq!(chats.holders[&oldest].0, agent, "only {agent} is free");
        took.push(chats.holders[&oldest].1 - chats.released[&done]);
    }
    assert_eq!(took.len(), waiting);
    let [half, most] = [50, 100].map(|percent| percentile(&mut took, percent) / 1_000);
    say(&format!("{waiting} drained from the queue: p50 {half} µs, longest {most} µs after somebody was free"));
}

fn contact(nth: usize) -> String {
    format!("c{nth}")
}

fn message(nth: usize) -> String {
    format!("m{nth}")
}

/// Who has what, followed through the log.
struct Chats {
    collected: Collected,
    read: usize,
    /// Agent (empty: the team itself), and since when, of each conversation that somebody has.
    holders: BTreeMap<String, (String, i64)>,
    /// When a conversation was given up last.
    released: BTreeMap<String, i64>,
    /// What waits for the team, oldest first.
    queue: Vec<String>,
}

impl Chats {
    fn new(town: &Town) -> Chats {
        Chats {
            collected: Collected::new(&town.bus),
            read: 0,
            holders: BTreeMap::new(),
            released: BTreeMap::new(),
            queue: Vec::new(),
        }
    }

    /// How many each agent has.
    fn held(&self) -> BTreeMap<&str, usize> {
        let mut held = BTreeMap::new();
        for (agent, _) in self.holders.values().filter(|(agent, _)| !agent.is_empty()) {
            *held.entry(agent.as_str()).or_insert(0) += 1;
        }
        held
    }

    /// Reads on until a condition holds; at no time has anybody more than the capacity.
    async fn until(&mut self, what: &str, condition: impl Fn(&Chats) -> bool) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            self.collected.up_to_date().await;
            let events = self.collected.of_workspace(WORKSPACE);
            for stamp in stamps(&events[self.read..]) {
                self.take(&stamp);
                assert!(self.held().values().all(|held| *held <= CAPACITY), "{:?}", self.holders);
            }
            self.read = events.len();
            if condition(self) {
                return;
            }
            let late = tokio::time::Instant::now() > deadline;
            assert!(!late, "waited in vain until {what}: {:?}, {:?}", self.holders, self.queue);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn take(&mut self, stamp: &Stamped) {
        let Some(holder) = stamp.holder() else { return };
        let conversation = stamp.conversation.clone();
        self.queue.retain(|queued| *queued != conversation);
        if holder.agent_id.is_empty() && holder.team_id.is_empty() {
            self.holders.remove(&conversation);
            self.released.insert(conversation, stamp.recorded);
            return;
        }
        if holder.agent_id.is_empty() {
            self.queue.push(conversation.clone());
        }
        self.holders.insert(conversation, (holder.agent_id, stamp.recorded));
    }
}
