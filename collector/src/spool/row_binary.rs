//! A row as ClickHouse reads it (`FORMAT RowBinary`).
//!
//! Rows are put into their final form once, before the answer; from then on the spool and the sink
//! move bytes and know nothing of columns. Only what our rows consist of is supported.

use serde::ser::{self, Impossible, Serialize, SerializeSeq, SerializeStruct, SerializeTuple};

/// A row holds something that RowBinary, or this writer, has no form for: a bug in the row's type.
#[derive(Debug, thiserror::Error)]
#[error("cannot write a row: {0}")]
pub struct RowError(String);

impl ser::Error for RowError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Appends a row to the bytes.
pub(crate) fn write(bytes: &mut Vec<u8>, row: &impl Serialize) -> Result<(), RowError> {
    row.serialize(Writer(bytes))
}

struct Writer<'a>(&'a mut Vec<u8>);

/// LEB128, the form of every length.
pub(super) fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

macro_rules! little_endian {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), RowError> {
            self.0.extend_from_slice(&value.to_le_bytes());
            Ok(())
        })*
    };
}

macro_rules! unsupported {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result, RowError> {
            Err(RowError(concat!(stringify!($method), " has no form here").to_owned()))
        })*
    };
}

impl ser::Serializer for Writer<'_> {
    type Ok = ();
    type Error = RowError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeStruct = Self;
    type SerializeTupleStruct = Impossible<(), RowError>;
    type SerializeTupleVariant = Impossible<(), RowError>;
    type SerializeMap = Impossible<(), RowError>;
    type SerializeStructVariant = Impossible<(), RowError>;

    little_endian! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f32: f32, serialize_f64: f64
    }

    fn serialize_bool(self, value: bool) -> Result<(), RowError> {
        self.serialize_u8(u8::from(value))
    }

    fn serialize_str(self, value: &str) -> Result<(), RowError> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), RowError> {
        put_length(self.0, value.len());
        // Half of a row's texts are empty, and a copy of nothing is a call too.
        if !value.is_empty() {
            self.0.extend_from_slice(value);
        }
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, RowError> {
        let length = length.ok_or_else(|| RowError("a list must know its length".to_owned()))?;
        put_length(self.0, length);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, RowError> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, RowError> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    unsupported! {
        serialize_char(char) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), RowError> {
        Err(RowError("an optional column has no form here".to_owned()))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError("a variant has no form here".to_owned()))
    }
}

impl SerializeSeq for Writer<'_> {
    type Ok = ();
    type Error = RowError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        value.serialize(Writer(self.0))
    }

    fn end(self) -> Result<(), RowError> {
        Ok(())
    }
}

impl SerializeTuple for Writer<'_> {
    type Ok = ();
    type Error = RowError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        value.serialize(Writer(self.0))
    }

    fn end(self) -> Result<(), RowError> {
        Ok(())
    }
}

impl SerializeStruct for Writer<'_> {
    type Ok = ();
    type Error = RowError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        value.serialize(Writer(self.0))
    }

    fn end(self) -> Result<(), RowError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn writes_what_the_format_says() {
        let mut bytes = Vec::new();
        write(&mut bytes, &("ab", 258_u16, vec![("k", "v")], (1_u64, 2_u64), -1_i8)).unwrap();
        let expected: &[u8] = &[
            2, b'a', b'b', // a string with its length
            2, 1, // little endian
            1, 1, b'k', 1, b'v', // a map is a list of pairs
            1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, // a UUID is two halves
            255,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn writes_long_lengths_in_seven_bit_groups() {
        let mut bytes = Vec::new();
        write(&mut bytes, &"x".repeat(300)).unwrap();
        assert_eq!(bytes.get(..2), Some(&[0xac, 0x02][..]));
        assert_eq!(bytes.len(), 302);
    }

    #[test]
    fn refuses_what_it_has_no_form_for() {
        let refused = write(&mut Vec::new(), &Some(1_u8)).unwrap_err();
        assert_eq!(refused.to_string(), "cannot write a row: an optional column has no form here");
    }
}
