//! The page against this crate: `sdk-wasm/parts/traits.js`, run by node, hashes what people wrote just
//! as it is hashed here.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use identifier::{Country, Identifier, Kind, Phone, from_traits};
use serde_json::{Map, Value, json};

use crate::{id, people, raw};

/// Reads `[[traits, calling code], ...]`, writes what the part makes of each.
const RUN: &str = "
    import hash from './traits.mjs';
    let text = '';
    for await (const part of process.stdin) text += part;
    const made = JSON.parse(text).map(([traits, code]) => hash(traits, (name) => name === 'phoneCode' && code));
    console.log(JSON.stringify(await Promise.all(made)));
";

/// The calling codes of the countries that the people are from.
const CODES: [(&str, &str); 13] = [
    ("CA", "1"),
    ("CZ", "420"),
    ("DE", "49"),
    ("GB", "44"),
    ("GR", "30"),
    ("HR", "385"),
    ("IT", "39"),
    ("KR", "82"),
    ("PL", "48"),
    ("RS", "381"),
    ("SI", "386"),
    ("TR", "90"),
    ("US", "1"),
];

fn in_the_page(people: &Value) -> Vec<Map<String, Value>> {
    let part = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk-wasm/parts/traits.js");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(part, folder.path().join("traits.mjs")).unwrap();
    let mut node = Command::new("node")
        .args(["--input-type=module", "--eval", RUN])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(people.to_string().as_bytes()).unwrap();
    let run = node.wait_with_output().unwrap();
    assert!(run.status.success(), "node ended with {}", run.status);
    serde_json::from_slice(&run.stdout).unwrap()
}

fn identifiers(hashed: &Map<String, Value>) -> Vec<Identifier> {
    from_traits(hashed.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())), None)
}

fn code(region: &str) -> Value {
    let code = CODES.iter().find(|(country, _)| *country == region);
    code.map_or(Value::Null, |(_, code)| json!(code))
}

#[test]
fn what_a_page_hashes_is_what_is_hashed_here() {
    const FIELDS: [&str; 4] = ["email", "phone", "first_name", "last_name"];
    let people = people();
    let sent = people.iter().map(|person| {
        let traits = FIELDS.map(|field| (field.to_owned(), json!(raw(person, field))));
        json!([Map::from_iter(traits), code(raw(person, "default_region"))])
    });
    let in_the_page = in_the_page(&sent.collect());
    assert_eq!(in_the_page.len(), people.len());
    let mut compared = 0;
    for (person, hashed) in people.iter().zip(&in_the_page) {
        let region = raw(person, "default_region");
        let mut ours = identifiers(hashed);
        let mut expected =
            from_traits(FIELDS.map(|field| (field, raw(person, field))).into_iter(), Some(region));
        let is_phone =
            |identifier: &Identifier| matches!(identifier.kind, Kind::Phone | Kind::PhoneMeta);
        // Whether a number is given out to anybody is not known in the page.
        if Phone::parse(raw(person, "phone"), Country::parse(region).ok()).is_err() {
            ours.retain(|identifier| !is_phone(identifier));
        }
        // Nor are letters read there that stand for a number's keys.
        if raw(person, "phone") == "1-800-FLOWERS" {
            expected.retain(|identifier| !is_phone(identifier));
        }
        assert_eq!(ours, expected, "{}", id(person));
        compared += expected.len();
    }
    assert!(compared > 150, "only {compared} identifiers were compared");
}

#[test]
fn what_is_nobodys_is_not_hashed() {
    let digest = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f";
    let emails = [
        "ana",
        "@example.hr",
        "ana@",
        "ana@@example.hr",
        "ana@example",
        "ana@example.hr.",
        ".ana@example.hr",
        "a..b@example.hr",
        "ana@-example.hr",
        "ana@exam ple.hr",
        "ana@127.0.0.1",
        "\"ana\"@example.hr",
        "....@gmail.com",
        "+tag@gmail.com",
        "ana@exa_mple.hr",
        "a\u{0}b@example.hr",
        "d41d8cd98f00b204e9800998ecf8427e",
        "",
        " \u{200b}",
        digest,
        "Ana@Bücher.example",
        "\u{feff}S\u{30c}ime@example.hr",
        "A.b+x@Gmail.com",
    ];
    let phones = [
        "091 234 5678",
        "0385",
        "+385",
        "not a number",
        "+0385912345678",
        "+385 91 234 5678 ext 5",
        "+385 (0)91 234 5678",
        "00385912345678",
        "＋３８５９１２３４５６７８",
        digest,
    ];
    let sent = |name: &str, text: &&str| json!([{name: text}, null]);
    let sent: Vec<_> = emails
        .iter()
        .map(|text| sent("email", text))
        .chain(phones.iter().map(|text| sent("phone", text)))
        .collect();
    let in_the_page = in_the_page(&json!(sent));
    let here = emails.iter().map(|text| from_traits([("email", *text)].into_iter(), None));
    for ((text, here), hashed) in emails.iter().zip(here).zip(&in_the_page) {
        assert_eq!(identifiers(hashed), here, "{text:?}");
    }
    let phone = Phone::parse("+385912345678", None).unwrap();
    let forms = [phone.google(), phone.meta()].map(|form| form.to_string());
    for (text, hashed) in phones.iter().zip(in_the_page.iter().skip(emails.len())) {
        let expected = match *text {
            "+385 91 234 5678 ext 5"
            | "+385 (0)91 234 5678"
            | "00385912345678"
            | "＋３８５９１２３４５６７８" => {
                forms.each_ref().map(|form| Some(&**form))
            }
            known if known == digest => [Some(digest); 2],
            _ => [None; 2],
        };
        let told = ["phone_sha256", "phone_meta_sha256"].map(|name| hashed.get(name));
        assert_eq!(told.map(|hash| hash.and_then(Value::as_str)), expected, "{text:?}");
    }
}

#[test]
fn a_national_number_is_read_by_the_countrys_code() {
    // Where the trunk prefix is no single nought, or belongs to the number.
    let numbers = [
        ("HR", "385", "091/234-5678"),
        ("US", "1", "1 (650) 253-0000"),
        ("IT", "39", "06 6982 0000"),
        ("HU", "36", "06 1 234 5678"),
        ("RU", "7", "8 (912) 345-67-89"),
        ("LT", "370", "8 612 34567"),
        ("BY", "375", "8 029 491 19 11"),
        ("CI", "225", "01 23 45 67 89"),
        ("CG", "242", "06 612 34 56"),
        ("SM", "378", "0549 886377"),
        ("TM", "993", "8 66 123456"),
        ("ES", "34", "612 34 56 78"),
        ("GB", "44", "07400 123456"),
    ];
    let sent: Vec<_> =
        numbers.iter().map(|(_, code, number)| json!([{"phone": number}, code])).collect();
    for ((region, _, number), hashed) in numbers.into_iter().zip(in_the_page(&json!(sent))) {
        let here = from_traits([("phone", number)].into_iter(), Some(region));
        assert_eq!(here.len(), 2, "{number}");
        assert_eq!(identifiers(&hashed), here, "{number}");
    }
}
