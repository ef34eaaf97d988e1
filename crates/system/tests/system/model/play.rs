//! How a case is played: alone, together, beyond what is remembered, up to the bounds.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use oracle::{Action, Actor, Command, Kind};
use proto::v1;
use tonic::Code;

use super::case::{Answer, Business, Call, Case, Fact, Item, now};
use super::decided::echo;
use super::send::{refused, send};
use super::watching::Watcher;
use super::{invent, own_writes, tell};
use crate::deployment::{Clients, Endpoints, is_away, patiently};
use crate::signed;

/// What the clients of a world share.
pub(crate) struct Stage {
    pub(crate) endpoints: Endpoints,
    /// Items that were told, of every case, to be told again.
    pub(crate) told: Mutex<Vec<(Arc<Case>, Item)>>,
    /// Items that can't become events, as they were sent.
    pub(crate) bad: Mutex<BTreeSet<String>>,
}

impl Stage {
    pub(crate) fn new(endpoints: Endpoints) -> Stage {
        Stage { endpoints, told: Mutex::default(), bad: Mutex::default() }
    }
}

/// One client of a case.
struct Player {
    stage: Arc<Stage>,
    case: Arc<Case>,
    clients: Clients,
    random: Rng,
}

/// The contact's first message: half of them write where there is a webhook.
pub(crate) async fn begin(stage: &Stage, business: &Business, seed: u64) -> Case {
    let mut case = Case::new(seed, business);
    let (item, request) = tell::message(&mut Rng::with_seed(seed), &case);
    let clients = stage.endpoints.clients();
    let told = patiently("a first message to be received", || async {
        match clients.conversations.clone().receive_message(request.clone()).await {
            Ok(told) => Some(told.into_inner()),
            Err(status) if is_away(&status) => None,
            Err(status) => panic!("{status}"),
        }
    })
    .await;
    case.conversation = told.conversation_id;
    case.tell(u64::try_from(told.revision).unwrap());
    case.write(|journal| journal.items.push(item));
    case
}

/// Plays a whole case.
pub(crate) async fn play(stage: &Arc<Stage>, case: &Arc<Case>) {
    let mut random = Rng::with_seed(case.seed);
    let watcher = case.seed.is_multiple_of(3).then(|| Watcher::start(stage, case));
    if case.seed % 25 == 7 {
        alone(stage, case, &mut random, 3).await;
        beyond_memory(stage, case, &mut random).await;
    }
    if case.seed % 25 == 11 {
        to_the_bounds(stage, case, &mut random).await;
    }
    for _ in 0..random.usize(1..=2) {
        let steps = random.usize(3..9);
        alone(stage, case, &mut random, steps).await;
        let (players, steps) = (random.usize(2..=4), random.usize(2..=5));
        together(stage, case, &mut random, players, steps).await;
    }
    alone(stage, case, &mut random, 2).await;
    if let Some(watcher) = watcher {
        watcher.sees_all().await;
    }
}

fn player(stage: &Arc<Stage>, case: &Arc<Case>, random: &mut Rng) -> Player {
    Player { stage: stage.clone(), case: case.clone(), clients: stage.endpoints.clients(), random: random.fork() }
}

/// One client, so that every answer is determined.
async fn alone(stage: &Arc<Stage>, case: &Arc<Case>, random: &mut Rng, steps: usize) {
    let mut player = player(stage, case, random);
    for _ in 0..steps {
        player.step().await;
    }
}

/// Several at once; now and then all of them with the same command.
async fn together(stage: &Arc<Stage>, case: &Arc<Case>, random: &mut Rng, players: usize, steps: usize) {
    let common = (random.u8(..3) == 0).then(|| invent::command(random, case));
    let playing = (0..players).map(|_| {
        let (mut player, common) = (player(stage, case, random), common.clone());
        tokio::spawn(async move {
            if let Some(common) = common {
                send(&player.clients, &player.case, common).await;
            }
            for _ in 0..steps {
                player.step().await;
            }
        })
    });
    for played in playing.collect::<Vec<_>>() {
        played.await.unwrap();
    }
}

/// More decisions than are remembered, then the commands of before.
async fn beyond_memory(stage: &Arc<Stage>, case: &Arc<Case>, random: &mut Rng) {
    let mut player = player(stage, case, random);
    for nth in 0..66 {
        let command = Command {
            id: format!("command-note-{nth}"),
            actor: Actor::new(Kind::Agent, "ben"),
            actions: vec![Action::Note(format!("note {nth}"))],
            expected_revision: None,
        };
        send(&player.clients, case, command).await;
    }
    for _ in 0..6 {
        player.again().await;
    }
}

/// More tickets, or more tags, than there may be.
async fn to_the_bounds(stage: &Arc<Stage>, case: &Arc<Case>, random: &mut Rng) {
    let player = player(stage, case, random);
    let tags = random.bool();
    for nth in 0..if tags { 66 } else { 34 } {
        let command = invent::towards_the_bounds(random, nth, tags);
        send(&player.clients, case, command).await;
    }
}

impl Player {
    async fn step(&mut self) {
        match self.random.u8(..20) {
            0..10 => {
                let command = invent::command(&mut self.random, &self.case);
                let answer = send(&self.clients, &self.case, command.clone()).await;
                if self.random.u8(..3) == 0 {
                    own_writes::check(&self.clients, &self.case, &command, &answer).await;
                }
            }
            10..13 => self.again().await,
            13..18 if self.case.phone_number_id.is_some() => self.webhook().await,
            13..19 => self.receive().await,
            _ => self.mark_read().await,
        }
    }

    async fn again(&mut self) {
        if let Some(command) = invent::again(&mut self.random, &self.case) {
            send(&self.clients, &self.case, command).await;
        }
    }

    /// New items with some of before, of whatever case, in any order.
    async fn webhook(&mut self) {
        let count = self.random.usize(1..=4);
        let mut items: Vec<(Arc<Case>, Item)> =
            (0..count).map(|_| (self.case.clone(), tell::item(&mut self.random, &self.case))).collect();
        if self.random.u8(..3) == 0 {
            let told = self.stage.told.lock().unwrap();
            items.extend((0..3).filter_map(|_| self.random.choice(&*told).cloned()));
        }
        self.random.shuffle(&mut items);
        let floors: Vec<u64> = items.iter().map(|(case, _)| case.newest()).collect();
        let sent = now();
        let mut changes: Vec<_> = items.iter().filter_map(|(_, item)| item.change.clone()).collect();
        let bad = (self.random.u8(..6) == 0).then(|| tell::bad(&mut self.random, &self.case));
        changes.extend(bad.iter().map(|(_, change)| change.clone()));
        self.random.shuffle(&mut changes);
        self.stage.endpoints.sender().deliver(signed::body(&changes)).await;
        let answered = now();
        for ((case, item), floor) in items.iter().zip(floors) {
            taken(case, item, floor, (sent, answered));
        }
        self.stage.bad.lock().unwrap().extend(bad.map(|(raw, _)| raw));
        self.stage.told.lock().unwrap().extend(items);
    }

    async fn receive(&mut self) {
        let (mut item, mut request) = tell::message(&mut self.random, &self.case);
        // A message that was told before, by whichever door.
        let before = self.case.read(|journal| self.random.choice(&journal.items).cloned());
        if let Some(Item { id, what: Fact::Received(words), occur, .. }) = before.filter(|_| self.random.u8(..3) == 0) {
            let message = request.message.as_mut().unwrap();
            (message.id, message.text) = (id.clone(), words.clone());
            item = Item { id, occur, what: Fact::Received(words), change: None };
        }
        let expected = if self.random.u8(..4) == 0 { invent::expectation(&mut self.random, &self.case) } else { None };
        request.expected_revision = expected.map(|revision| i64::try_from(revision).unwrap());
        let (floor, sent) = (self.case.newest(), now());
        let held = patiently("a message to be received", || async {
            match self.clients.conversations.clone().receive_message(request.clone()).await {
                Ok(told) => {
                    let told = told.into_inner();
                    assert_eq!(told.conversation_id, self.case.conversation, "W1: one contact, one conversation");
                    self.case.tell(u64::try_from(told.revision).unwrap());
                    Some(true)
                }
                Err(status) => held(&status),
            }
        })
        .await;
        self.expected(expected, held, floor, sent);
        if held {
            self.case.write(|journal| journal.items.push(item));
        }
    }

    async fn mark_read(&mut self) {
        let expected = invent::expectation(&mut self.random, &self.case);
        let request = v1::MarkReadRequest {
            workspace: self.case.workspace.clone(),
            conversation_id: self.case.conversation.clone(),
            actor: Some(v1::Actor { id: "ann".to_owned(), ..agent() }),
            through_revision: if self.random.bool() { 0 } else { i64::try_from(self.case.newest()).unwrap() },
            expected_revision: expected.map(|revision| i64::try_from(revision).unwrap()),
            ..v1::MarkReadRequest::default()
        };
        let (floor, sent) = (self.case.newest(), now());
        let held = patiently("a chat to be marked as read", || async {
            match self.clients.conversations.clone().mark_read(request.clone()).await {
                Ok(told) => {
                    self.case.tell(u64::try_from(told.into_inner().revision).unwrap());
                    Some(true)
                }
                Err(status) => held(&status),
            }
        })
        .await;
        self.expected(expected, held, floor, sent);
    }

    /// Writes down whether the conversation stood where a fact expected it.
    fn expected(&self, expected_revision: Option<u64>, held: bool, floor: u64, sent: i64) {
        let command = Command {
            id: String::new(),
            actor: Actor::new(Kind::System, ""),
            actions: vec![Action::Resume],
            expected_revision,
        };
        let call = Call { command, floor, sent, answered: now(), answer: Answer::Expected(held) };
        self.case.write(|journal| journal.calls.push(call));
    }
}

/// Writes down what was taken; of an echo, that the bot was paused.
fn taken(case: &Case, item: &Item, floor: u64, (sent, answered): (i64, i64)) {
    case.write(|journal| {
        if matches!(item.what, Fact::Echoed(_)) {
            let call = Call { command: echo(&item.id), floor, sent, answered, answer: Answer::Taken };
            journal.calls.push(call);
        }
        journal.numbers.extend(tell::new_number(item));
        journal.items.push(item.clone());
    });
}

fn held(status: &tonic::Status) -> Option<bool> {
    if is_away(status) {
        return None;
    }
    match refused(status) {
        Answer::Refused(Code::Aborted, reason) if reason == "MOVED_ON" => Some(false),
        other => panic!("{other:?}: {status}"),
    }
}

fn agent() -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Agent.into(), ..v1::Actor::default() }
}
