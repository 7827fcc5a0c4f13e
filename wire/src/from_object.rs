//! What is an object on the wire is read from an object.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use crate::lenient::or_default;

/// A struct, read from an object only. Serde's derived code takes a list for one as well, with the fields by
/// their position: nobody sends that on purpose, and a release with a field more would read it another way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FromObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(OnlyObject(deserializer)).map(Self)
    }
}

/// The same of a field that need not be there.
pub(crate) fn object<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    or_default(deserializer).map(|FromObject(read)| read)
}

/// Says of a struct that it is a map, which no list is.
struct OnlyObject<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OnlyObject<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
