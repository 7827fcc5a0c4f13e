//! Writing JSON, and no more of it than the wire needs: `serde_json` would be a tenth of the tracker.
//!
//! Nothing is read here: events lie in the queue as the text they are sent as.

use alloc::string::String;
use core::fmt;

use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeStruct, Serializer};

/// The name by which the writer knows a text that is JSON already.
const RAW: &str = "Raw";

/// A text that is JSON already and goes in as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename = "Raw")]
pub(crate) struct Raw<'a>(pub(crate) &'a str);

impl<'a> Raw<'a> {
    /// The text, if there is any.
    pub(crate) fn some(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }
}

/// The value as JSON. It must be made of what a page writes: texts, whole numbers, what is JSON already,
/// and structs of these.
pub(crate) fn text(value: &impl Serialize) -> String {
    let mut out = String::new();
    match value.serialize(Writer::to(&mut out)) {
        Ok(()) => out,
    }
}

/// Appends a whole number in decimal: `core::fmt` would do the same in many times the code.
pub(crate) fn push_number(out: &mut String, number: u64) {
    if number > 9 {
        push_number(out, number / 10);
    }
    push_digit(out, number % 10);
}

/// Appends a digit, decimal or hexadecimal.
fn push_digit(out: &mut String, digit: u64) {
    let at = digit as usize;
    out.push_str("0123456789abcdef".get(at..=at).unwrap_or_default());
}

/// What cannot happen: writing to memory does not fail, and a type with anything else in it is a mistake that the tests meet first. Without a value there is no code for it.
#[derive(Debug)]
enum NotOnTheWire {}

impl fmt::Display for NotOnTheWire {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl core::error::Error for NotOnTheWire {}

impl Error for NotOnTheWire {
    fn custom<T: fmt::Display>(_: T) -> Self {
        panic!("not on the wire")
    }
}

type Never = Impossible<(), NotOnTheWire>;

struct Writer<'a> {
    out: &'a mut String,
    /// Whether the next text is a [`Raw`]'s.
    raw: bool,
}

impl<'a> Writer<'a> {
    fn to(out: &'a mut String) -> Self {
        Self { out, raw: false }
    }
}

/// A text in quotation marks, with the escapes that RFC 8259, section 7, asks for, all in one form. A
/// line break is one of them: the queue has an event a line.
fn push_quoted(out: &mut String, text: &str) {
    out.push_str("\"");
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        out.push_str(rest.get(..at).unwrap_or_default());
        let byte = rest.as_bytes().get(at).copied().unwrap_or_default();
        out.push_str("\\u00");
        push_digit(out, u64::from(byte >> 4));
        push_digit(out, u64::from(byte & 15));
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push_str("\"");
}

/// An object of which some is written.
struct Opened<'a> {
    out: &'a mut String,
    any: bool,
}

impl SerializeStruct for Opened<'_> {
    type Ok = ();
    type Error = NotOnTheWire;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotOnTheWire> {
        if self.any {
            self.out.push_str(",");
        }
        self.any = true;
        push_quoted(self.out, name);
        self.out.push_str(":");
        value.serialize(Writer::to(self.out))
    }

    fn end(self) -> Result<(), NotOnTheWire> {
        self.out.push_str("}");
        Ok(())
    }
}

/// Methods for what the wire does not have.
macro_rules! not_on_the_wire {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$ok, NotOnTheWire> {
            panic!("not on the wire")
        })*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = NotOnTheWire;
    type SerializeSeq = Never;
    type SerializeStruct = Opened<'a>;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStructVariant = Never;

    fn serialize_u64(self, number: u64) -> Result<(), NotOnTheWire> {
        push_number(self.out, number);
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), NotOnTheWire> {
        if self.raw {
            self.out.push_str(text);
        } else {
            push_quoted(self.out, text);
        }
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotOnTheWire> {
        value.serialize(self)
    }

    /// A [`Raw`] is written as it is, any other as what it holds.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotOnTheWire> {
        value.serialize(Writer { raw: name == RAW, ..self })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Opened<'a>, NotOnTheWire> {
        self.out.push_str("{");
        Ok(Opened { out: self.out, any: false })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NotOnTheWire> {
        panic!("not on the wire")
    }

    not_on_the_wire! {
        serialize_bool(bool) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn texts_are_written_so_that_any_reader_gets_them_back_on_one_line() {
        let every_character: String = ('\0'..='\u{7ff}').chain(['\u{2028}', '😀']).collect();
        let written = text(&every_character);
        assert!(!written.contains(['\n', '\r']));
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), every_character);
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 9, 10, 1_767_225_600_000, u64::MAX] {
            assert_eq!(text(&number), number.to_string());
        }
    }

    #[test]
    fn an_object_is_written_with_what_is_json_already_inside() {
        #[derive(Serialize)]
        struct Holder<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            absent: Option<Raw<'a>>,
            object: Raw<'a>,
            list: Option<Raw<'a>>,
            text: &'a str,
        }
        let (object, list) = (Raw(r#"{"price":1.5}"#), Raw::some("[7]"));
        let written =
            text(&Holder { absent: Raw::some(""), object, list, text: "a \"quoted\" note" });
        let value: Value = serde_json::from_str(&written).unwrap();
        let expected = json!({"object": {"price": 1.5}, "list": [7], "text": "a \"quoted\" note"});
        assert_eq!(value, expected);
    }
}
