//! What the bot can read of a message. Pure.

use proto::v1;

/// What a message says to someone who reads words alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading<'a> {
    /// All of it.
    Text(&'a str),
    /// Words beside something that can't be read.
    Caption(&'a str),
    /// Nothing can be read: a picture, a voice, a place, something that the channel could not deliver.
    Unreadable,
    /// It says nothing: a sticker, blank words, or it was taken back.
    Nothing,
}

impl Reading<'_> {
    pub(super) fn of(message: &v1::Message) -> Reading<'_> {
        let text = message.text.trim();
        let sticker = message.r#type == "sticker";
        let beside = message.media.is_some() || message.location.is_some() || !message.contacts.is_empty();
        if message.revoked || sticker {
            return Reading::Nothing;
        }
        match (text.is_empty(), beside) {
            (false, false) => Reading::Text(text),
            (false, true) => Reading::Caption(text),
            (true, false) if message.r#type == "text" && message.errors.is_empty() => Reading::Nothing,
            (true, _) => Reading::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_the_rest_is_not() {
        let of = |r#type: &str, text: &str, media: bool| v1::Message {
            r#type: r#type.to_owned(),
            text: text.to_owned(),
            media: media.then(v1::Media::default),
            ..v1::Message::default()
        };
        let cases = [
            (of("text", " hello ", false), Reading::Text("hello")),
            (of("interactive", "Track my order", false), Reading::Text("Track my order")),
            (of("image", "is this broken?", true), Reading::Caption("is this broken?")),
            (of("image", "", true), Reading::Unreadable),
            (of("audio", "", true), Reading::Unreadable),
            (of("unsupported", "", false), Reading::Unreadable),
            (of("sticker", "", true), Reading::Nothing),
            (of("text", " \n", false), Reading::Nothing),
            (v1::Message { revoked: true, ..of("text", "oh", false) }, Reading::Nothing),
            (v1::Message { location: Some(v1::Location::default()), ..of("location", "", false) }, Reading::Unreadable),
        ];
        for (message, want) in cases {
            assert_eq!(Reading::of(&message), want, "{message:?}");
        }
    }
}
