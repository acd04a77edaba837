//! The OpenAPI document: every answer of the whole suite has to be in it, and to look as it says.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::http::Answer;
use crate::world::{World, everywhere};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../openapi.json")).unwrap());

/// Fails unless the document knows of such an answer.
#[track_caller]
pub(crate) fn fits(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else {
        assert!(
            matches!(answer.status, 404 | 405 | 400),
            "{method} {path} is not in the document: {answer:?}"
        );
        return;
    };
    let documented = &operation["responses"][answer.status.to_string()];
    assert!(documented.is_object(), "{method} {path} does not say {}: {answer:?}", answer.status);
    if answer.status >= 400 && documented["$ref"].is_string() {
        let codes = documented["description"].as_str().unwrap();
        let code = answer.code();
        assert!(codes.split(", ").any(|known| known == code), "{method} {path} does not say {code}");
        check(&answer.json(), &reference("Failure"), "the failure");
        return;
    }
    let content = &documented["content"];
    match content["application/json"]["schema"].as_object() {
        Some(schema) => check(&answer.json(), &Value::Object(schema.clone()), "the answer"),
        None if content["text/plain"].is_object() => assert!(!answer.text.is_empty()),
        None => assert_eq!(answer.text, "", "{method} {path}"),
    }
}

/// All codes in the document.
pub(crate) fn codes() -> Vec<String> {
    let mut codes = Vec::new();
    for operations in DOCUMENT["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values().filter(|operation| operation.is_object()) {
            for answer in operation["responses"].as_object().unwrap().values() {
                if answer["$ref"].is_string() {
                    codes.extend(answer["description"].as_str().unwrap().split(", ").map(str::to_owned));
                }
            }
        }
    }
    codes.sort();
    codes.dedup();
    codes
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?;
    let paths = DOCUMENT["paths"].as_object()?;
    let same = |template: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len()
            && template.iter().zip(path).all(|(known, part)| known.starts_with('{') || *known == part)
    };
    let (_, operations) = paths.iter().find(|(template, _)| same(template))?;
    operations.get(method.to_ascii_lowercase())
}

fn reference(name: &str) -> Value {
    DOCUMENT["components"]["schemas"][name].clone()
}

/// As much of JSON Schema as the document uses; another word in it fails.
#[track_caller]
fn check(value: &Value, schema: &Value, at: &str) {
    for (word, rule) in schema.as_object().unwrap() {
        let right = match word.as_str() {
            "description" | "properties" | "required" if !value.is_object() => true,
            "description" => true,
            "$ref" => {
                check(value, &reference(rule.as_str().unwrap().rsplit('/').next().unwrap()), at);
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                other => panic!("type {other}"),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_u64() >= rule.as_u64(),
            "maximum" => value.as_u64() <= rule.as_u64(),
            "minLength" => value.as_str().unwrap().len() as u64 >= rule.as_u64().unwrap(),
            "maxLength" => value.as_str().unwrap().chars().count() as u64 <= rule.as_u64().unwrap(),
            "minProperties" => value.as_object().unwrap().len() as u64 >= rule.as_u64().unwrap(),
            "maxProperties" => value.as_object().unwrap().len() as u64 <= rule.as_u64().unwrap(),
            "minItems" => value.as_array().unwrap().len() as u64 >= rule.as_u64().unwrap(),
            "maxItems" => value.as_array().unwrap().len() as u64 <= rule.as_u64().unwrap(),
            "required" => {
                rule.as_array().unwrap().iter().all(|field| value.get(field.as_str().unwrap()).is_some())
            }
            "items" => {
                value.as_array().unwrap().iter().for_each(|item| check(item, rule, at));
                true
            }
            "properties" => {
                fields(value, rule.as_object().unwrap(), at);
                true
            }
            "additionalProperties" if rule.is_object() => {
                value.as_object().unwrap().values().for_each(|item| check(item, rule, at));
                true
            }
            // Of requests alone.
            "additionalProperties" => true,
            other => panic!("the document says {other}, which this does not know"),
        };
        assert!(right, "{at}: {word} {rule} is not so in {value}");
    }
}

/// Fields that are there fit, and none is there that the document does not know.
#[track_caller]
fn fields(value: &Value, known: &Map<String, Value>, at: &str) {
    for (field, value) in value.as_object().unwrap() {
        let rule = known.get(field).unwrap_or_else(|| panic!("{at}: {field} is not in the document"));
        check(value, rule, field);
    }
}

#[test]
fn the_document_is_served_as_it_stands_in_the_repository() {
    everywhere(&[], |world: &mut World| {
        let served = world.get("/openapi.json").is(200);
        assert_eq!(served.json(), *DOCUMENT);
        assert_eq!(served.header("content-type"), Some("application/json"));
    });
}
