use std::time::Duration;

use crate::Time;

/// How long after the customer's last message the business may say what it likes. WhatsApp's "customer service
/// window"; outside it the channel takes approved templates alone and answers 131047 to anything else.
const WHATSAPP: Duration = Duration::from_secs(24 * 60 * 60);

/// Until when free words may be sent on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyWindow {
    /// The channel has no such window: always.
    Unlimited,
    /// Until this instant, which may be past.
    Until(Time),
    /// The customer never wrote.
    NeverOpened,
}

impl ReplyWindow {
    /// How long a window a channel of this address has ("whatsapp:106540352242922"); `None` for those without one.
    pub fn length(channel: &str) -> Option<Duration> {
        match channel.split_once(':') {
            Some(("whatsapp", _)) => Some(WHATSAPP),
            _ => None,
        }
    }

    /// The window of a channel whose customer's last message happened at `last`, by the channel's clock: one that was
    /// delivered late opens it no longer than one that was delivered at once.
    pub fn of(channel: &str, last: Option<Time>) -> ReplyWindow {
        match (ReplyWindow::length(channel), last) {
            (None, _) => ReplyWindow::Unlimited,
            (Some(_), None) => ReplyWindow::NeverOpened,
            (Some(length), Some(last)) => ReplyWindow::Until(last.plus(length)),
        }
    }

    /// Whether free words may be sent now.
    pub fn is_open(self, now: Time) -> bool {
        match self {
            ReplyWindow::Unlimited => true,
            ReplyWindow::Until(end) => now < end,
            ReplyWindow::NeverOpened => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_closes_a_day_after_the_customer_wrote_and_never_opens_by_itself() {
        let wrote = Time::from_seconds(1_000_000);
        let window = ReplyWindow::of("whatsapp:1", Some(wrote));
        let end = Time::from_seconds(1_000_000 + 86_400);
        assert_eq!(window, ReplyWindow::Until(end));
        assert!(window.is_open(wrote) && window.is_open(Time(end.0 - 1)));
        assert!(!window.is_open(end), "the end is outside");
        assert!(!ReplyWindow::of("whatsapp:1", None).is_open(Time::MIN));
    }

    #[test]
    fn other_channels_have_none() {
        for channel in ["web:1", "webchat:1", "whatsappy:1", "whatsapp", "", "x:whatsapp:1"] {
            assert_eq!(ReplyWindow::of(channel, None), ReplyWindow::Unlimited, "{channel}");
        }
    }
}
