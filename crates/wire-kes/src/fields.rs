use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

/// A JSON object that is read as tolerantly as the original reads it: names match
/// whatever their case, unknown fields are skipped, the last of several equal fields
/// wins, and `null` stands for an empty object (KES protocol, section 3.3).
pub(crate) trait Fields: Default {
    /// The names of the known fields.
    const NAMES: &'static [&'static str];

    /// Reads the value of the field `name`, one of [`Self::NAMES`].
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error>;
}

/// Makes any [`Fields`] a [`Deserialize`].
pub(crate) struct Tolerant<T>(pub(crate) T);

/// Reads the first JSON value of `body`; what follows it does not matter.
pub(crate) fn first_value<'de, T: Deserialize<'de>>(body: &'de [u8]) -> serde_json::Result<T> {
    T::deserialize(&mut serde_json::Deserializer::from_slice(body))
}

// === impl Tolerant ===

impl<'de, T: Fields> Deserialize<'de> for Tolerant<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(ObjectVisitor(PhantomData))
            .map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(name) = map.next_key_seed(KnownName(T::NAMES))? {
            match name {
                Some(name) => object.read(name, &mut map)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(object)
    }
}

/// Finds a field name among the known ones without allocating.
struct KnownName(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for KnownName {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KnownName {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self
            .0
            .iter()
            .copied()
            .find(|name| name.eq_ignore_ascii_case(text)))
    }
}
