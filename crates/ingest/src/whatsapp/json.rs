//! Reading objects that others write: a field that can't be read spoils no other.
//!
//! Nearly every object is as documented, and is read in one pass, whatever lies in it. Only where that fails is it
//! read again field by field, which looks at each byte once more for every level of nesting.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A piece of the body as it came.
pub(crate) type Raw<'a> = &'a RawValue;

/// What can be read of a piece of the body.
pub(crate) trait Read<'a>: Deserialize<'a> {
    /// As much of `json` as can be read; `None` where it has another shape.
    fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

impl Read<'_> for bool {}
impl Read<'_> for f64 {}
impl Read<'_> for i64 {}
impl<'a> Read<'a> for Raw<'a> {}
impl<'a> Read<'a> for Text<'a> {}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(json: &'a str) -> Option<Self> {
        if json == "null" { Some(None) } else { T::read(json).map(Some) }
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    /// All of its elements, or none.
    fn read(json: &'a str) -> Option<Self> {
        let at_once = || serde_json::from_str(json).ok();
        let one_by_one = || serde_json::from_str::<Vec<Raw>>(json).ok()?.iter().map(|raw| T::read(raw.get())).collect();
        at_once().or_else(one_by_one)
    }
}

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
            /// Fails if a known field can't be read: [`Read`] knows what to do then.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<'a>(std::marker::PhantomData<&'a ()>);

                impl<'de: 'a, 'a> serde::de::Visitor<'de> for Fields<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name::default();
                        while let Some(key) = map.next_key::<crate::whatsapp::json::Key<'de>>()? {
                            match key.0.as_ref() {
                                $($key => object.$field = map.next_value::<Option<$type>>()?.or(object.$field),)*
                                _ => object.unknown(key.0, map.next_value()?),
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Fields(std::marker::PhantomData))
            }
        }

        impl<'a> crate::whatsapp::json::Read<'a> for $name<'a> {
            fn read(json: &'a str) -> Option<Self> {
                let at_once = || serde_json::from_str(json).ok();
                at_once().or_else(|| Some(Self::field_by_field(serde_json::from_str(json).ok()?)))
            }
        }

        impl<'a> $name<'a> {
            fn field_by_field(fields: crate::whatsapp::json::Fields<'a>) -> Self {
                let mut object = $name::default();
                for (key, raw) in fields.0 {
                    match key.as_ref() {
                        $($key => match <Option<$type> as crate::whatsapp::json::Read>::read(raw.get()) {
                            Some(value) => object.$field = value.or(object.$field),
                            None => object.unreadable = true,
                        },)*
                        _ => object.unknown(key, raw),
                    }
                }
                object
            }

            fn unknown(&mut self, key: std::borrow::Cow<'a, str>, raw: crate::whatsapp::json::Raw<'a>) {
                const DROPPED: &[&str] = &$dropped;
                if raw.get() != "null" && !DROPPED.contains(&key.as_ref()) {
                    self.rest.push((key, raw));
                }
            }
        }
    };
}
pub(crate) use object;

/// The key of a field, borrowed where it holds no escapes.
#[derive(Deserialize)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The fields of an object, each as it came.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, raw)) = map.next_entry::<Key<'de>, Raw<'de>>()? {
                    fields.push((key.0, raw));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(All)
    }
}

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
pub(crate) fn each<'a, T: Read<'a>>(raws: &[Raw<'a>]) -> (Vec<T>, bool) {
    let read: Vec<T> = raws.iter().filter_map(|raw| T::read(raw.get())).collect();
    let lost = read.len() != raws.len();
    (read, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        /// For the tests.
        Sample { id: Text<'a> = "id", flag: bool = "flag", parts: Vec<Part<'a>> = "parts", } dropped ["sha256"]
    }

    object! {
        /// For the tests.
        Part { id: Text<'a> = "id", } dropped []
    }

    fn read(json: &str) -> Sample<'_> {
        Sample::read(json).unwrap()
    }

    #[test]
    fn a_field_that_cannot_be_read_spoils_no_other() {
        let sample = read(r#"{"flag":"yes","id":"a","sha256":"x"}"#);
        assert_eq!((sample.id.unwrap().as_str(), sample.flag, sample.unreadable), ("a", None, true));
        assert!(sample.rest.is_empty());
    }

    #[test]
    fn of_what_lies_deeper_as_much_is_read_as_can_be() {
        let sample = read(r#"{"id":"a","parts":[{"id":"x"},{"id":[],"more":1},{"id":"\ud800"}]}"#);
        let parts = sample.parts.unwrap();
        let read: Vec<_> = parts.iter().map(|part| (part.id.as_ref().map(Text::as_str), part.says_more())).collect();
        assert_eq!(read, [(Some("x"), false), (None, true), (None, true)]);
        assert!(!sample.unreadable, "each part says itself what is missing of it");
        assert!(self::read(r#"{"parts":[{"id":"x"},7]}"#).unreadable && Sample::read("[]").is_none());
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
