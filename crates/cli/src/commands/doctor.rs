//! What is wrong with a deployment, and what to do about it.

use std::collections::BTreeSet;
use std::time::Duration;

use bus::{Bus, StreamState, Survey};
use clap::Args;
use proto::v1;
use serde_json::json;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::args::Globals;
use crate::client::{Client, timely};
use crate::draw::{Line, Style, clean};
use crate::failure::Failure;
use crate::operator::OnBus;
use crate::output::Output;

const HELP: &str = "\
Looks at the bus and at the services, and changes nothing. Each line says ok, warn or fail, and what to do. Ends with 0 when
nothing fails, with 1 when something does.

Examples:
  threadmark doctor                                      'threadmark up' in this directory
  threadmark doctor --nats nats://nats:4222 --server http://gateway:7070
  threadmark doctor --json | jq 'select(.state != \"ok\")'";

/// A consumer with more before it than this is behind. Ours: some seconds of work.
const BEHIND: u64 = 1_000;
/// The view may be this many events behind without a remark.
const VIEW_BEHIND: i64 = 1_000;
/// Clocks further apart than this make stamps and timers wrong. Ours: longer than an append is tried for.
const CLOCKS: Duration = Duration::from_secs(10);
/// Part of the storage that may be used, in percent.
const FULL: u64 = 80;
/// Partitions of a worker on EVENTS.
const GROUPS: u32 = 8;

/// The services that have to answer, and who serves them.
const SERVICES: [(&str, &str); 7] = [
    ("ConversationService", "ingest"),
    ("DirectoryService", "ingest"),
    ("TicketService", "projection"),
    ("ProjectionService", "projection"),
    ("AutomationService", "automation-engine"),
    ("BotService", "bot"),
    ("WebhookService", "delivery"),
];

/// Says what is wrong and what to do.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Doctor {
    #[command(flatten)]
    bus: OnBus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One line.
struct Finding {
    state: State,
    what: String,
    says: String,
    /// Empty where all is well.
    todo: String,
}

impl Doctor {
    pub(crate) async fn run(self, globals: &Globals, out: &Output) -> Result<(), Failure> {
        let mut findings = Vec::new();
        match self.bus.connect().await {
            Ok(bus) => examine_bus(&bus, &mut findings).await,
            Err(Failure::Failed(why)) => findings.push(fail("bus", why, "start nats-server, or say --nats")),
            Err(failure) => return Err(failure),
        }
        examine_services(globals, &mut findings).await?;
        findings.iter().try_for_each(|finding| finding.tell(out))?;
        let failed = findings.iter().filter(|finding| finding.state == State::Fail).count();
        if failed == 0 { Ok(()) } else { Err(Failure::Failed(format!("{failed} of {} checks fail", findings.len()))) }
    }
}

impl Finding {
    fn tell(&self, out: &Output) -> Result<(), Failure> {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        if out.is_json() {
            return out.object(&json!({ "state": state, "what": self.what, "says": self.says, "do": self.todo }));
        }
        let todo = if self.todo.is_empty() { String::new() } else { format!(": {}", self.todo) };
        let mut line = Line::of(if self.state == State::Ok { Style::Dim } else { Style::Plain }, state);
        line.pad_to(6);
        line.push(Style::Plain, clean(&format!("{}  {}{todo}", self.what, self.says)));
        out.line(&line)
    }
}

fn ok(what: impl Into<String>, says: impl Into<String>) -> Finding {
    Finding { state: State::Ok, what: what.into(), says: says.into(), todo: String::new() }
}

fn warn(what: impl Into<String>, says: impl Into<String>, todo: impl Into<String>) -> Finding {
    Finding { state: State::Warn, what: what.into(), says: says.into(), todo: todo.into() }
}

fn fail(what: impl Into<String>, says: impl Into<String>, todo: impl Into<String>) -> Finding {
    Finding { state: State::Fail, what: what.into(), says: says.into(), todo: todo.into() }
}

async fn examine_bus(bus: &Bus, findings: &mut Vec<Finding>) {
    let survey = match bus.survey().await {
        Ok(survey) => survey,
        Err(error) => return findings.push(fail("bus", error.to_string(), "look at the log of nats-server")),
    };
    findings.push(ok("nats-server", survey.version.clone()));
    findings.push(storage(&survey));
    for stream in &survey.streams {
        match &stream.found {
            None => {
                findings.push(fail(format!("stream {}", stream.name), "is not there", "start a service: it makes it"))
            }
            Some(found) => findings.push(of_stream(&stream.name, found)),
        }
    }
    consumers(&survey, findings);
    let dead = survey.streams.iter().find(|stream| stream.name == "DEAD").and_then(|stream| stream.found.as_ref());
    findings.push(match dead.map_or(0, |dead| dead.messages) {
        0 => ok("dead letters", "none"),
        count => warn("dead letters", count.to_string(), "'threadmark dead' says why; mend it, then 'dead requeue'"),
    });
    findings.push(match bus.clock_difference().await {
        Ok(None) => ok("clocks", "no event tells"),
        Ok(Some(apart)) if apart > CLOCKS => {
            let says = format!("{apart:.1?} between nats-server and who wrote the newest event");
            warn("clocks", says, "run NTP on every machine")
        }
        Ok(Some(apart)) => ok("clocks", format!("{apart:.1?} apart at the newest event")),
        Err(error) => warn("clocks", error.to_string(), "try again"),
    });
}

fn storage(survey: &Survey) -> Finding {
    let used = indicatif::HumanBytes(survey.storage);
    match survey.storage_limit {
        None => ok("storage", format!("{used} used, no limit set")),
        Some(limit) => {
            let says = format!("{used} of {} used", indicatif::HumanBytes(limit));
            match survey.storage.saturating_mul(100) / limit.max(1) {
                0..FULL => ok("storage", says),
                FULL..98 => warn("storage", says, "raise max_file_store of nats-server, or give it a larger disk"),
                _ => fail("storage", says, "nothing is taken once it is full: raise max_file_store of nats-server"),
            }
        }
    }
}

fn of_stream(name: &str, found: &StreamState) -> Finding {
    let what = format!("stream {name}");
    if !found.leads {
        return fail(what, "has no leader: nothing is taken", "bring back the nodes that are away");
    }
    if !found.behind.is_empty() {
        let says = format!("not everything is on {}", found.behind.join(", "));
        return warn(what, says, "it catches up by itself while that node runs: look at its log if it does not");
    }
    if found.drifted {
        let todo = "a service brings it there at its next start; give --config if yours is not the default";
        return warn(what, "has other settings than this version and configuration want", todo);
    }
    ok(what, format!("{} messages", found.messages))
}

fn consumers(survey: &Survey, findings: &mut Vec<Finding>) {
    let of = |name: &str| {
        let stream = survey.streams.iter().find(|stream| stream.name == name);
        stream.and_then(|stream| stream.found.as_ref()).map(|found| found.consumers.as_slice()).unwrap_or_default()
    };
    // Each worker on EVENTS has a durable for every group of partitions, and one on REQUEUED that tells its name.
    let on_events: BTreeSet<&str> = of("EVENTS").iter().map(|consumer| consumer.name.as_str()).collect();
    let workers: BTreeSet<&str> =
        of("REQUEUED").iter().filter_map(|consumer| consumer.name.strip_suffix("-EVENTS")).collect();
    let named =
        on_events.iter().filter_map(|name| name.rsplit_once('-')).filter(|(_, group)| group.parse::<u32>().is_ok());
    let workers: BTreeSet<&str> = workers.into_iter().chain(named.map(|(worker, _)| worker)).collect();
    for worker in workers {
        for name in
            (0..GROUPS).map(|group| format!("{worker}-{group}")).filter(|name| !on_events.contains(name.as_str()))
        {
            findings.push(fail(
                format!("consumer EVENTS {name}"),
                "is not there: what it should get is worked on by nobody",
                format!("restart the service of {worker}: it makes it again"),
            ));
        }
    }
    for stream in &survey.streams {
        let Some(found) = &stream.found else { continue };
        for consumer in &found.consumers {
            let waits = consumer.pending + consumer.ack_pending as u64;
            let what = format!("consumer {} {}", stream.name, consumer.name);
            let says = format!("{} waiting, {} in hand", consumer.pending, consumer.ack_pending);
            findings.push(match (consumer.served, waits, consumer.pending > BEHIND) {
                (false, 0, _) => warn(what, "nobody works for it", "start its service, if it is still wanted"),
                (false, ..) => fail(what, format!("nobody works for it, {says}"), "start its service"),
                (true, _, true) => warn(what, says, "it is behind: add a replica, or see what its service logs"),
                (true, ..) => ok(what, says),
            });
        }
    }
}

async fn examine_services(globals: &Globals, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let client = Client::lazy(&globals.server, globals.access()?)?;
    for (service, program) in SERVICES {
        let request = HealthCheckRequest { service: format!("threadmark.v1.{service}") };
        let what = format!("service {service}");
        findings.push(match client.health().check(timely(request)).await.map(|answer| answer.into_inner().status()) {
            Ok(ServingStatus::Serving) => ok(what, "serving"),
            Ok(_) => fail(what, "says that it is not well", format!("look at the log of {program}")),
            // Behind a gateway, health is that of whoever it asks.
            Err(status) if status.code() == tonic::Code::NotFound => {
                warn(what, "the health check does not know it", format!("ask {program} itself, with --server"))
            }
            Err(status) => fail(what, client.failure(status).to_string(), format!("start {program}")),
        });
    }
    let status = client.projection().get_projection_status(timely(v1::GetProjectionStatusRequest {})).await;
    findings.push(match status.map(tonic::Response::into_inner) {
        Ok(status) => match status.stream_revision.saturating_sub(status.applied_revision) {
            behind if behind > VIEW_BEHIND => {
                warn("view", format!("{behind} events behind"), "'threadmark status' tells whether it catches up")
            }
            _ => ok("view", format!("at revision {}", status.applied_revision)),
        },
        Err(status) => fail("view", client.failure(status).to_string(), "start projection"),
    });
    Ok(())
}
