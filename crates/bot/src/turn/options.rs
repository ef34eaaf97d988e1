use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use conversation::{Actor, ActorKind, Settings};
use service::Certificates;
use service::Config;
use service::access::Bearer;
use service::config::BotSettings;

/// The id of the bot's actor, and what its runs are recorded under.
pub(super) const BOT: &str = "bot";
/// What stamps call it where nobody chose a name.
const NAME: &str = "Bot";

/// What the worker on turns has to know. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TurnOptions {
    /// Where `TicketService` answers, for example "http://127.0.0.1:7070".
    pub ticket_service: String,
    /// What is shown there.
    pub bearer: Bearer,
    /// How it is known, and what it is shown besides.
    pub certificates: Certificates,
    /// Messages with no longer pause between them are one turn.
    pub pause: Duration,
    /// How long a brain may think about one turn.
    pub think: Duration,
    /// How often a customer may say that it did not help.
    pub unhelpful: u32,
    workspaces: Arc<BTreeMap<String, Workspace>>,
}

/// A workspace whose bot answers.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    pub(super) settings: Settings,
    pub(super) bot: BotSettings,
}

impl TurnOptions {
    /// The same, with a token, and the certificates, to show to TicketService.
    pub fn showing(self, bearer: Bearer, certificates: Certificates) -> TurnOptions {
        TurnOptions { bearer, certificates, ..self }
    }

    /// What the configuration says. `ticket_service` is used where it names none.
    pub fn from_config(config: &Config, ticket_service: &str) -> TurnOptions {
        let configured = config.bot.ticket_service.as_str();
        let ticket_service = if configured.is_empty() { ticket_service } else { configured };
        TurnOptions::of(config, ticket_service, |bot| bot.enabled.unwrap_or(config.bot.enabled))
    }

    /// Of every workspace, whether its bot answers or not: for turns that are only tried.
    pub(crate) fn tried(config: &Config) -> TurnOptions {
        TurnOptions::of(config, "", |_| true)
    }

    fn of(config: &Config, ticket_service: &str, wanted: impl Fn(&BotSettings) -> bool) -> TurnOptions {
        let workspaces = config.workspaces().into_iter().filter_map(|(name, settings)| {
            let named = config.workspaces.iter().find(|workspace| workspace.name == name);
            let bot = named.map(|workspace| workspace.bot.clone()).unwrap_or_default();
            wanted(&bot).then_some((name, Workspace { settings, bot }))
        });
        TurnOptions {
            ticket_service: ticket_service.to_owned(),
            bearer: Bearer::none(),
            certificates: Certificates::default(),
            pause: Duration::from_millis(config.bot.pause_ms),
            think: Duration::from_millis(config.bot.think_ms),
            unhelpful: config.bot.unhelpful,
            workspaces: Arc::new(workspaces.collect()),
        }
    }

    /// A workspace, if its bot answers.
    pub(super) fn workspace(&self, name: &str) -> Option<&Workspace> {
        self.workspaces.get(name)
    }

    /// Whether the bot answers anywhere.
    pub(super) fn anywhere(&self) -> bool {
        !self.workspaces.is_empty()
    }
}

impl Workspace {
    /// Who the bot is in the chat.
    pub(super) fn actor(&self) -> Actor {
        let display_name = self.bot.name.clone().unwrap_or_else(|| NAME.to_owned());
        Actor { display_name, ..Actor::new(ActorKind::Bot, BOT) }
    }

    /// Whether something is for humans alone.
    pub(super) fn is_humans_only(&self, topic: &str) -> bool {
        let same = |other: &String| other.to_lowercase() == topic.to_lowercase();
        !topic.is_empty() && self.bot.humans_only.iter().any(same)
    }
}
