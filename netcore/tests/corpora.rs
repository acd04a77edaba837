//! The fuzz targets on stable: each is a plain function, run here on its committed corpus and on every golden vector.
//!
//! `NETCORE_WRITE_SEEDS=1` writes the vectors into the corpora, in the form that each target reads.

use std::{fs, path::Path, path::PathBuf};

use netcore::testing::fuzz;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every string under a key that ends in `hex`, of all vector files.
fn vectors() -> Vec<Vec<u8>> {
    fn gather(value: &Value, found: &mut Vec<Vec<u8>>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if key.ends_with("hex") => found.extend(unhex(text)),
                        other => gather(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("proto/vectors")).expect("the vectors are there") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let text = fs::read_to_string(&path).expect("a vector file can be read");
            gather(&serde_json::from_str(&text).expect("a vector file is JSON"), &mut found);
        }
    }
    found.sort();
    found.dedup();
    found
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
        "schemas" => vec![vector.to_vec(), fuzz::schema_seed()],
        _ => vec![vector.to_vec()],
    }
}

#[test]
fn every_vector_and_every_committed_input_passes_its_target() {
    let vectors = vectors();
    assert!(vectors.len() > 20, "only {} vectors were found", vectors.len());
    for (target, run) in fuzz::TARGETS {
        for vector in &vectors {
            inputs(target, vector).iter().for_each(|input| run(input));
        }
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
        let mut seeds: Vec<_> = vectors().iter().flat_map(|vector| inputs(target, vector)).collect();
        seeds.retain(|seed| seed.len() <= 600);
        seeds.sort();
        seeds.dedup();
        for (at, seed) in seeds.iter().enumerate() {
            fs::write(corpus.join(format!("vector-{at:03}")), seed).expect("a seed can be written");
        }
    }
}
