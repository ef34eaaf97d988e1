//! Reading objects that others write: every field by itself, so that one that can't be read spoils no other.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

/// A piece of the body as it came.
pub(crate) type Raw<'a> = &'a RawValue;

/// Declares an object of the channel: its fields with their keys, and the keys that are known and not kept.
/// Every field is optional; null counts as absent. `rest` holds the fields that are not known, `unreadable` says
/// whether a known one could not be read.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $key:literal,)* } dropped $dropped:expr) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: Option<$type>,)*
            pub(crate) rest: Vec<(std::borrow::Cow<'a, str>, crate::whatsapp::json::Raw<'a>)>,
            pub(crate) unreadable: bool,
        }

        impl $name<'_> {
            /// Whether something stands in the object that its fields do not say.
            #[allow(dead_code)]
            pub(crate) fn says_more(&self) -> bool {
                self.unreadable || !self.rest.is_empty()
            }
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<'a>(std::marker::PhantomData<&'a ()>);

                impl<'de: 'a, 'a> serde::de::Visitor<'de> for Fields<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        const DROPPED: &[&str] = &$dropped;
                        let mut object = $name::default();
                        while let Some(key) = map.next_key::<crate::whatsapp::json::Key<'de>>()? {
                            let raw: crate::whatsapp::json::Raw<'de> = map.next_value()?;
                            if raw.get() == "null" {
                                continue;
                            }
                            match key.0.as_ref() {
                                $($key => match serde_json::from_str(raw.get()) {
                                    Ok(value) => object.$field = Some(value),
                                    Err(_) => object.unreadable = true,
                                },)*
                                other if DROPPED.contains(&other) => {}
                                _ => object.rest.push((key.0, raw)),
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Fields(std::marker::PhantomData))
            }
        }
    };
}
pub(crate) use object;

/// The key of a field, borrowed where it holds no escapes.
#[derive(Deserialize)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A text, borrowed where it holds no escapes. A whole number counts as its digits: some senders write ids so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
        }

        deserializer.deserialize_any(Words)
    }
}

/// An object or list of which each element is read by itself; whether one could not be read.
pub(crate) fn each<'a, T: Deserialize<'a>>(raws: &[Raw<'a>]) -> (Vec<T>, bool) {
    let read: Vec<T> = raws.iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect();
    let lost = read.len() != raws.len();
    (read, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        /// For the tests.
        Sample { id: Text<'a> = "id", flag: bool = "flag", } dropped ["sha256"]
    }

    fn read(json: &str) -> Sample<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_field_that_cannot_be_read_spoils_no_other() {
        let sample = read(r#"{"flag":"yes","id":"a","sha256":"x"}"#);
        assert_eq!((sample.id.unwrap().as_str(), sample.flag, sample.unreadable), ("a", None, true));
        assert!(sample.rest.is_empty());
    }

    #[test]
    fn unknown_fields_are_kept_and_null_counts_as_absent() {
        let sample = read(r#"{"id":null,"new":{"a":1},"other":null}"#);
        assert!(sample.id.is_none() && !sample.unreadable);
        assert_eq!(
            sample.rest.iter().map(|(key, raw)| (key.as_ref(), raw.get())).collect::<Vec<_>>(),
            [("new", r#"{"a":1}"#)]
        );
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_and_escaped_keys_are_known() {
        assert_eq!(read(r#"{"id":"a","\u0069d":"b"}"#).id.unwrap().as_str(), "b");
    }

    #[test]
    fn whole_numbers_are_texts_and_fractions_are_not() {
        assert_eq!(read(r#"{"id":16505551234}"#).id.unwrap().as_str(), "16505551234");
        assert!(read(r#"{"id":1.5}"#).unreadable && read(r#"{"id":true}"#).unreadable);
    }
}
