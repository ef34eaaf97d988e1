use std::sync::Arc;
use std::time::Duration;

use service::Shutdown;
use tokio::time::sleep;

use super::body::{self, Message};
use super::desk::{Desk, Order};
use super::pace::Pace;
use super::post::Post;
use super::story::{Act, Said, Speaker, Step, Story};
use super::{Manner, Options, invent};

/// How many times the pace of people the first story of each customer has, so that there is something to see soon.
const HURRY: f64 = 6.0;
/// From one story of a customer to the next, on average, at the pace of people.
const BETWEEN_STORIES: Duration = Duration::from_secs(25);

/// What all customers share.
pub(super) struct World {
    pub(super) options: Options,
    pub(super) post: Post,
    pub(super) desk: Option<Desk>,
    pub(super) pace: Pace,
    pub(super) stop: Shutdown,
}

/// A customer, and what the business does about them.
pub(super) struct Customer {
    world: Arc<World>,
    index: u32,
    number: String,
    name: String,
    dice: fastrand::Rng,
    plot: Plot,
    /// Messages left to say; `None` for no end.
    quota: Option<u64>,
    said: u64,
    commanded: u64,
    conversation: Option<String>,
    /// The channel's ids of the last messages of both sides.
    last_said: Option<String>,
    last_heard: Option<String>,
    /// Messages of the business that the customer has not read: the channel's id and ours.
    unread: Vec<(String, String)>,
}

/// Where stories come from.
pub(super) enum Plot {
    Invented { left_open: bool },
    Written { stories: Vec<&'static Story>, next: usize },
}

impl Customer {
    pub(super) fn new(
        world: Arc<World>,
        index: u32,
        number: String,
        name: String,
        plot: Plot,
        quota: Option<u64>,
    ) -> Customer {
        let seed = world.options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(index));
        Customer {
            world,
            index,
            number,
            name,
            dice: fastrand::Rng::with_seed(seed),
            plot,
            quota,
            said: 0,
            commanded: 0,
            conversation: None,
            last_said: None,
            last_heard: None,
            unread: Vec::new(),
        }
    }

    /// Tells stories until the end.
    pub(super) async fn run(mut self) {
        self.wait(Duration::from_millis(700 * u64::from(self.index))).await;
        let mut first = true;
        while !self.is_over() {
            let (story, blanks) = (self.story(), self.blanks());
            for step in &story.steps {
                if self.is_over() {
                    return;
                }
                self.pause_before(step, if first { HURRY } else { 1.0 }).await;
                match step {
                    Step::Customer(said) => self.say(&blanks.said(said)).await,
                    Step::Business(who, act) => self.business(who, &blanks.act(act)).await,
                }
            }
            first = false;
            let pause = BETWEEN_STORIES.mul_f64(-(1.0 - self.dice.f64()).ln());
            self.wait(pause.min(BETWEEN_STORIES * 4)).await;
        }
    }

    fn is_over(&self) -> bool {
        self.world.stop.is_begun() || self.quota == Some(0)
    }

    fn story(&mut self) -> Story {
        match &mut self.plot {
            Plot::Invented { left_open } => invent::story(&mut self.dice, self.world.options.unanswered, left_open),
            Plot::Written { stories, next } => {
                if next.is_multiple_of(stories.len().max(1)) {
                    self.dice.shuffle(stories);
                }
                let story = stories.get(*next % stories.len().max(1)).map(|story| (*story).clone());
                *next += 1;
                story.unwrap_or_default()
            }
        }
    }

    fn blanks(&mut self) -> Blanks {
        let name = self.name.split_whitespace().next().unwrap_or(&self.name).to_owned();
        Blanks { number: self.dice.u32(1_000..10_000).to_string(), name }
    }

    async fn say(&mut self, said: &Said) {
        let stop = self.world.stop.clone();
        tokio::select! {
            () = self.world.pace.turn() => {}
            () = stop.begun() => return,
        }
        self.read().await;
        self.said += 1;
        self.quota = self.quota.map(|left| left.saturating_sub(1));
        let id = body::wamid(&format!("{}/{}/{}", self.world.options.seed, self.index, self.said));
        let answers = self.last_heard.clone().or_else(|| self.last_said.clone());
        let message = Message {
            id: id.clone(),
            number: &self.number,
            name: &self.name,
            said,
            answers: answers.as_deref(),
            seconds: now(),
        };
        // Nothing was said yet that one could react to.
        let item = match (said, &answers) {
            (Said::Reaction(emoji), None) => Message { said: &Said::Text(emoji.clone()), ..message }.item(),
            _ => message.item(),
        };
        self.world.post.send(item).await;
        if !matches!(said, Said::Reaction(_)) {
            self.last_said = Some(id);
        }
    }

    async fn business(&mut self, who: &Speaker, act: &Act) {
        let world = self.world.clone();
        let Some(desk) = &world.desk else { return };
        if who.kind == proto::v1::actor::Kind::Bot && !world.options.bot {
            return;
        }
        if self.conversation.is_none() {
            self.conversation = desk.conversation(&self.number).await;
        }
        let Some(conversation) = &self.conversation else { return };
        self.commanded += 1;
        let command_id = format!("simulate-{}-{}-{}", world.options.seed, self.index, self.commanded);
        let sent = desk.act(Order { conversation, speaker: who, act, command_id }).await;
        if let Some(message_id) = sent.filter(|_| world.options.statuses) {
            self.deliver(message_id).await;
        }
    }

    /// The channel reports what becomes of a message of the business.
    async fn deliver(&mut self, message_id: String) {
        let wamid = body::wamid(&message_id);
        for word in ["sent", "delivered"] {
            let pause = Duration::from_millis(self.dice.u64(200..900));
            self.wait(pause).await;
            self.report(&wamid, word, &message_id).await;
        }
        self.last_heard = Some(wamid.clone());
        self.unread.push((wamid, message_id));
    }

    /// Who writes has read what came before.
    async fn read(&mut self) {
        for (wamid, message_id) in std::mem::take(&mut self.unread) {
            self.report(&wamid, "read", &message_id).await;
        }
    }

    async fn report(&self, wamid: &str, word: &str, message_id: &str) {
        self.world.post.send(body::status(wamid, word, message_id, &self.number, now())).await;
    }

    /// As long as somebody takes to read and type.
    async fn pause_before(&mut self, step: &Step, hurry: f64) {
        let (length, thinking) = match step {
            Step::Customer(said) => (said.length(), 1_500.0),
            Step::Business(who, act) if who.kind == proto::v1::actor::Kind::Agent => (act.length(), 1_800.0),
            Step::Business(..) => (0, 700.0),
        };
        let typing = (length as f64 * 45.0).min(6_000.0);
        let millis = (thinking + typing) * (0.6 + 0.8 * self.dice.f64());
        self.wait(Duration::from_secs_f64(millis / 1_000.0 / hurry)).await;
    }

    /// Waits at the pace of people, not at all under steady load.
    async fn wait(&self, time: Duration) {
        let Manner::Natural { speed } = self.world.options.manner else { return };
        tokio::select! {
            () = sleep(time.div_f64(speed)) => {}
            () = self.world.stop.begun() => {}
        }
    }
}

/// Unix seconds.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// What stands in the place of `{n}` and `{name}`.
struct Blanks {
    number: String,
    name: String,
}

impl Blanks {
    fn fill(&self, text: &str) -> String {
        text.replace("{n}", &self.number).replace("{name}", &self.name)
    }

    fn said(&self, said: &Said) -> Said {
        match said {
            Said::Text(text) => Said::Text(self.fill(text)),
            Said::Image(text) => Said::Image(self.fill(text)),
            other => other.clone(),
        }
    }

    fn act(&self, act: &Act) -> Act {
        match act {
            Act::Say(text) => Act::Say(self.fill(text)),
            Act::Note(text) => Act::Note(self.fill(text)),
            other => other.clone(),
        }
    }
}
