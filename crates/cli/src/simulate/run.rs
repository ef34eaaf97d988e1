use std::sync::{Arc, OnceLock};
use std::time::Duration;

use service::Shutdown;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::customer::{Customer, Plot, World};
use super::desk::Desk;
use super::pace::Pace;
use super::post::Postman;
use super::script::Script;
use super::tally::Tally;
use super::{Error, Manner, Options, Summary, invent};
use crate::client::Client;

/// How long what is under way goes on being tried after the simulation has been told to end.
const DRAIN: Duration = Duration::from_secs(3);

/// The end, in two steps.
#[derive(Clone, Default)]
pub(super) struct End {
    /// Nothing new.
    pub(super) stop: Shutdown,
    /// And no more attempts at what is under way.
    pub(super) give_up: Shutdown,
}

/// A simulation that can be looked at while it runs.
pub struct Simulator {
    options: Options,
    tally: Arc<Tally>,
}

/// Simulates until the options' limit, or until it is told to end. What is under way then gets a few seconds more.
///
/// # Errors
/// [`Error`]: an option that can't be, or a webhook that refuses for good.
pub async fn run(options: Options, shutdown: Shutdown) -> Result<Summary, Error> {
    Simulator::new(options)?.run(shutdown).await
}

impl Simulator {
    /// Checks the options. Nothing happens yet.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn new(options: Options) -> Result<Simulator, Error> {
        options.check()?;
        let tally = Arc::new(Tally::new(options.keep_ids));
        Ok(Simulator { options, tally })
    }

    /// What has happened so far.
    pub(super) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// Simulates.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn run(self, shutdown: Shutdown) -> Result<Summary, Error> {
        let begun = Instant::now();
        let end = End::default();
        let stop = end.stop.clone();
        let error = Arc::new(OnceLock::new());
        let (post, postman) = Postman::new(&self.options, self.tally.clone(), end.clone(), error.clone());
        let desk = self.desk(&end)?;
        let rate = if let Manner::Steady { rate } = self.options.manner { rate } else { 0.0 };
        let world = World { options: self.options.clone(), post, desk, pace: Pace::new(rate), stop: stop.clone() };
        let mut tasks = JoinSet::new();
        customers(world).into_iter().for_each(|customer| drop(tasks.spawn(customer.run())));
        tasks.spawn(postman.run());
        let all = async { while tasks.join_next().await.is_some() {} };
        tokio::pin!(all);
        tokio::select! {
            () = &mut all => {}
            () = self.time(&shutdown, &stop) => {
                stop.begin();
                if tokio::time::timeout(DRAIN, &mut all).await.is_err() {
                    end.give_up.begin();
                    all.await;
                }
            }
        }
        match error.get() {
            Some(error) => Err(error.clone()),
            None => Ok(self.tally.summary(self.options.seed, begun.elapsed())),
        }
    }

    fn desk(&self, end: &End) -> Result<Option<Desk>, Error> {
        let Some(server) = &self.options.server else { return Ok(None) };
        let client =
            Client::lazy(server, self.options.access.clone()).map_err(|failure| Error::Option(failure.to_string()))?;
        let (workspace, channel) = (&self.options.workspace, self.options.channel());
        Ok(Some(Desk::new(client, workspace, channel, self.tally.clone(), end.clone())))
    }

    /// When it is told to end, time is up, or something is wrong for good.
    async fn time(&self, shutdown: &Shutdown, stop: &Shutdown) {
        let time_is_up = async {
            match self.options.limit.duration {
                Some(duration) => sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shutdown.begun() => {}
            () = stop.begun() => {}
            () = time_is_up => {}
        }
    }
}

/// Everyone who writes, each with their share of the messages.
fn customers(world: World) -> Vec<Customer> {
    let script = Script::get();
    let written = matches!(world.options.manner, Manner::Natural { .. });
    let most = if written { script.people.len() } else { usize::MAX };
    let count = u32::try_from(most).unwrap_or(u32::MAX).min(world.options.customers).max(1);
    let world = Arc::new(world);
    let customer = |index: u32| {
        let (number, name, plot) = match script.people.get(index as usize) {
            Some(person) if written => {
                let plot = Plot::Written { stories: script.of(&person.language), next: 0 };
                (person.number.clone(), person.name.clone(), plot)
            }
            _ => (number(index), invent::name(index).to_owned(), Plot::Invented { left_open: false }),
        };
        let quota = world.options.limit.messages.map(|all| share(all, count, index));
        Customer::new(world.clone(), index, number, name, plot, quota)
    };
    (0..count).map(customer).collect()
}

/// A number of load: of a country code that is not given out.
fn number(index: u32) -> String {
    format!("999{:010}", 1_000_000_u64 + u64::from(index))
}

/// A customer's share of all messages, so that who says how much does not depend on timing.
fn share(all: u64, customers: u32, index: u32) -> u64 {
    let (each, rest) = (all / u64::from(customers), all % u64::from(customers));
    each + u64::from(u64::from(index) < rest)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_add_up() {
        for (all, customers) in [(0, 3), (7, 3), (9, 3), (2, 5)] {
            assert_eq!((0..customers).map(|index| share(all, customers, index)).sum::<u64>(), all);
        }
    }
}
