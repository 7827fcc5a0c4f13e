//! The file: one line a person, hashed but for country and postal code.

use std::io;

use csv::{QuoteStyle, Terminator, WriterBuilder};
use identifier::Hashed;

use crate::{Leaving, Member};

/// Writes the header and everyone. `Email` and `Phone` stand in the header as often as the person with
/// most of them needs, at least once: the way the file has room for several. A name and a place are
/// written only where all four columns are known, since Google takes no part of them.
pub(super) fn write(leaving: Leaving<'_>, out: &mut dyn io::Write) -> Result<(), csv::Error> {
    let members = leaving.members();
    let widest = |of: fn(&Member) -> &[Hashed]| {
        members.iter().map(|member| of(member).len()).max().unwrap_or_default().max(1)
    };
    let (emails, phones) = (widest(Member::emails), widest(Member::phones));
    let mut file = WriterBuilder::new()
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .from_writer(out);

    let repeated = |title, times| std::iter::repeat_n(title, times);
    let address = ["First Name", "Last Name", "Country", "Zip"];
    file.write_record(repeated("Email", emails).chain(repeated("Phone", phones)).chain(address))?;
    for member in members {
        write_columns(&mut file, member.emails(), emails)?;
        write_columns(&mut file, member.phones(), phones)?;
        let address = member.address();
        let hashes = address.map(|address| [address.first_name, address.last_name]);
        write_columns(&mut file, hashes.as_ref().map_or(&[], |hashes| hashes), 2)?;
        file.write_field(address.map_or("", |address| address.country.as_str()))?;
        file.write_field(address.map_or("", |address| address.zip.as_str()))?;
        file.write_record(None::<&[u8]>)?;
    }
    file.flush()?;
    Ok(())
}

/// Writes the hashes and leaves the rest of the columns empty.
fn write_columns(
    file: &mut csv::Writer<&mut dyn io::Write>,
    hashes: &[Hashed],
    columns: usize,
) -> Result<(), csv::Error> {
    for column in 0..columns {
        match hashes.get(column) {
            Some(hashed) => file.write_field(hashed.to_string())?,
            None => file.write_field("")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use identifier::{Email, Kind, Phone, from_traits};

    fn member(traits: &[(&str, &str)]) -> Member {
        let found = from_traits(traits.iter().copied(), Some("HR"));
        let told = found.into_iter().map(|known| (known.kind.as_str().to_owned(), known.value));
        Member::from_told(&told.collect::<Vec<_>>(), Kind::EmailGoogle)
    }

    fn written(members: &[Member]) -> String {
        let mut file = Vec::new();
        write(Leaving(members), &mut file).unwrap();
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn the_header_is_googles_and_nothing_stands_before_it() {
        assert_eq!(written(&[]), "Email,Phone,First Name,Last Name,Country,Zip\n");
    }

    #[test]
    fn several_emails_and_phones_repeat_their_columns() {
        let two = member(&[
            ("email", "a@example.hr"),
            ("email", "b@example.hr"),
            ("phone", "091 234 5678"),
            ("phone", "091 234 5679"),
        ]);
        let one = member(&[("phone", "098 123 456")]);
        let file = written(&[two.clone(), one.clone()]);
        let (emails, phones) = (two.emails(), two.phones());
        let expected = format!(
            "Email,Email,Phone,Phone,First Name,Last Name,Country,Zip\n{},{},{},{},,,,\n,,{},,,,,\n",
            emails[0],
            emails[1],
            phones[0],
            phones[1],
            one.phones()[0]
        );
        assert_eq!(file, expected);
        assert!(emails.contains(&Email::parse("b@example.hr").unwrap().google()));
        assert!(phones.contains(&Phone::parse("+385912345679", None).unwrap().google()));
    }

    #[test]
    fn a_part_of_an_address_is_not_written() {
        let part = member(&[
            ("email", "a@example.hr"),
            ("first_name", "Ana"),
            ("country", "HR"),
            ("zip", "10000"),
        ]);
        let line = format!("{},,,,,", part.emails()[0]);
        assert_eq!(written(&[part]).lines().nth(1), Some(line.as_str()));
    }
}
