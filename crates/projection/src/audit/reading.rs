use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bus::{Past, Reader, Recorded};
use conversation::Revision;
use proto::v1;
use service::{Shutdown, status};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::act;
use super::asked::Asked;
use crate::query::Answers;

/// Reading the log for one client, as fast as it takes the answers: what it does not take is not read.
pub(super) struct Reading {
    asked: Asked,
    source: Source,
    ready: VecDeque<v1::ReadActsResponse>,
    /// Everything up to here was looked at.
    through: Revision,
    pause: Duration,
    /// When a heartbeat is due.
    silent_until: Instant,
    shutdown: Shutdown,
    _permit: OwnedSemaphorePermit,
}

/// Where the next events come from.
enum Source {
    Past(Box<Past>),
    Live(Waiting),
    End,
}

/// The reader that is waited for, and what it brought. It is never dropped for a heartbeat: it notices by itself when
/// it was silent for too long.
type Waiting = Pin<Box<dyn Future<Output = (Reader, Vec<Recorded>)> + Send>>;

impl Reading {
    pub(super) fn new(
        asked: Asked,
        past: Past,
        permit: OwnedSemaphorePermit,
        pause: Duration,
        shutdown: Shutdown,
    ) -> Reading {
        let through = past.through();
        let (source, ready) = (Source::Past(Box::new(past)), VecDeque::new());
        let silent_until = Instant::now() + pause;
        Reading { asked, source, ready, through, pause, silent_until, shutdown, _permit: permit }
    }

    /// Until all was told, the client goes, or shutdown begins.
    pub(super) fn answers(self) -> Answers<v1::ReadActsResponse> {
        Box::pin(futures::stream::unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(answer) => answer.map(|answer| (Ok(answer), Some(reading))),
                Err(status) => Some((Err(status), None)),
            }
        }))
    }

    async fn next(&mut self) -> Result<Option<v1::ReadActsResponse>, Status> {
        loop {
            if let Some(answer) = self.ready.pop_front() {
                self.silent_until = Instant::now() + self.pause;
                return Ok(Some(answer));
            }
            let (shutdown, live) = (self.shutdown.clone(), matches!(self.source, Source::Live(_)));
            let events = tokio::select! {
                // An audit that breaks off must not look like one that came to its end.
                () = shutdown.begun() => return Err(Status::unavailable("the service ends: go on after the last revision")),
                () = sleep_until(self.silent_until), if live => {
                    self.ready.push_back(self.heartbeat());
                    continue;
                }
                events = more(&mut self.source, self.asked.follow) => events.map_err(|error| status::bus(&error))?,
            };
            match events {
                Some(events) => self.take(&events),
                None => return Ok(None),
            }
        }
    }

    fn take(&mut self, events: &[Recorded]) {
        for recorded in events {
            if self.asked.is_past(recorded) {
                self.source = Source::End;
                return;
            }
            self.through = recorded.revision;
            if let Some(act) = act::of(recorded).filter(|act| self.asked.takes(act)) {
                self.ready.push_back(v1::ReadActsResponse { revision: act.revision, act: Some(act) });
            }
        }
        // Looking for what is rare takes long: the client is told that it is looked for, and how far.
        if self.ready.is_empty() && Instant::now() >= self.silent_until {
            self.ready.push_back(self.heartbeat());
        }
    }

    fn heartbeat(&self) -> v1::ReadActsResponse {
        v1::ReadActsResponse { revision: i64::try_from(self.through).unwrap_or(i64::MAX), act: None }
    }
}

/// The next events, or none yet; `None` at the end.
async fn more(source: &mut Source, follow: bool) -> Result<Option<Vec<Recorded>>, bus::Error> {
    if let Source::Past(past) = source {
        if let Some(events) = past.next().await? {
            return Ok(Some(events));
        }
        *source = match std::mem::replace(source, Source::End) {
            Source::Past(past) if follow => Source::Live(wait(past.follow())),
            _ => return Ok(None),
        };
        return Ok(Some(Vec::new()));
    }
    let Source::Live(waiting) = source else { return Ok(None) };
    let (reader, events) = waiting.await;
    *source = Source::Live(wait(reader));
    Ok(Some(events))
}

fn wait(mut reader: Reader) -> Waiting {
    Box::pin(async move {
        let events = reader.next().await;
        (reader, events)
    })
}
