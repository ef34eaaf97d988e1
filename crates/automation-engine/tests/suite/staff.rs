//! A workspace with agents and teams, and processes that assign its conversations.

use std::collections::BTreeMap;
use std::time::Duration;

use automation_engine::assign::{
    Ask, AssignOptions, Assigner, Chosen, Fallback, Picked, Settled, Spec, Step, Strategy,
};
use bus::{Bus, DecideError, Directory, Error, Loaded, Options, Outcome, Proposal, TraceParent, digest, now};
use conversation::{Action, Actor, ActorKind, Assignee, Command, CommandKey, ConversationId, IfOpen, Settings, Which};
use proto::v1;
use proto::v1::presence::State;
use testkit::NatsServer;
use tokio::sync::watch;

pub(crate) const ACME: &str = "acme";
pub(crate) const LONG: Duration = Duration::from_secs(90);

/// One process's worth of an engine.
pub(crate) struct Process {
    pub(crate) bus: Bus,
    pub(crate) assigner: Assigner,
    stop: watch::Sender<bool>,
    tasks: tokio::task::JoinSet<()>,
}

impl Process {
    pub(crate) async fn start(server: &NatsServer) -> Process {
        Process::with(server, AssignOptions::default()).await
    }

    pub(crate) async fn with(server: &NatsServer, options: AssignOptions) -> Process {
        let bus = connect(server).await;
        bus.ensure_streams().await.unwrap();
        let (stop, stopping) = watch::channel(false);
        let directory = Directory::new(bus.clone());
        let assigner = Assigner::new(bus.clone(), directory.clone(), options);
        let mut tasks = tokio::task::JoinSet::new();
        let stops = stopping.clone();
        tasks.spawn(async move { directory.follow(stops).await });
        let (reconciler, stops) = (assigner.clone(), stopping.clone());
        tasks.spawn(async move { reconciler.reconcile(stops).await.unwrap() });
        let drainer = assigner.clone();
        tasks.spawn(async move { drainer.drain(stopping).await });
        Process { bus, assigner, stop, tasks }
    }

    /// Everything stops where it is, as by kill -9.
    pub(crate) fn kill(mut self) {
        self.tasks.abort_all();
    }

    pub(crate) async fn stop(self) {
        self.stop.send(true).unwrap();
        self.tasks.join_all().await;
    }

    pub(crate) async fn agent(&self, id: &str, capacity: u32) {
        let agent = v1::Agent { id: id.to_owned(), capacity, ..v1::Agent::default() };
        self.bus.roster().upsert_agent(ACME, agent, None).await.unwrap();
    }

    pub(crate) async fn team(&self, id: &str, agents: &[&str]) {
        let agent_ids = agents.iter().map(|id| (*id).to_owned()).collect();
        let team = v1::Team { id: id.to_owned(), agent_ids, ..v1::Team::default() };
        self.bus.roster().upsert_team(ACME, team, None).await.unwrap().unwrap();
    }

    pub(crate) async fn presence(&self, agent: &str, state: State) {
        self.bus.roster().set_presence(ACME, agent, state, None, now()).await.unwrap().unwrap();
    }

    /// What a run of a rule does: opens a ticket and assigns the conversation, in one decision, until it is done.
    /// What was picked; `None` when it had been done before.
    pub(crate) async fn run(&self, conversation: &str, spec: &Spec) -> Option<Picked> {
        let conversation = ConversationId::parse(conversation).unwrap();
        let (command, mut picked) = (digest(&[conversation.as_str().as_bytes()]), None);
        loop {
            let Ok(loaded) = self.bus.load(ACME, &conversation).await else { continue };
            if picked.is_none() && loaded.state().recent.iter().any(|recent| recent.key.command == command) {
                return None;
            }
            let Ok(pick) = self.assigner.pick(&ask(&conversation, &loaded, spec)).await else { continue };
            let pick = picked.insert(pick);
            let settled = match self.decide(&loaded, pick).await {
                Ok(outcome) => Settled::Decided(outcome.revision),
                Err(DecideError::Bus(Error::Conflict | Error::Away { .. })) => continue,
                Err(error) => panic!("{error}"),
            };
            while self.assigner.settle(pick, settled).await.is_err() {}
            return picked;
        }
    }

    async fn decide(&self, loaded: &Loaded, picked: &Picked) -> Result<Outcome, DecideError> {
        let open = Action::OpenTicket { topic: String::new(), assignee: None, if_open: IfOpen::Nest };
        let assign = picked.assignee().map(Action::Assign);
        let id = picked.conversation.as_str();
        let proposal = proposal(loaded, rule(), id, [open].into_iter().chain(assign).collect());
        self.bus.decide_on(loaded, &proposal).await
    }

    /// A human does something, whatever it takes.
    pub(crate) async fn human(&self, conversation: &str, action: Action) {
        let conversation = ConversationId::parse(conversation).unwrap();
        let id = nuid();
        let deciding = || async {
            let loaded = self.bus.load(ACME, &conversation).await.ok()?;
            let human = Actor::new(ActorKind::Agent, "human");
            self.bus.decide_on(&loaded, &proposal(&loaded, human, &id, vec![action.clone()])).await.ok()
        };
        until("a human's decision", deciding).await;
    }

    pub(crate) async fn close(&self, conversation: &str) {
        self.human(conversation, Action::CloseTicket(Which::All)).await;
    }

    pub(crate) async fn holder(&self, conversation: &str) -> Option<Assignee> {
        let conversation = ConversationId::parse(conversation).unwrap();
        until("the state", || async { self.bus.state(ACME, &conversation).await.ok() }).await.assignee
    }

    /// Waits until an agent of the team holds a conversation; returns who.
    pub(crate) async fn given(&self, conversation: &str) -> String {
        let given = || async { self.holder(conversation).await.and_then(|holder| holder.agent().map(str::to_owned)) };
        until(&format!("{conversation} to be given away"), given).await
    }

    /// Waits until the rotation knows these loads.
    pub(crate) async fn loads(&self, expect: &[(&str, usize)]) {
        let expect: BTreeMap<String, usize> =
            expect.iter().map(|(agent, count)| ((*agent).to_owned(), *count)).collect();
        let same = || async { self.assigner.loads(ACME).await.ok().filter(|loads| *loads == expect) };
        until(&format!("the loads to be {expect:?}"), same).await;
    }
}

/// As `eventually`, in a future that may be spawned.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, attempt: impl Fn() -> F) -> T {
    let trying = async {
        loop {
            if let Some(done) = attempt().await {
                break done;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, trying).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

pub(crate) async fn connect(server: &NatsServer) -> Bus {
    let options = Options { duplicate_window: Duration::from_millis(100), ..Options::new(server.url()) };
    Bus::connect(&options).await.unwrap()
}

pub(crate) fn nuid() -> String {
    nuid::next().to_string()
}

fn rule() -> Actor {
    Actor::new(ActorKind::Automation, "to-the-team")
}

pub(crate) fn ask(conversation: &ConversationId, loaded: &Loaded, spec: &Spec) -> Ask {
    Ask {
        workspace: ACME.to_owned(),
        conversation: conversation.clone(),
        trigger: format!("to-the-team@1/{conversation}"),
        base: loaded.revision(),
        spec: spec.clone(),
        rule: "to-the-team".to_owned(),
        causation_id: format!("event of {conversation}"),
        correlation_id: format!("chain of {conversation}"),
        depth: 3,
    }
}

fn proposal(loaded: &Loaded, actor: Actor, id: &str, actions: Vec<Action>) -> Proposal {
    let payload = format!("{actions:?}");
    Proposal {
        workspace: ACME.to_owned(),
        conversation: loaded.state().conversation.clone(),
        channel: "web".to_owned(),
        command: Command {
            actor,
            actions,
            key: CommandKey { command: digest(&[id.as_bytes()]), digest: digest(&[payload.as_bytes()]), causation: 0 },
            expected_revision: None,
        },
        settings: Settings::default(),
        causation_id: String::new(),
        correlation_id: String::new(),
        depth: 0,
        trace: TraceParent::start(),
    }
}

pub(crate) fn round_robin(team: &str, fallback: Fallback) -> Spec {
    let strategy = Strategy::RoundRobin { team: team.to_owned() };
    Spec { steps: vec![Step { strategy, only_online: true }], fallback, capacity: None }
}

pub(crate) fn queue(team: &str) -> Fallback {
    Fallback::TeamQueue { team: team.to_owned() }
}

pub(crate) fn queued(picked: &Picked) -> bool {
    matches!(picked.chosen, Chosen::Queued { .. })
}

/// Every decision of the log, in order.
pub(crate) async fn decisions(bus: &Bus) -> Vec<(u64, v1::Event, v1::Decided)> {
    let last = bus.events_info().await.unwrap().state.last_sequence;
    let (mut reader, mut all, mut position) = (bus.reader(0), Vec::new(), 0);
    while position < last {
        for recorded in reader.next().await {
            position = recorded.revision;
            let event = recorded.event().unwrap();
            if let Some(v1::event::Event::Decided(decided)) = event.event.clone() {
                all.push((recorded.revision, event, decided));
            }
        }
    }
    all
}
