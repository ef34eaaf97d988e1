use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use proto::v1;

use super::answer;
use crate::client::timely;
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark presence ana online               # until set again
  threadmark presence ana online --ttl 90s     # a heartbeat: say it again in time, or it lapses to offline
  threadmark presence ana away";

/// Says whether an agent is there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Presence {
    /// The agent's id
    agent: String,
    /// Whether the agent is there
    #[arg(value_enum)]
    state: StateName,
    /// How long it holds, 1s to 168h, as in 90s or 5m [default: until set again]
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<prost_types::Duration>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateName {
    Online,
    Away,
    Offline,
}

impl Presence {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (state, word) = match self.state {
            StateName::Online => (v1::presence::State::Online, "online"),
            StateName::Away => (v1::presence::State::Away, "away"),
            StateName::Offline => (v1::presence::State::Offline, "offline"),
        };
        let request = v1::SetPresenceRequest {
            workspace: session.workspace.clone(),
            agent_id: self.agent.clone(),
            state: state.into(),
            ttl: self.ttl,
        };
        let set = session.client.directory().set_presence(timely(request)).await;
        let set = set.map_err(|status| session.failure(status))?.into_inner();
        let expire = set.presence.and_then(|presence| presence.expire_time);
        let until = expire.map(|time| format!(" until {}", session.recent(Some(&time)))).unwrap_or_default();
        answer(session, "SetPresenceResponse", &set, &format!("{} is {word}{until}", self.agent))
    }
}

/// A length of time as people type it.
fn ttl(text: &str) -> Result<prost_types::Duration, String> {
    let read: SignedDuration = text.parse().map_err(|_| format!("{text:?} is no length of time: say 90s or 5m"))?;
    Ok(prost_types::Duration { seconds: read.as_secs(), nanos: read.subsec_nanos() })
}

#[cfg(test)]
mod tests {
    use super::ttl;

    #[test]
    fn lengths_of_time_are_typed_as_people_do() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h 30m", 5_400), ("PT1M", 60)] {
            assert_eq!(ttl(text).map(|ttl| ttl.seconds), Ok(seconds), "{text}");
        }
        for text in ["", "90", "soon"] {
            assert!(ttl(text).is_err(), "{text}");
        }
    }
}
