//! A row read back from its stored form (`FORMAT RowBinary`), for a person to look at.
//!
//! The other half of `row_binary`; only a dead letter needs it. The form names no types, so the row's
//! own type must be the one that wrote it.

use serde::de::{self, DeserializeOwned, DeserializeSeed, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The bytes are no row of this type.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a row: {0}")]
pub(crate) struct ReadError(String);

impl de::Error for ReadError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a row that is all of the bytes.
pub(crate) fn read<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, ReadError> {
    let row = T::deserialize(Reader(&mut bytes))?;
    if bytes.is_empty() { Ok(row) } else { Err(ReadError("bytes are left over".to_owned())) }
}

/// The text that a row begins with: whatever its other columns are, ours begin with the site.
pub(crate) fn first_text(mut bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(Reader(&mut bytes).text().ok()?).ok()
}

struct Reader<'a, 'de>(&'a mut &'de [u8]);

impl<'de> Reader<'_, 'de> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        *self.0 = rest;
        Ok(*taken)
    }

    /// LEB128, the form of every length.
    fn length(&mut self) -> Result<usize, ReadError> {
        let mut length = 0_u64;
        for shift in (0..63).step_by(7) {
            let [byte] = self.take()?;
            length |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(length).map_err(|_| too_short());
            }
        }
        Err(ReadError("a length has no end".to_owned()))
    }

    fn text(&mut self) -> Result<&'de [u8], ReadError> {
        let length = self.length()?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        *self.0 = rest;
        Ok(taken)
    }
}

fn too_short() -> ReadError {
    ReadError("the bytes end too early".to_owned())
}

macro_rules! little_endian {
    ($($method:ident $visit:ident: $type:ty),*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ReadError> {
            visitor.$visit(<$type>::from_le_bytes(self.take()?))
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader<'_, 'de> {
    type Error = ReadError;

    little_endian! {
        deserialize_i8 visit_i8: i8, deserialize_i16 visit_i16: i16,
        deserialize_i32 visit_i32: i32, deserialize_i64 visit_i64: i64,
        deserialize_u8 visit_u8: u8, deserialize_u16 visit_u16: u16,
        deserialize_u32 visit_u32: u32, deserialize_u64 visit_u64: u64,
        deserialize_f32 visit_f32: f32, deserialize_f64 visit_f64: f64
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ReadError> {
        let [byte] = self.take()?;
        visitor.visit_bool(byte != 0)
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ReadError> {
        let text = std::str::from_utf8(self.text()?).map_err(de::Error::custom)?;
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ReadError> {
        let left = self.length()?;
        visitor.visit_seq(Items { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_seq(Items { reader: self, left: length })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_seq(Items { reader: self, left: fields.len() })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError("a column of this type has no form here".to_owned()))
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf option unit unit_struct tuple_struct map enum identifier ignored_any
    }
}

struct Items<'a, 'de> {
    reader: Reader<'a, 'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(Reader(self.reader.0)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use store::EventRow;
    use uuid::Uuid;

    use super::*;
    use crate::spool::row_binary::write;

    #[test]
    fn a_row_reads_back_as_it_was_written() {
        let row = EventRow {
            site: "shop".to_owned(),
            event_id: Uuid::from_u128(u128::MAX - 5),
            occurred_at: -1,
            title: "ž".repeat(300),
            categories: vec!["a".to_owned(), String::new()],
            screen_width: 390,
            consent_ads: 2,
            properties: vec![("k".to_owned(), "v".to_owned())],
            ..EventRow::default()
        };
        let mut bytes = Vec::new();
        write(&mut bytes, &row).unwrap();
        assert_eq!(read::<EventRow>(&bytes).unwrap(), row);
        assert_eq!(first_text(&bytes), Some("shop"));
        for end in 0..bytes.len() {
            assert!(read::<EventRow>(&bytes[..end]).is_err(), "cut at {end}");
        }
        bytes.push(0);
        assert!(read::<EventRow>(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(row) = read::<(String, Vec<u16>, u64)>(&bytes) {
                prop_assert!(row.0.len() + row.1.len() <= bytes.len());
            }
        }
    }
}
