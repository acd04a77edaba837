//! The fuzz targets on stable: each is a plain function, run here on its committed corpus and on every golden vector.
//!
//! `NETCORE_WRITE_SEEDS=1` writes the vectors into the corpora, in the form that each target reads.

use std::{fs, path::Path, path::PathBuf};

use netcore::testing::fuzz;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where the golden vectors of a file are, in hex.
const KEYS: [&str; 5] = ["stream", "body", "compact", "from_client", "from_server"];

/// The golden vectors of one file.
fn vectors(file: &str) -> Vec<Vec<u8>> {
    fn gather(value: &Value, found: &mut Vec<Vec<u8>>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if KEYS.contains(&&**key) => {
                            found.extend(unhex(text));
                        }
                        other => gather(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
            _ => {}
        }
    }
    let text = fs::read_to_string(root().join("proto/vectors").join(file)).expect("the vectors are there");
    let mut found = Vec::new();
    gather(&serde_json::from_str(&text).expect("a vector file is JSON"), &mut found);
    found.sort();
    found.dedup();
    assert!(found.len() > 5, "{file} has only {} vectors", found.len());
    found
}

/// The files whose vectors a target can make something of.
fn files(target: &str) -> &[&str] {
    match target {
        "raw_bodies" => &["raw.json"],
        "msgpack_bodies" => &["msgpack.json"],
        "protobuf_bodies" => &["protobuf.json"],
        "derived_enum" => &["raw.json", "msgpack.json", "protobuf.json", "numbers.json"],
        "lines" => &["lines.json"],
        "schemas" => &["schema.json"],
        "inflate" => &["compressed.json"],
        "hello" => &["hello.json"],
        "session_pair" | "outbox_ops" | "proxy_header" | "websocket_frames" => &[],
        _ => &["frames.json"],
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

/// A vector as the inputs of a target, whose first bytes say how the rest is taken.
fn inputs(target: &str, vector: &[u8]) -> Vec<Vec<u8>> {
    let with = |front: &[u8]| [front, vector].concat();
    match target {
        "reassembly" => vec![with(&[0xff, 0xff, 0]), with(&[0xff, 0xff, 1]), with(&[0, 4, 3])],
        "lines" => vec![with(&[126, 0]), with(&[16, 1])],
        "raw_bodies" => (0..6).map(|which| with(&[which])).collect(),
        "msgpack_bodies" => (0..3).map(|which| with(&[which])).collect(),
        "derived_enum" => (0..12).map(|which| with(&[which, 99, 0])).collect(),
        // As a stream, and its first packet's body by itself.
        "inflate" => {
            let body = vector.get(5..).unwrap_or_default();
            vec![with(&[0xff, 0xff, 0]), with(&[0, 4, 3]), [&[0xff, 0xff, 9], body].concat()]
        }
        "hello" => vec![with(&[1]), with(&[7])],
        "schemas" => vec![vector.to_vec(), fuzz::schema_seed()],
        _ => vec![vector.to_vec()],
    }
}

#[test]
fn every_vector_passes_every_target() {
    let all = ["frames", "compressed", "raw", "msgpack", "protobuf", "numbers", "lines", "schema", "hello"];
    let all: Vec<_> = all.iter().flat_map(|file| vectors(&format!("{file}.json"))).collect();
    for (target, run) in fuzz::TARGETS {
        for vector in &all {
            inputs(target, vector).iter().for_each(|input| run(input));
        }
    }
}

#[test]
fn every_committed_input_passes_its_target() {
    for (target, run) in fuzz::TARGETS {
        let corpus = root().join("fuzz/corpus").join(target);
        let entries: Vec<_> = fs::read_dir(&corpus).map(Iterator::collect).unwrap_or_default();
        assert!(!entries.is_empty(), "{} is empty", corpus.display());
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            run(&fs::read(&path).expect("an input can be read"));
        }
    }
}

#[test]
fn seeds_are_written_on_request() {
    if std::env::var_os("NETCORE_WRITE_SEEDS").is_none() {
        println!("skipped: NETCORE_WRITE_SEEDS is not set");
        return;
    }
    for (target, _) in fuzz::TARGETS {
        let corpus = root().join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus).expect("the corpus can be made");
        let vectors = files(target).iter().flat_map(|file| vectors(file));
        // One input a vector, each in another of the target's ways to take it; the search finds the others.
        let seeds = vectors.filter(|vector| vector.len() <= 1024).enumerate().filter_map(|(at, vector)| {
            let inputs = inputs(target, &vector);
            inputs.get(at % inputs.len()).cloned()
        });
        for (at, seed) in seeds.step_by(if target == "derived_enum" { 4 } else { 1 }).enumerate() {
            fs::write(corpus.join(format!("vector-{at:03}")), seed).expect("a seed can be written");
        }
    }
}
