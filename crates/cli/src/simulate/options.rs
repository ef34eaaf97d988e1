use std::time::Duration;

use crate::client::Access;
use service::Secret;

use super::Error;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where webhooks go: the whole URL.
    pub webhook_url: String,
    /// What they are signed with.
    pub secret: Secret,
    /// The channel's id of the number that customers write to.
    pub phone_number_id: String,
    /// Where agents work: gRPC. `None` for no agents.
    pub server: Option<String>,
    /// What is shown there.
    pub access: Access,
    /// Whose agents.
    pub workspace: String,
    /// The same seed makes the same customers say the same under the same ids: on a server that has heard it, all are
    /// repeats.
    pub seed: u64,
    /// How many customers write.
    pub customers: u32,
    /// When it ends, besides when it is told to.
    pub limit: Limit,
    /// How they write.
    pub manner: Manner,
    /// Items in one body at most; the channel sends up to 1,000.
    pub batch: usize,
    /// Bodies under way at once.
    pub concurrency: usize,
    /// The share of bodies that are sent again although they were answered, 0 to 1: the channel does so.
    pub duplicates: f64,
    /// The share of invented stories that no agent reacts to, 0 to 1.
    pub unanswered: f64,
    /// Whether messages of agents are reported as sent, delivered and read. Off where a real delivery does so.
    pub statuses: bool,
    /// Whether the script's bot speaks. Off where a real bot does.
    pub bot: bool,
    /// Whether to keep the ids of all that was acknowledged, which takes memory.
    pub keep_ids: bool,
}

/// When a simulation ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// After so many messages of customers.
    pub messages: Option<u64>,
    /// After so long.
    pub duration: Option<Duration>,
}

/// How customers write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// Invented stories, so many messages a second altogether; 0 for as fast as they are taken.
    Steady {
        /// Messages a second.
        rate: f64,
    },
    /// Written stories in several languages, at the pace of people; 2 is twice as fast.
    Natural {
        /// Times the pace of people.
        speed: f64,
    },
}

impl Options {
    /// A handful of customers who write about believable things at the pace of people, and agents who help them:
    /// what a demonstration shows. It goes on until it is told to end.
    pub fn demo(webhook_url: String, secret: Secret, server: String, access: Access, workspace: String) -> Options {
        Options {
            webhook_url,
            secret,
            phone_number_id: super::DEMO_NUMBER.to_owned(),
            server: Some(server),
            access,
            workspace,
            seed: fastrand::u64(..),
            customers: 8,
            limit: Limit::default(),
            manner: Manner::Natural { speed: 1.0 },
            batch: 1,
            concurrency: 8,
            duplicates: 0.02,
            unanswered: 0.0,
            statuses: true,
            bot: true,
            keep_ids: false,
        }
    }

    /// The channel as events and queries name it.
    pub fn channel(&self) -> String {
        format!("whatsapp:{}", self.phone_number_id)
    }

    /// Refuses what can't be.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |text: &str| Err(Error::Option(text.to_owned()));
        let share = |share: f64| (0.0..=1.0).contains(&share);
        match self.manner {
            Manner::Steady { rate } if !(rate.is_finite() && rate >= 0.0) => {
                return wrong("the rate has to be 0 or more");
            }
            Manner::Natural { speed } if !(speed.is_finite() && speed > 0.0) => {
                return wrong("the speed has to be above 0");
            }
            _ => {}
        }
        if self.customers == 0 || self.batch == 0 || self.concurrency == 0 {
            return wrong("customers, batch and concurrency have to be 1 or more");
        }
        if !share(self.duplicates) || !share(self.unanswered) {
            return wrong("shares have to be within 0 and 1");
        }
        match reqwest::Url::parse(&self.webhook_url) {
            Ok(url) if url.scheme() == "http" => Ok(()),
            _ => Err(Error::Option(format!("{:?} is no address of a webhook: say http://HOST:PORT", self.webhook_url))),
        }
    }
}
