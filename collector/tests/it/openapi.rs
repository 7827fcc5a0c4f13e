//! docs/openapi.yaml says what the code does, and what golden payloads are.

use std::collections::BTreeSet;

use collector::{DropReason, Rejection};
use jsonschema::Validator;
use serde_json::{Value, json};
use wire::limits;

use crate::http::send;
use crate::stack::{alone, batch, page_view};

const OPENAPI: &str = include_str!("../../../docs/openapi.yaml");
const WIRE: &str = include_str!("../../../docs/WIRE.md");

fn document() -> Value {
    yaml_serde::from_str(OPENAPI).unwrap()
}

/// The texts of an `enum`.
fn listed(document: &Value, schema: &str) -> BTreeSet<String> {
    let names = document["components"]["schemas"][schema]["enum"].as_array().unwrap();
    let set: BTreeSet<_> = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(set.len(), names.len(), "{schema} names one twice");
    set
}

/// Checks values by one of the document's schemas.
fn schema(name: &str) -> Validator {
    let mut document = document();
    let components = document["components"].take();
    let reference = format!("#/components/schemas/{name}");
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": components,
        "$ref": reference,
    });
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn holds(name: &str, value: &Value) {
    let errors: Vec<_> = schema(name)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
}

/// The same, and the schema names every field there is.
#[track_caller]
pub(crate) fn names_all_of(name: &str, value: &Value) {
    holds(name, value);
    let documented = &document()["components"]["schemas"][name]["properties"];
    for field in value.as_object().unwrap().keys() {
        assert!(documented.get(field).is_some(), "{name} does not name {field}");
    }
}

/// Where something in the document refers to.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(to) if name == "$ref" => found.push(to),
                    value => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn it_is_openapi_and_what_it_refers_to_is_there() {
    let spec = oas3::from_yaml(OPENAPI).unwrap();
    assert!(spec.openapi.starts_with("3.1"), "{}", spec.openapi);
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for to in found {
        let pointer = to.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "there is no {to}");
    }
    let ids: Vec<_> = spec.operations().filter_map(|(_, _, op)| op.operation_id.clone()).collect();
    let once: BTreeSet<_> = ids.iter().collect();
    assert_eq!(once.len(), ids.len(), "{ids:?}");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name} is no schema");
    }
}

#[test]
fn every_rejection_is_there_with_its_status() {
    let document = document();
    let documented = &document["components"]["responses"]["Rejected"]["x-rejections"];
    let spec = Rejection::all().into_iter().map(|rejection| rejection.spec());
    let true_ones: serde_json::Map<_, _> = spec
        .map(|spec| {
            let retry_after = spec.retry_after.map_or(0, |after| after.as_secs());
            let told = json!({"status": spec.status.as_u16(), "retry_after": retry_after});
            (spec.tag.to_owned(), told)
        })
        .collect();
    assert_eq!(*documented, Value::Object(true_ones.clone()));
    assert_eq!(
        listed(&document, "RejectionTag"),
        true_ones.into_iter().map(|(tag, _)| tag).collect()
    );
}

#[test]
fn every_reason_to_leave_an_event_out_is_there() {
    let true_ones = DropReason::ALL.into_iter().map(|reason| reason.tag().to_owned()).collect();
    assert_eq!(listed(&document(), "DropReason"), true_ones);
}

#[test]
fn the_limits_are_the_codes() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Batch"]["properties"]["events"]["maxItems"], limits::EVENTS_PER_BATCH_MAX);
    assert_eq!(
        schemas["SegmentBatch"]["properties"]["batch"]["maxItems"],
        limits::EVENTS_PER_BATCH_MAX
    );
    assert_eq!(schemas["SiteName"]["maxLength"], limits::SITE_NAME_BYTES_MAX);
    let event = &schemas["Event"]["properties"];
    let said = |text: &Value, limit: usize| {
        let text = text["description"].as_str().unwrap();
        let numbers = text.split(|letter: char| !letter.is_ascii_digit());
        assert!(numbers.into_iter().any(|number| number == limit.to_string()), "{limit}: {text}");
    };
    said(&schemas["Batch"], limits::BODY_BYTES_MAX);
    said(&event["user"], limits::USER_BYTES_MAX);
    said(&event["url"], limits::URL_BYTES_MAX);
    said(&event["referrer"], limits::URL_BYTES_MAX);
    said(&event["title"], limits::NAME_BYTES_MAX);
    said(&event["name"], limits::NAME_BYTES_MAX);
    said(&event["categories"], limits::CATEGORIES_MAX);
    for limit in [limits::PROPERTIES_MAX, limits::PROPERTIES_DEPTH_MAX, limits::PROPERTY_BYTES_MAX]
    {
        said(&event["properties"], limit);
    }
}

/// Every address that docs/WIRE.md names, a link's and a script's with their parameters.
fn addresses_of_wire() -> BTreeSet<String> {
    let code = WIRE.split('`').skip(1).step_by(2);
    let addresses = code.filter_map(|code| {
        let address = ["GET ", "POST "].iter().find_map(|method| code.strip_prefix(method));
        let address = address.or_else(|| code.starts_with("/v1/").then_some(code))?;
        let path = address.split('?').next().unwrap_or_default();
        Some(match path {
            "/r/SITE/SIGNATURE" => "/r/{site}/{signature}".to_owned(),
            path if path.starts_with("/s/") => "/s/{file}".to_owned(),
            path => path.to_owned(),
        })
    });
    addresses.collect()
}

#[tokio::test]
async fn the_addresses_are_those_that_answer() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().cloned().collect::<BTreeSet<_>>(), addresses_of_wire());
    let (collector, _dir) = alone(&[]).await;
    for (path, item) in paths {
        let item = match item["$ref"].as_str() {
            Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
            None => item,
        };
        let address = path
            .replace("{file}", "shop.js")
            .replace("{site}/{signature}", "shop/AAAAAAAAAAAAAAAAAAAAAA");
        let known = ["get", "head", "post", "options"];
        for method in known.into_iter().filter(|method| item.get(method).is_some()) {
            let method = method.to_uppercase();
            let answer = send(collector.address, &method, &address, &[], b"{}").await;
            assert!(!matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
        }
        let answer = send(collector.address, "DELETE", &address, &[], b"").await;
        assert_eq!(answer.status, 405, "{path}");
        // A method that the collector takes and the document does not name.
        for method in answer.header("allow").unwrap().split(", ") {
            let implied = method == "HEAD" && item.get("get").is_some();
            let named = item.get(method.to_lowercase()).is_some();
            assert!(named || implied, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_trackers_files_are_what_the_document_says() {
    let (collector, _dir) = alone(&[]).await;
    let document = document();
    let get = &document["paths"]["/s/{file}"]["get"];
    let file = &get["parameters"][0];
    assert_eq!(file["name"], "file");
    let file = jsonschema::validator_for(&file["schema"]).unwrap();
    let documented = &get["responses"]["200"];
    let streaming = collector.get("/s/shop.stream.js").await;
    let begin = streaming.text().split('"').nth(3).unwrap().to_owned();
    let (wasm, part) = (format!("{begin}wasm"), format!("{begin}forms.js"));
    for name in ["shop.js", "shop.stream.js", "footfall.d.ts", &wasm, &part] {
        assert!(file.is_valid(&json!(name)), "{name}");
        let accepts = [("Accept-Encoding", "br")];
        let address = format!("/s/{name}");
        let answer = send(collector.address, "GET", &address, &accepts, b"").await;
        assert_eq!(answer.status, 200, "{name}");
        let content_type = answer.header("content-type").unwrap().split(';').next().unwrap();
        assert!(documented["content"].get(content_type).is_some(), "{name} is {content_type}");
        let is_script = name.starts_with("shop");
        for (header, said) in documented["headers"].as_object().unwrap() {
            let of_scripts = said["description"].is_string();
            let value = answer.header(&header.to_lowercase());
            assert_eq!(value.is_some(), is_script || !of_scripts, "{header} of {name}");
            if let Some(value) = value {
                let schema = jsonschema::validator_for(&said["schema"]).unwrap();
                assert!(schema.is_valid(&json!(value)), "{header} of {name}: {value}");
            }
        }
    }
    for name in ["footfall-0.js.map", "footfall.wasm", "shop.css"] {
        assert!(!file.is_valid(&json!(name)), "{name}");
        assert_eq!(collector.get(&format!("/s/{name}")).await.status, 404, "{name}");
    }
}

#[test]
fn golden_payloads_are_what_the_schemas_say() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/golden/v1");
    let mut checked = 0;
    for file in std::fs::read_dir(golden).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "cut_emoji" {
            // No validator reads half an emoji; `odd_json` has what becomes of it.
            continue;
        }
        let value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        match name.as_str() {
            "answer" => holds("Answer", &value),
            "rejected" => holds("Rejected", &value),
            _ => holds("Batch", &value),
        }
        checked += 1;
    }
    assert!(checked >= 5);
    // And the schemas can refuse.
    let batch = schema("Batch");
    for wrong in [
        json!({"site": "shop", "sent_at": 1}),
        json!({"site": "shop", "sent_at": -1, "events": []}),
        json!({"site": "shop", "sent_at": 1, "events": [{"id": "a", "type": "custom"}]}),
        json!({"site": "shop", "sent_at": 1, "events": [], "context": {"screen_width": 70000}}),
    ] {
        assert!(!batch.is_valid(&wrong), "{wrong}");
    }
    assert!(
        !schema("Rejected").is_valid(&json!({"error": {"tag": "x", "message": "", "hint": ""}}))
    );
}

#[tokio::test]
async fn answers_are_what_the_schemas_say() {
    let (collector, _dir) = alone(&[]).await;
    let sent = batch(&[page_view(1), json!({"id": "x", "type": "teleport", "at": 1})]);
    holds("Batch", &sent);
    holds("Answer", &collector.post(&sent).await.json());
    holds("Rejected", &collector.post(&json!({})).await.json());
    names_all_of("Readiness", &collector.get("/readyz").await.json());
    let message = json!({"type": "track", "event": "x", "userId": "u1", "messageId": "m1"});
    let sent = json!({"batch": [message], "writeKey": "shop"});
    holds("SegmentBatch", &sent);
    let body = sent.to_string();
    let answer = send(collector.address, "POST", "/v1/batch", &[], body.as_bytes()).await;
    holds("Success", &answer.json());
}
