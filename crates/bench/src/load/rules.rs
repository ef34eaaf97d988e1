//! An automation engine with workspaces full of rules, and customers who write to them.

use std::collections::HashSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use automation_engine::{Engine, Options, automation_service};
use bus::{Bus, Keyring, TraceParent, now};
use conversation::{ConversationId, Time};
use futures::StreamExt as _;
use prost::Message as _;
use proto::v1;
use proto::v1::automation_service_client::AutomationServiceClient;
use service::config::Workspace;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tokio::sync::mpsc;
use tonic::transport::Channel;

use super::watcher::Seen;
use super::webhook::words;

/// Chats of each workspace.
const CHATS: usize = 200;
/// Rules applied with one request.
const AT_ONCE: usize = 100;
/// Events that are not worked on by then never will be.
const LATEST: Duration = Duration::from_secs(300);
/// No rule asks the view here, so none has to be there.
const NO_VIEW: &str = "http://127.0.0.1:1";

/// A running engine.
pub(crate) struct Rules {
    bus: Bus,
    url: String,
    client: AutomationServiceClient<Channel>,
    supervisor: Supervisor,
}

impl Rules {
    /// Starts an engine for these workspaces.
    pub(crate) async fn start(bus: &Bus, url: &str, workspaces: &[&str]) -> anyhow::Result<Rules> {
        let (engine, rules) = Rules::open(bus, url, workspaces).await?;
        engine.start(&rules.supervisor);
        Ok(rules)
    }

    /// Answers for an engine that does not react: what is on the log already would keep it busy.
    pub(crate) async fn serve(bus: &Bus, url: &str, workspaces: &[&str]) -> anyhow::Result<Rules> {
        Ok(Rules::open(bus, url, workspaces).await?.1)
    }

    async fn open(bus: &Bus, url: &str, workspaces: &[&str]) -> anyhow::Result<(Engine, Rules)> {
        let mut config = Config::load(None)?;
        config.workspaces = workspaces.iter().map(|name| Workspace::new(*name)).collect();
        let engine = Engine::new(bus.clone(), Options::from_config(&config, NO_VIEW)?)?;
        engine.prepare().await?;
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), Doors::open()).await?;
        grpc.add(automation_service(engine.clone())).await;
        let channel = Channel::from_shared(format!("http://{}", grpc.address()?))?.connect_lazy();
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let client = AutomationServiceClient::new(channel).max_encoding_message_size(service::MAX_REQUEST_BYTES);
        Ok((engine, Rules { bus: bus.clone(), url: url.to_owned(), client, supervisor }))
    }

    /// Puts rules in force, some at a time: a request is answered within seconds, or not at all.
    pub(crate) async fn apply(&self, workspace: &str, rules: &[String]) -> anyhow::Result<()> {
        for some in rules.chunks(AT_ONCE) {
            let yaml = format!("rules:\n{}", some.concat());
            let request =
                v1::ApplyRulesRequest { workspace: workspace.to_owned(), yaml, ..v1::ApplyRulesRequest::default() };
            self.client.clone().apply_rules(request).await.context("applying rules")?;
        }
        Ok(())
    }

    /// Tries rules on what was recorded from one time to before another, in nanoseconds. Returns how many events were read.
    pub(crate) async fn backtest(&self, workspace: &str, yaml: &str, period: Range<i64>) -> anyhow::Result<u64> {
        let time = |nanos| Some(proto::timestamp(Time(nanos)));
        let request = v1::BacktestRulesRequest {
            workspace: workspace.to_owned(),
            yaml: yaml.to_owned(),
            start_time: time(period.start),
            end_time: time(period.end),
        };
        let mut answers = self.client.clone().backtest_rules(request).await?.into_inner();
        while let Some(answer) = answers.message().await? {
            if let Some(v1::backtest_rules_response::Part::Report(report)) = answer.part {
                return Ok(u64::try_from(report.events)?);
            }
        }
        bail!("the backtest ended without a report")
    }

    /// Ends it in order.
    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        self.supervisor.finish().await;
    }

    /// Customers of a workspace.
    pub(crate) async fn customers(&self, workspace: &str) -> anyhow::Result<Customers> {
        Customers::new(&self.bus, &self.url, workspace).await
    }
}

/// So many rules on the customer's messages, of which the first `matching` apply to every message, and write a note.
pub(crate) fn rules(count: usize, matching: usize) -> Vec<String> {
    let rule = |nth: usize| {
        let words = if nth < matching {
            "size(message.text) > 0".to_owned()
        } else {
            format!(r#"message.text.matches("(?i)\\bword-{nth}\\b")"#)
        };
        format!(
            "  - name: rule-{nth}\n    on: message.received\n    when: '{words} && conversation.open_ticket_count == 0'\n    \
             rate_limit: {{ times: 1000, per: 1s }}\n    do: [add_note: Seen.]\n"
        )
    };
    (0..count).map(rule).collect()
}

/// Twenty rules, as workspaces have them: most look at words, few apply; some wait for silence, some answer decisions.
pub(crate) fn twenty() -> String {
    let word = |nth: usize| {
        format!(
            "  - name: word-{nth}\n    on: message.received\n    when: 'message.text.matches(\"(?i)\\\\bword{nth}\\\\b\") \
             && conversation.open_ticket_count == 0'\n    do: [open_ticket: {{ topic: t{nth} }}]\n"
        )
    };
    let others = "  - { name: idle, on: { customer.idle: { for: 24h } }, when: conversation.open_ticket_count > 0, \
                  do: [close_ticket: all] }
  - { name: waits, on: { agent.idle: { for: 1h } }, do: [add_tag: waits] }
  - { name: late, on: { ticket.unanswered: { for: 10m } }, do: [add_note: late] }
  - { name: long, on: { ticket.open_for: { for: 36h } }, do: [add_tag: long] }
  - { name: opened, on: ticket.opened, when: 'ticket.topic == \"refund\"', do: [add_tag: refund] }
  - { name: closed, on: ticket.closed, when: 'event.actor.kind == \"bot\"', do: [add_tag: by-bot] }
  - { name: tagged, on: tag.added, when: 'event.tag == \"none\"', do: [remove_tag: none] }
  - { name: sent, on: message.sent, when: 'event.actor.kind == \"bot\"', do: [add_tag: bot] }
";
    format!("rules:\n{}{others}", (0..12).map(word).collect::<String>())
}

/// Customers of one workspace, and what is made of their messages.
pub(crate) struct Customers {
    bus: Bus,
    url: String,
    workspace: String,
    keyrings: Vec<(ConversationId, Keyring)>,
    dice: fastrand::Rng,
    made: u64,
}

impl Customers {
    async fn new(bus: &Bus, url: &str, workspace: &str) -> anyhow::Result<Customers> {
        let mut keyrings = Vec::with_capacity(CHATS);
        for nth in 0..CHATS {
            let conversation = ConversationId::parse(&format!("crule{nth:018}")).context("no id")?;
            let keyring = bus.keyring(workspace, &conversation).await?;
            keyrings.push((conversation, keyring));
        }
        // An id is one of the whole log: the server knows repeated ones.
        let dice = fastrand::Rng::with_seed(bus::digest(&[workspace.as_bytes()]));
        let (bus, url, workspace) = (bus.clone(), url.to_owned(), workspace.to_owned());
        Ok(Customers { bus, url, workspace, keyrings, dice, made: 0 })
    }

    /// The next message, which is not recorded yet.
    pub(crate) fn message(&mut self) -> v1::Event {
        self.made += 1;
        let (conversation, keyring) = &self.keyrings[self.dice.usize(0..CHATS)];
        let message = v1::Message {
            channel_message_id: format!("m{}", self.made),
            r#type: "text".to_owned(),
            text: words(&mut self.dice),
            ..v1::Message::default()
        };
        let sealed = keyring.seal(&v1::SealedMessage { contact: None, message: Some(message) }).into();
        let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: false };
        v1::Event {
            id: format!("{:032x}", self.dice.u128(..)),
            workspace: self.workspace.clone(),
            conversation: conversation.as_str().to_owned(),
            channel: "web:1".to_owned(),
            actor: Some(v1::Actor { kind: v1::actor::Kind::Customer.into(), ..v1::Actor::default() }),
            occur_time: Some(proto::timestamp(now())),
            record_time: Some(proto::timestamp(now())),
            event: Some(v1::event::Event::MessageReceived(received)),
            ..v1::Event::default()
        }
    }

    /// Records messages as fast as can be and waits until the rules are through with each.
    pub(crate) async fn write(&mut self, count: usize) -> anyhow::Result<Duration> {
        let events: Vec<v1::Event> = (0..count).map(|_| self.message()).collect();
        // What rules that do not apply had to say is recorded last.
        let subject = format!("run.*.{}.none.*", self.workspace);
        let client = async_nats::connect(&self.url).await?;
        let mut told = client.subscribe(subject).await?;
        client.flush().await?;
        let started = Instant::now();
        let trace = TraceParent::start();
        let recording = async {
            let recorded = self.bus.publish_facts(&events, &trace).await;
            recorded.into_iter().collect::<Result<Vec<_>, _>>()?;
            anyhow::Ok(())
        };
        let waiting = async {
            let mut open: HashSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
            while !open.is_empty() {
                let next = tokio::time::timeout(LATEST, told.next()).await;
                let next = next.with_context(|| format!("{} of {count} events came to nothing", open.len()))?;
                let message = next.context("the subscription has ended")?;
                if let Some((_, id)) = message.subject.as_str().rsplit_once('.') {
                    open.remove(id);
                }
            }
            anyhow::Ok(())
        };
        tokio::try_join!(recording, waiting)?;
        ensure!(count > 0, "nothing was written");
        Ok(started.elapsed())
    }
}

/// Hears of every decision of a workspace: the id of the event that led to it, and when.
pub(crate) async fn decided(url: &str, workspace: &str) -> anyhow::Result<Seen> {
    let client = async_nats::connect(url).await?;
    let mut heard = client.subscribe(format!("ev.*.{workspace}.*.decision")).await?;
    client.flush().await?;
    let (sender, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = heard.next().await {
            let at = Instant::now();
            let event = v1::Event::decode(message.payload).map_err(anyhow::Error::from);
            if sender.send(event.map(|event| (event.causation_id, at))).is_err() {
                return;
            }
        }
    });
    Ok(seen)
}
