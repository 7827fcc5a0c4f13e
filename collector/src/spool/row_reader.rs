//! A row read back from its stored form (`FORMAT RowBinary`), for a person to look at.
//!
//! The other half of `row_binary`; only dead letters and the archive need it. The form names no types, so the row's
//! own type must be the one that wrote it.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// The bytes are no row of this type.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a row: {0}")]
pub(crate) struct ReadError(String);

impl ReadError {
    pub(super) fn left_over() -> Self {
        Self("bytes are left over".to_owned())
    }
}

impl de::Error for ReadError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a row that is all of the bytes.
pub(crate) fn read<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, ReadError> {
    let row = T::deserialize(Reader(&mut bytes))?;
    if bytes.is_empty() { Ok(row) } else { Err(ReadError::left_over()) }
}

/// Reads a row of these columns, in their order, as it was written by another release perhaps. What it lacks
/// is nought or empty, as ClickHouse has it in a column that was added later. A column that `T` does not
/// have makes it unreadable: nothing here says of what type it is.
pub(crate) fn read_columns<T: DeserializeOwned>(
    columns: &[String],
    mut bytes: &[u8],
) -> Result<T, ReadError> {
    let row = T::deserialize(Columns { columns, bytes: &mut bytes })?;
    if bytes.is_empty() { Ok(row) } else { Err(ReadError::left_over()) }
}

/// The text that a row begins with: whatever its other columns are, ours begin with the site.
pub(crate) fn first_text(mut bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(Reader(&mut bytes).text().ok()?).ok()
}

/// The bytes of a row that are not read yet.
pub(super) struct Reader<'a, 'de>(pub(super) &'a mut &'de [u8]);

impl<'de> Reader<'_, 'de> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        *self.0 = rest;
        Ok(*taken)
    }

    /// LEB128, the form of every length.
    pub(super) fn length(&mut self) -> Result<usize, ReadError> {
        if let Some((byte @ 0..0x80, rest)) = self.0.split_first() {
            // Nearly every one.
            *self.0 = rest;
            return Ok(usize::from(*byte));
        }
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
        self.bytes(length)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'de [u8], ReadError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        *self.0 = rest;
        Ok(taken)
    }

    /// A text with its length in front, as it lies there.
    pub(super) fn whole_text(&mut self) -> Result<&'de [u8], ReadError> {
        let all = *self.0;
        self.text()?;
        all.get(..all.len() - self.0.len()).ok_or_else(too_short)
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

/// A row by the names of its columns.
struct Columns<'a, 'c, 'de> {
    columns: &'c [String],
    bytes: &'a mut &'de [u8],
}

impl<'de> de::Deserializer<'de> for Columns<'_, '_, 'de> {
    type Error = ReadError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let Self { columns, bytes } = self;
        if let Some(unknown) = columns.iter().find(|column| !fields.contains(&column.as_str())) {
            return Err(ReadError(format!("there is no column {unknown}")));
        }
        let has = |field: &&&str| columns.iter().any(|column| column == **field);
        let lacking: Vec<_> = fields.iter().filter(|field| !has(field)).copied().collect();
        let (columns, lacking) = (columns.iter(), lacking.into_iter());
        visitor.visit_map(Named { columns, lacking, is_lacking: false, bytes })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError("a row has columns".to_owned()))
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The columns that are there, and then those that are not.
struct Named<'a, 'c, 'de> {
    columns: std::slice::Iter<'c, String>,
    lacking: std::vec::IntoIter<&'static str>,
    is_lacking: bool,
    bytes: &'a mut &'de [u8],
}

impl<'de> MapAccess<'de> for Named<'_, '_, 'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let column = self.columns.next().map(String::as_str);
        self.is_lacking = column.is_none();
        let Some(name) = column.or_else(|| self.lacking.next()) else { return Ok(None) };
        seed.deserialize(IntoDeserializer::<ReadError>::into_deserializer(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        if self.is_lacking {
            // No form of a type is longer than its nought but a text and a list, whose noughts are a length.
            return seed.deserialize(Reader(&mut NOUGHTS.as_slice()));
        }
        seed.deserialize(Reader(self.bytes))
    }
}

/// Any column's nought or empty value begins these bytes; the longest has sixteen, a UUID.
static NOUGHTS: [u8; 16] = [0; 16];

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

    #[test]
    fn a_row_of_other_columns_reads_as_far_as_they_are_known() {
        let mut bytes = Vec::new();
        write(&mut bytes, &("a title", "shop", -7_i64, vec!["x"])).unwrap();
        let columns = |names: [&str; 4]| names.map(str::to_owned);
        let former = columns(["title", "site", "occurred_at", "categories"]);
        let expected = EventRow {
            title: "a title".to_owned(),
            site: "shop".to_owned(),
            occurred_at: -7,
            categories: vec!["x".to_owned()],
            ..EventRow::default()
        };
        assert_eq!(read_columns::<EventRow>(&former, &bytes).unwrap(), expected);
        for end in 0..bytes.len() {
            assert!(read_columns::<EventRow>(&former, &bytes[..end]).is_err(), "cut at {end}");
        }
        let later = columns(["title", "site", "occurred_at", "mood"]);
        assert!(read_columns::<EventRow>(&later, &bytes).is_err());
        let twice = columns(["title", "title", "occurred_at", "categories"]);
        assert!(read_columns::<EventRow>(&twice, &bytes).is_err());
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
