use std::collections::BTreeMap;

use futures::TryStreamExt;
use proto::v1;
use proto::v1::backtest_rules_response::Part;
use testkit::eventually;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{DEADLINE, WORKSPACE, World, world};

const RULES: &str = r#"
rules:
  - name: refunds
    on: message.received
    when: message.text.matches("(?i)refund") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - assign: { team: billing, strategy: round_robin, only_online: true, fallback: [team_queue] }
      - send_message: { text: "Hello {{contact.display_name}}, a colleague is on it." }
  - name: vip
    on: ticket.opened
    when: ticket.topic == "refund" && event.actor.kind == "automation"
    do: [add_tag: money]
  - name: noted
    on: tag.added
    when: event.tag == "money" && contact.display_name.startsWith("Customer")
    do: [add_note: 'money of {{contact.id}}']
  - name: thanks
    on: message.received
    when: message.text == "thanks" && conversation.open_ticket_count > 0 && conversation.last_message.actor.kind == "agent"
    do: [close_ticket: last]
  - name: nobody-answers
    on: { agent.idle: { for: 1s } }
    when: conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: waiting }
      - assign: { team: billing }
  - name: later
    on: ticket.closed
    do: [add_note: closed, wait: 1s, add_tag: after]
"#;

fn now() -> prost_types::Timestamp {
    proto::timestamp(bus::now())
}

fn request(yaml: &str, start: prost_types::Timestamp, end: prost_types::Timestamp) -> v1::BacktestRulesRequest {
    v1::BacktestRulesRequest {
        workspace: WORKSPACE.to_owned(),
        yaml: yaml.to_owned(),
        start_time: Some(start),
        end_time: Some(end),
    }
}

type Rules = proto::v1::automation_service_client::AutomationServiceClient<tonic::transport::Channel>;

/// Progress, and the report.
async fn backtest(
    rules: &mut Rules,
    request: v1::BacktestRulesRequest,
) -> Result<(Vec<v1::BacktestProgress>, v1::BacktestReport), Status> {
    let answers: Vec<v1::BacktestRulesResponse> =
        rules.backtest_rules(request).await?.into_inner().try_collect().await?;
    let (mut told, mut report) = (Vec::new(), None);
    for answer in answers {
        match answer.part.unwrap() {
            Part::Progress(progress) => told.push(progress),
            Part::Report(found) => report = Some(found),
        }
    }
    Ok((told, report.unwrap()))
}

/// Customers come, rules act, agents answer. One after the other, so that whose turn it is does not depend on chance.
async fn busy(world: &mut World) {
    for nth in 0..7 {
        let name = format!("customer{nth}");
        let (chat, _) = world.receive(&name, &format!("{name}/1"), "I want a refund").await;
        world.await_runs("refunds", nth + 1, |run| run.revision > 0).await;
        world.await_runs("noted", nth + 1, |run| run.revision > 0).await;
        world.send(&chat, "ann", "of course").await;
        world.receive(&name, &format!("{name}/2"), if nth % 2 == 0 { "thanks" } else { "hm" }).await;
        if nth % 2 == 0 {
            world.await_runs("thanks", nth / 2 + 1, |run| run.revision > 0).await;
        } else {
            world.open_ticket(&chat, "nested").await;
        }
        if nth == 3 {
            world.close_all(&chat).await;
        }
    }
    for nth in 0..2 {
        let (chat, _) = world.receive(&format!("quiet{nth}"), &format!("quiet{nth}"), "hello").await;
        let of = chat.clone();
        world.await_runs("nobody-answers", 1, move |run| run.conversation_id == of && run.revision > 0).await;
        world.send(&chat, "ben", "sorry").await;
    }
    // Four that were thanked for, and one closed by hand with its nested one: one run for each event.
    world.await_runs("later", 5, |run| run.outcome() == v1::run::Outcome::Done).await;
    // The last words of those five wait for an answer, with no ticket open.
    world.await_runs("nobody-answers", 7, |run| run.revision > 0).await;
}

#[tokio::test]
async fn a_draft_like_the_rules_in_force_finds_what_they_did() {
    let mut world = world().await;
    world.staff("billing", &[("ann", 0), ("ben", 0), ("cem", 0)]).await;
    world.apply(RULES).await;
    let start = now();
    busy(&mut world).await;
    let mut rules = world.rules.clone();
    let (told, report) = backtest(&mut rules, request(RULES, start, now())).await.unwrap();

    assert_eq!(report.conversations_different, 0, "{:#?}", report.differences);
    assert_eq!((report.actual.clone(), report.left_out), (report.simulated.clone(), 0));
    let actual = report.actual.unwrap();
    assert_eq!((actual.tickets_opened, actual.tickets_closed, actual.messages_sent), (17, 6, 7));
    let by_rule = |name: &str| report.rules.iter().find(|rule| rule.rule == name).unwrap();
    for rule in ["refunds", "vip", "noted", "thanks", "nobody-answers", "later"] {
        let ran: Vec<v1::Run> = world.runs_of(rule).await;
        let done = ran.iter().filter(|run| run.outcome() == v1::run::Outcome::Done).count();
        let found = by_rule(rule);
        let would = found.matches - found.skipped - found.refused;
        assert_eq!(usize::try_from(would).unwrap(), done, "{rule}: {found:#?}\n{ran:#?}");
    }
    let turns: Vec<i64> = by_rule("refunds").assigned.iter().map(|assigned| assigned.count).collect();
    assert_eq!(turns, [3, 2, 2]);
    let last = told.last().unwrap();
    assert!(last.events_done == last.events_total && last.time.is_some(), "{last:?}");
    assert_eq!(last.events_done, report.events + report.events_before);
    world.stop().await;
}

/// The last sequence of every stream, those behind buckets included.
async fn sequences(world: &World) -> BTreeMap<String, u64> {
    let streams = world.bus.jetstream().streams();
    let all: Vec<(String, u64)> =
        streams.map_ok(|info| (info.config.name, info.state.last_sequence)).try_collect().await.unwrap();
    all.into_iter().collect()
}

#[tokio::test]
async fn a_backtest_touches_nothing() {
    let mut world = world().await;
    world.staff("billing", &[("ann", 1), ("ben", 1)]).await;
    let start = now();
    for nth in 0..40 {
        let name = format!("c{nth}");
        let (chat, _) = world.receive(&name, &name, "I want a refund").await;
        world.send(&chat, "ann", "of course").await;
    }
    // The engine itself writes down that it lives: all that works ends, and one service is left to be asked.
    let (mut rules, service) = world.quiet().await;
    let before = sequences(&world).await;
    assert!(before.len() > 6 && before["EVENTS"] >= 80, "{before:?}");
    let (_, report) = backtest(&mut rules, request(RULES, start, now())).await.unwrap();
    assert_eq!(report.simulated.unwrap().tickets_opened, 40);
    assert_eq!(sequences(&world).await, before);
    service.shutdown().begin();
    assert!(service.finish().await);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let world = world().await;
    let mut rules = world.rules.clone();
    let (start, end) = (proto::timestamp(conversation::Time(0)), now());
    let fields = |status: &Status| -> Vec<String> {
        let details = status.get_details_bad_request().unwrap();
        details.field_violations.into_iter().map(|violation| violation.field).collect()
    };
    let broken = "rules:\n  - name: x\n    on: message.recieved\n    do: [assign: {team: nobody}]\n";
    let status = backtest(&mut rules, request(broken, start, end)).await.unwrap_err();
    assert_eq!((status.code(), fields(&status)[0].as_str()), (Code::InvalidArgument, "3:9"), "{status:?}");
    let mut applied = v1::ApplyRulesRequest { workspace: WORKSPACE.to_owned(), ..Default::default() };
    broken.clone_into(&mut applied.yaml);
    let like = rules.apply_rules(applied).await.unwrap_err();
    assert_eq!(fields(&status), fields(&like), "exactly as when they are applied");

    let backwards = backtest(&mut rules, request(RULES, end, start)).await.unwrap_err();
    assert_eq!((backwards.code(), fields(&backwards)), (Code::InvalidArgument, vec!["end_time".to_owned()]));
    let missing = v1::BacktestRulesRequest { workspace: WORKSPACE.to_owned(), ..Default::default() };
    assert_eq!(fields(&backtest(&mut rules, missing).await.unwrap_err()), ["start_time", "end_time"]);
    let future = prost_types::Timestamp { seconds: end.seconds + 3_600, nanos: 0 };
    let later = prost_types::Timestamp { seconds: end.seconds + 7_200, nanos: 0 };
    assert_eq!(fields(&backtest(&mut rules, request(RULES, future, later)).await.unwrap_err()), ["start_time"]);
    let unknown = v1::BacktestRulesRequest { workspace: "nowhere".to_owned(), ..request(RULES, start, end) };
    assert_eq!(backtest(&mut rules, unknown).await.unwrap_err().code(), Code::NotFound);
    world.stop().await;
}

/// Twenty rules, as workspaces have them: most look at words, few match.
fn twenty() -> String {
    let mut yaml = "rules:\n".to_owned();
    for nth in 0..12 {
        yaml += &format!(
            "  - {{ name: word-{nth}, on: message.received, when: 'message.text.matches(\"(?i)\\\\bword{nth}\\\\b\") && \
             conversation.open_ticket_count == 0', do: [{{ open_ticket: {{ topic: t{nth} }} }}] }}\n"
        );
    }
    yaml += "  - { name: idle, on: { customer.idle: { for: 24h } }, when: conversation.open_ticket_count > 0, do: [close_ticket: all] }
  - { name: waits, on: { agent.idle: { for: 1h } }, do: [add_tag: waits] }
  - { name: late, on: { ticket.unanswered: { for: 10m } }, do: [add_note: late] }
  - { name: long, on: { ticket.open_for: { for: 72h } }, do: [add_tag: long] }
  - { name: opened, on: ticket.opened, when: ticket.topic == \"vip\", do: [add_tag: vip] }
  - { name: closed, on: ticket.closed, when: event.actor.kind == \"bot\", do: [add_tag: by-bot] }
  - { name: tagged, on: tag.added, when: event.tag == \"none\", do: [remove_tag: none] }
  - { name: sent, on: message.sent, when: event.actor.kind == \"bot\", do: [add_tag: bot] }
";
    yaml
}

/// Chats as they go, on the log as the services write them: the customer writes, an agent opens, answers and closes.
struct Past {
    state: conversation::State,
    keyring: bus::Keyring,
    turn: usize,
}

impl Past {
    fn next(&mut self, nth: usize, time: conversation::Time) -> v1::Event {
        use conversation::{Action as Deed, Actor, ActorKind, Command, CommandKey, IfOpen, Which};
        self.turn += 1;
        let sealed = |keyring: &bus::Keyring, text: &str| {
            let contact =
                v1::Contact { id: "491701234567".to_owned(), display_name: "Ada".to_owned(), ..Default::default() };
            let message = v1::Message { r#type: "text".to_owned(), text: text.to_owned(), ..Default::default() };
            keyring.seal(&v1::SealedMessage { contact: Some(contact), message: Some(message) })
        };
        let deed = match self.turn % 6 {
            3 => Deed::OpenTicket { topic: "question".to_owned(), assignee: None, if_open: IfOpen::Nest },
            4 => Deed::SendMessage {
                kind: "text".to_owned(),
                sealed: sealed(&self.keyring, "How can I help you today?"),
            },
            0 => Deed::CloseTicket(Which::All),
            _ => {
                let text = format!("hello, this is what I wanted to ask you since yesterday, word{}", nth % 400);
                let received = v1::MessageReceived {
                    r#type: "text".to_owned(),
                    sealed: sealed(&self.keyring, &text).into(),
                    names_contact: true,
                };
                let customer = Actor::new(ActorKind::Customer, "");
                return self.event(nth, time, &customer, v1::event::Event::MessageReceived(received));
            }
        };
        let ann = Actor::new(ActorKind::Agent, "ann");
        let key = CommandKey { command: nth as u64 + 1, digest: nth as u64, causation: 0 };
        let command = Command { actor: ann.clone(), actions: vec![deed], key, expected_revision: None };
        let decided = conversation::decide(&self.state, &command, &Default::default(), time).unwrap();
        let conversation::Verdict::Append(decision) = decided else { panic!("{decided:?}") };
        self.state = decision.after.clone().recorded_at(nth as u64 + 1);
        self.event(nth, time, &ann, v1::event::Event::Decided(proto::decision_to(&decision)))
    }

    fn event(
        &self,
        nth: usize,
        time: conversation::Time,
        actor: &conversation::Actor,
        kind: v1::event::Event,
    ) -> v1::Event {
        v1::Event {
            id: format!("{nth:032x}"),
            workspace: WORKSPACE.to_owned(),
            conversation: self.state.conversation.as_str().to_owned(),
            actor: Some(proto::actor_to(actor)),
            occur_time: Some(proto::timestamp(time)),
            record_time: Some(proto::timestamp(time)),
            correlation_id: format!("{nth:032x}"),
            channel: "web:1".to_owned(),
            event: Some(kind),
            ..v1::Event::default()
        }
    }
}

/// Writes a past of so many events, a minute apart in each chat.
async fn write_past(bus: &bus::Bus, chats: usize, events: usize) -> (conversation::Time, conversation::Time) {
    let start = conversation::Time(bus::now().0 - 40 * 86_400_000_000_000);
    let mut pasts = Vec::new();
    for nth in 0..chats {
        let id = conversation::ConversationId::parse(&format!("chat{nth:06}")).unwrap();
        let keyring = bus.keyring(WORKSPACE, &id).await.unwrap();
        pasts.push(Past { state: conversation::State::new(id), keyring, turn: 0 });
    }
    let mut acks = std::collections::VecDeque::new();
    let mut time = start;
    for nth in 0..events {
        time = start.plus(std::time::Duration::from_millis(60_000 * nth as u64 / chats as u64));
        let event = pasts[nth % chats].next(nth, time);
        let kind = proto::subject_kind(event.event.as_ref().unwrap());
        let part = bus::partition(WORKSPACE, &event.conversation);
        let subject = format!("ev.{part}.{WORKSPACE}.{}.{kind}", event.conversation);
        let payload = prost::Message::encode_to_vec(&event).into();
        acks.push_back(bus.jetstream().publish(subject, payload).await.unwrap().into_future());
        if acks.len() > 1_000 {
            acks.pop_front().unwrap().await.unwrap();
        }
    }
    for ack in acks {
        ack.await.unwrap();
    }
    (start, time.plus(std::time::Duration::from_secs(1)))
}

/// Counts hold however long the past is; with a large count it tells how fast it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_past_is_read_once_and_whole() {
    let world = world().await;
    let (mut rules, service) = world.quiet().await;
    let events = testkit::count("backtest_events", 2_400, 300_000);
    let (start, end) = write_past(&world.bus, 100.max(events / 150), events).await;
    let yaml = twenty();
    for _ in 0..2 {
        let asked = request(&yaml, proto::timestamp(start), proto::timestamp(end));
        let (_, report) = backtest(&mut rules, asked).await.unwrap();
        assert_eq!(report.events, i64::try_from(events).unwrap());
        let asked: i64 =
            report.rules.iter().filter(|rule| rule.rule.starts_with("word-")).map(|rule| rule.events).sum();
        assert_eq!(asked, i64::try_from(events / 2 * 12).unwrap(), "every message, by twelve rules");
        let took = std::time::Duration::try_from(report.took.unwrap()).unwrap();
        let rate = events as f64 / took.as_secs_f64();
        eprintln!("{events} events with 20 rules in {took:?}: {rate:.0} events/s");
    }
    // Whoever stops listening leaves no backtest behind: only so many run at once.
    for _ in 0..5 {
        let (rules, asked) = (rules.clone(), request(&yaml, proto::timestamp(start), proto::timestamp(end)));
        eventually("a backtest that is left to itself ends", DEADLINE, async || {
            rules.clone().backtest_rules(asked.clone()).await.ok().map(drop)
        })
        .await;
    }
    service.shutdown().begin();
    assert!(service.finish().await);
}
