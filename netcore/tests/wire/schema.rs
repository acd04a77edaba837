//! The fingerprint changes when what is on the wire changes, and only then; a comparison names where.

use netcore::schema::{Schema, SchemaError};
use netcore::{Describe, Frame, Packet, Raw};
use proptest::prelude::*;

/// Declares one enum of packets a line, and returns their schemas.
macro_rules! schemas {
    ($($(#[$attr:meta])* { $($body:tt)* })*) => {
        [$({
            #[derive(Packet)]
            $(#[$attr])*
            #[allow(dead_code)]
            enum Packets { $($body)* }
            Packets::SCHEMA
        }),*]
    };
}

#[test]
fn names_docs_order_and_bounds_are_not_on_the_wire() {
    let all = schemas! {
        { #[packet(id = 1)] Move { x: f32, y: f32 }, #[packet(id = 2)] Say { #[raw(len = u16)] text: String } }
        { #[packet(id = 2)] Say { #[raw(len = u16)] text: String }, #[packet(id = 1)] Move { x: f32, y: f32 } }
        { #[packet(id = 1)] Walk { east: f32, north: f32 }, #[packet(id = 2)] Say { #[raw(len = u16, max = 9)] text: String } }
        {
            /// Somebody moves.
            #[packet(id = 1, ignore_extra)] Move { /** metres */ x: f32, y: f32 },
            #[packet(id = 2, max = 100)] Say { #[raw(len = u16)] text: String },
            #[packet(other)] Other(Frame),
        }
    };
    for schema in &all {
        assert_eq!(schema.fingerprint(), all[0].fingerprint());
        assert_eq!(schema.compare(all[0]), None);
    }
}

#[test]
fn every_change_on_the_wire_changes_the_fingerprint_and_is_named() {
    let base = schemas! { { #[packet(id = 7)] Go { a: u32, #[raw(len = u16)] b: String, c: [u8; 3] } } }[0];
    let changed = [
        (
            schemas! { { #[packet(id = 8)] Go { a: u32, #[raw(len = u16)] b: String, c: [u8; 3] } } },
            "packet 7 Go: here this packet, there none with its id",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { a: i32, #[raw(len = u16)] b: String, c: [u8; 3] } } },
            "packet 7 Go, field a: here u32, there i32",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { #[raw(len = u16)] b: String, a: u32, c: [u8; 3] } } },
            "packet 7 Go, field a: here u32, there text with a u16 length",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { a: u32, #[raw(len = i16)] b: String, c: [u8; 3] } } },
            "packet 7 Go, field b: here text with a u16 length, there text with an i16 length",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { a: u32, #[raw(len = u16)] b: Vec<u8>, c: [u8; 3] } } },
            "packet 7 Go, field b: here text with a u16 length, there bytes with a u16 length",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { a: u32, #[raw(len = u16)] b: String, c: [u8; 4] } } },
            "packet 7 Go, field c: here 3 × u8, there 4 × u8",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { a: u32, #[raw(len = u16)] b: String } } },
            "packet 7 Go, field c: here 3 × u8, there nothing",
        ),
        (
            schemas! { { #[packet(id = 7)] Go { a: u32, #[raw(len = u16)] b: String, c: [u8; 3] }, #[packet(id = 9)] New } },
            "packet 9 New: here none with its id, there this packet",
        ),
    ];
    for ([other], words) in changed {
        assert_ne!(other.fingerprint(), base.fingerprint(), "{words}");
        assert_eq!(base.compare(other).unwrap().to_string(), words);
        assert!(other.compare(base).is_some(), "{words}");
    }
}

#[derive(Raw)]
#[raw(big_endian)]
#[allow(dead_code)]
struct Big {
    a: u8,
    b: u16,
}

#[derive(Raw)]
#[allow(dead_code)]
struct Little {
    a: u8,
    b: u16,
}

#[test]
fn byte_order_is_on_the_wire_for_more_than_one_byte() {
    let [big, little] =
        schemas! { { #[packet(id = 1)] At { at: Big } } { #[packet(id = 1)] At { at: Little } } };
    assert_eq!(
        big.compare(little).unwrap().to_string(),
        "packet 1 At, field at.b: here u16 big-endian, there u16"
    );
}

#[derive(Describe, serde::Serialize, serde::Deserialize)]
#[allow(dead_code)]
struct Login {
    user: String,
    age: u8,
}

#[test]
fn messagepack_goes_by_key_in_a_map_and_by_place_in_an_array() {
    let [struct_variant, reordered, tuple] = schemas! {
        #[packet(format = MsgPack)] { #[packet(id = 1)] Login { user: String, age: u8 } }
        #[packet(format = MsgPack)] { #[packet(id = 1)] Login { age: u8, user: String } }
        #[packet(format = MsgPack)] { #[packet(id = 1)] Login(Login) }
    };
    assert_eq!(struct_variant.compare(reordered), None);
    assert_eq!(struct_variant.compare(tuple), None);
    let [renamed] = schemas! {
        #[packet(format = MsgPack)] { #[packet(id = 1)] Login { #[serde(rename = "User")] user: String, age: u8 } }
    };
    let words = "packet 1 Login, field User: here nothing, there text";
    assert_eq!(struct_variant.compare(renamed).unwrap().to_string(), words);

    let [one, other] = schemas! {
        #[packet(format = MsgPackArray)] { #[packet(id = 1)] Login { user: String, age: u8 } }
        #[packet(format = MsgPackArray)] { #[packet(id = 1)] Login { age: u8, user: String } }
    };
    assert_eq!(one.compare(other).unwrap().field, "user");
    let words = "packet 1 Login: here msgpack, there msgpack-array";
    assert_eq!(struct_variant.compare(one).unwrap().to_string(), words);
}

#[derive(Packet)]
#[allow(dead_code)]
/// What the server says.
enum FromServer {
    /// Who is there.
    /// The receiver is not.
    #[packet(id = 723)]
    Users {
        #[raw(count = i8, max = 127)]
        users: Vec<User>,
    },
    #[packet(id = 764)]
    Result { cards: [i8; 6], banker: bool, at: Little },
    #[packet(id = 726, ignore_extra)]
    Leave,
    #[packet(id = 5, format = MsgPack, max = 300)]
    Login(Login),
    #[packet(id = 6, format = MsgPack)]
    Hidden(Opaque),
}

#[derive(Raw)]
#[allow(dead_code)]
struct User {
    id: u64,
    #[raw(len = i8, max = 16)]
    name: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Opaque;

#[test]
fn plain_text_says_ids_sizes_offsets_and_bounds() {
    let text = FromServer::SCHEMA.to_text();
    let lines: Vec<_> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "  5  Login  msgpack, at most 300 bytes",
            "            user  text",
            "            age  u8",
            "  6  Hidden  msgpack",
            "         0  body  an opaque value",
            "723  Users  raw, 1 to 3176 bytes",
            "     Who is there.",
            "     The receiver is not.",
            "         0  users  list of User { id: u64; name: text with an i8 length, at most 16; } with an i8 count, at most 127",
            "726  Leave  raw, empty; extra bytes are ignored",
            "764  Result  raw, 10 bytes",
            "         0  cards  6 × i8",
            "         6  banker  bool",
            "         7  at.a  u8",
            "         8  at.b  u16",
        ]
    );
}

#[test]
fn markdown_has_a_section_a_packet_and_a_row_a_field() {
    let page = FromServer::SCHEMA.to_markdown();
    assert!(page.starts_with("# FromServer\n\nWhat the server says.\n\nFingerprint `"), "{page}");
    assert!(page.contains("\n## 764 Result\n\nraw, 10 bytes.\n\n| offset | field | what | |\n|---|---|---|---|\n| 0 | `cards` | 6 × i8 |  |\n"), "{page}");
    assert!(page.contains("\n## 723 Users\n"), "{page}");
}

#[test]
fn the_compact_form_comes_back_without_its_docs() {
    let schema = FromServer::SCHEMA;
    let bytes = schema.to_compact().unwrap();
    let back = Schema::from_compact(&bytes).unwrap();
    assert_eq!(back.fingerprint(), schema.fingerprint());
    assert_eq!(schema.compare(&back), None);
    assert_eq!(back.to_compact().unwrap(), bytes);
    assert!(back.packets.iter().all(|packet| packet.doc.is_empty()));
}

#[test]
fn no_part_of_a_compact_schema_is_one() {
    let bytes = FromServer::SCHEMA.to_compact().unwrap();
    for end in 0..bytes.len() {
        assert!(Schema::from_compact(&bytes[..end]).is_err(), "the first {end} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Schema::from_compact(&longer).is_err());
    let mut newer = bytes;
    newer[0] = 2;
    assert!(matches!(Schema::from_compact(&newer), Err(SchemaError::Version { version: 2 })));
}

#[test]
fn a_compact_schema_that_is_too_large_or_too_deep_is_refused() {
    let large = vec![1; Schema::MAX_COMPACT + 1];
    assert!(matches!(Schema::from_compact(&large), Err(SchemaError::TooLarge { .. })));
    // One packet whose body is an option of an option of … : version, empty name, count 1, id, two empty names, bound, flag.
    let mut deep = vec![1, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    deep.extend([8; 40]);
    deep.push(1);
    assert!(matches!(Schema::from_compact(&deep), Err(SchemaError::TooDeep)));
}

#[test]
fn a_compact_schema_with_control_characters_or_numbers_of_odd_sizes_is_refused() {
    // Version, a name of one byte, no packets.
    assert!(matches!(Schema::from_compact(&[1, 1, 0, 0x1b, 0, 0]), Err(SchemaError::ControlCharacter)));
    let mut named = FromServer::SCHEMA.clone();
    named.name = netcore::schema::Shared::Static("from\nserver");
    assert!(matches!(named.to_compact(), Err(SchemaError::ControlCharacter)));
    // One packet whose body is an integer of three bytes.
    let odd = [1, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0];
    assert!(matches!(Schema::from_compact(&odd), Err(SchemaError::Code { code: 3, .. })));
}

#[derive(Raw)]
#[allow(dead_code)]
struct Place {
    x: f32,
    y: f32,
}

#[derive(Raw)]
#[allow(dead_code)]
struct Just(u8);

#[derive(Raw)]
#[allow(dead_code)]
struct Named {
    len: u8,
    #[raw(len_in = len)]
    name: String,
}

#[test]
fn how_raw_fields_are_grouped_into_structs_is_not_on_the_wire() {
    let pairs = [
        schemas! { { #[packet(id = 1)] M { x: f32, y: f32 } } { #[packet(id = 1)] M { at: Place } } },
        schemas! { { #[packet(id = 1)] M(u8) } { #[packet(id = 1)] M(Just) } },
        schemas! { { #[packet(id = 1)] M { side: u8 } } { #[packet(id = 1)] M(Just) } },
        schemas! {
            { #[packet(id = 1)] M { id: u32, len: u8, #[raw(len_in = len)] name: String, end: u8 } }
            { #[packet(id = 1)] M { id: u32, who: Named, end: Just } }
        },
        schemas! {
            { #[packet(id = 1)] M { #[raw(count = u8)] all: Vec<u8> } }
            { #[packet(id = 1)] M { #[raw(count = u8)] all: Vec<Just> } }
        },
    ];
    for [one, other] in pairs {
        assert_eq!(one.fingerprint(), other.fingerprint(), "{}{}", one.to_text(), other.to_text());
        assert_eq!(one.compare(other), None);
    }
    // Places go by their values, not by their fields' number.
    let [one, other] = schemas! {
        { #[packet(id = 1)] M { x: u8, y: u8, id: u32 } }
        { #[packet(id = 1)] M { at: [u8; 2], id: u16 } }
    };
    assert_eq!(one.compare(other).unwrap().to_string(), "packet 1 M, field id: here u32, there u16");
    let [one, other] = schemas! {
        { #[packet(id = 1)] M { id: u32, x: f32, y: f64 } }
        { #[packet(id = 1)] M { id: u32, at: Place } }
    };
    assert_eq!(one.compare(other).unwrap().to_string(), "packet 1 M, field y: here f64, there f32");
    assert_eq!(other.compare(one).unwrap().to_string(), "packet 1 M, field at.y: here f32, there f64");
}

#[derive(Raw)]
#[allow(dead_code)]
struct Step {
    by: u8,
    at: Place,
}

#[derive(Raw)]
#[allow(dead_code)]
struct Turned {
    at: Place,
    by: u8,
}

#[derive(Raw)]
#[allow(dead_code)]
struct Nothing {}

#[test]
fn how_raw_fields_are_grouped_into_arrays_is_not_on_the_wire() {
    let pairs = [
        schemas! {
            { #[packet(id = 1)] M { a: u8, b: u8, c: u8, d: u16 } }
            { #[packet(id = 1)] M { a: u8, bc: [u8; 2], d: [u16; 1] } }
        },
        schemas! { { #[packet(id = 1)] M([u8; 6]) } { #[packet(id = 1)] M([[u8; 3]; 2]) } },
        schemas! { { #[packet(id = 1)] M([u8; 600]) } { #[packet(id = 1)] M { a: [u8; 599], b: u8 } } },
        schemas! {
            { #[packet(id = 1)] M { x1: f32, y1: f32, x2: f32, y2: f32 } }
            { #[packet(id = 1)] M([Place; 2]) }
        },
        schemas! {
            { #[packet(id = 1)] M { by1: u8, x1: f32, y1: f32, by2: u8, x2: f32, y2: f32, end: u8 } }
            { #[packet(id = 1)] M { steps: [Step; 2], end: u8 } }
        },
        // From any of its fields on.
        schemas! {
            { #[packet(id = 1)] M { steps: [Step; 2], by: u8, at: Place } }
            { #[packet(id = 1)] M { by: u8, steps: [Turned; 2], at: Place } }
        },
        schemas! { { #[packet(id = 1)] M([Step; 6]) } { #[packet(id = 1)] M([[Step; 3]; 2]) } },
        schemas! { { #[packet(id = 1)] M([Step; 600]) } { #[packet(id = 1)] M([[Step; 300]; 2]) } },
        schemas! { { #[packet(id = 1)] M([Named; 1]) } { #[packet(id = 1)] M(Named) } },
        // The place of a length does not depend on what is put together in front of it.
        schemas! {
            { #[packet(id = 1)] M { a: u8, b: u8, c: u8, len: u16, #[raw(len_in = len)] text: String } }
            { #[packet(id = 1)] M { a: [u8; 3], len: u16, #[raw(len_in = len)] text: String } }
        },
        schemas! {
            { #[packet(id = 1)] M { #[raw(count = u8)] all: Vec<Place> } }
            { #[packet(id = 1)] M { #[raw(count = u8)] all: Vec<[f32; 2]> } }
        },
        schemas! { { #[packet(id = 1)] M { a: u8, none: [u8; 0], no: Nothing } } { #[packet(id = 1)] M(u8) } },
    ];
    for [one, other] in pairs {
        assert_eq!(one.fingerprint(), other.fingerprint(), "{}{}", one.to_text(), other.to_text());
        assert_eq!(one.compare(other), None);
        assert_eq!(other.compare(one), None);
    }
}

#[test]
fn arrays_that_differ_on_the_wire_have_other_fingerprints() {
    let pairs = [
        (
            schemas! {
                { #[packet(id = 1)] M { all: [u8; 3], end: u16 } }
                { #[packet(id = 1)] M { all: [u8; 4], end: u16 } }
            },
            "packet 1 M, field all: here 3 × u8, there 4 × u8",
        ),
        (
            schemas! {
                { #[packet(id = 1)] M { steps: [Step; 2] } }
                { #[packet(id = 1)] M { steps: [Turned; 2] } }
            },
            "packet 1 M, field steps[].by: here u8, there f32",
        ),
        (
            schemas! {
                { #[packet(id = 1)] M { steps: [Step; 400] } }
                { #[packet(id = 1)] M { steps: [Step; 401] } }
            },
            "packet 1 M, field steps: here 400 × Step { by: u8; at: Place { x: f32; y: f32; }; }, \
             there 401 × Step { by: u8; at: Place { x: f32; y: f32; }; }",
        ),
        (
            schemas! {
                { #[packet(id = 1)] M { #[raw(count = u8)] all: Vec<[u8; 2]> } }
                { #[packet(id = 1)] M { #[raw(count = u8)] all: Vec<u8> } }
            },
            "packet 1 M, field all[]: here 2 × u8, there u8",
        ),
        (
            schemas! { { #[packet(id = 1)] M(u8) } { #[packet(id = 1)] M { a: u8, b: u8 } } },
            "packet 1 M, field b: here nothing, there u8",
        ),
        // What stays an array: items of several fields with lists or lengths within. One side is told as it is written.
        (
            schemas! {
                { #[packet(id = 1)] M { names: [Named; 2] } }
                { #[packet(id = 1)] M { one: Named, two: Named } }
            },
            "packet 1 M, field names: here 2 × Named { len: u8; name: text as many as `len` says; }, there u8",
        ),
    ];
    for ([one, other], words) in pairs {
        assert_ne!(one.fingerprint(), other.fingerprint(), "{words}");
        assert_eq!(one.compare(other).unwrap().to_string(), words);
        assert!(other.compare(one).is_some(), "{words}");
    }
}

#[test]
fn numbers_of_items_that_no_memory_holds_are_not_counted_out() {
    // Version, no name, one packet: id 7, no name, format "raw", no bound, no flag; arrays of arrays of a struct of two.
    let mut bytes = vec![1, 0, 0, 1, 0, 7, 0, 0, 0, 3, 0, b'r', b'a', b'w', 0, 0, 0, 0, 0];
    for _ in 0..30 {
        bytes.extend([7, 0xff, 0xff, 0xff, 0xff]);
    }
    bytes.extend([10, 0, 0, 0, 2, 0]);
    for ty in [[2, 1, 0, 0].as_slice(), &[2, 2, 0, 0]] {
        bytes.extend([0; 6]);
        bytes.extend(ty);
    }
    let schema = Schema::from_compact(&bytes).unwrap();
    assert_eq!(schema.compare(&schema), None);
    assert_ne!(schema.fingerprint(), FromServer::SCHEMA.fingerprint());
    assert!(schema.compare(FromServer::SCHEMA).is_some());
}

#[test]
fn thousands_of_fields_in_a_struct_of_a_long_name_do_not_each_take_that_name() {
    let long = "a".repeat(32_000);
    let mut field = (long.len() as u16).to_le_bytes().to_vec();
    field.extend(long.bytes());
    field.extend([0; 4]);
    let bools = structure(&vec![vec![1]; 4_600]);
    let theirs = compact(&[[&[10, 0, 0, 0, 1, 0][..], &field, &bools].concat()]);
    let ours = compact(&[vec![1], vec![1], vec![2, 4, 0, 0]]);
    let before = most_memory();
    // They differ behind the second value, of which the name is told: ours has none.
    let difference = ours.compare(&theirs).unwrap();
    assert_eq!((&*difference.field, &*difference.here, &*difference.there), ("", "u32", "bool"));
    assert_eq!(theirs.compare(&ours).unwrap().field, long);
    // A name for each would be 147 MB.
    let grown = most_memory().saturating_sub(before);
    assert!(grown < 40_000, "{grown} KiB more");
}

/// The most KiB that this process ever had, where the system tells it.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The compact schema of one raw packet whose body is a struct of `fields`, each a type's bytes.
fn compact(fields: &[Vec<u8>]) -> Schema {
    let mut bytes = vec![1, 0, 0, 1, 0, 7, 0, 0, 0, 3, 0, b'r', b'a', b'w', 0, 0, 0, 0, 0];
    bytes.extend(structure(fields));
    Schema::from_compact(&bytes).unwrap()
}

fn structure(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![10, 0, 0, 0];
    bytes.extend((fields.len() as u16).to_le_bytes());
    for field in fields {
        bytes.extend([0; 6]);
        bytes.extend(field);
    }
    bytes
}

fn array(count: usize, item: &[u8]) -> Vec<u8> {
    [&[7], &(count as u32).to_le_bytes()[..], item].concat()
}

/// Unsigned integers of so many bytes each, put together into structs and arrays as `how` says, `depth` of them deep.
fn grouped(sizes: &[u8], depth: usize, how: &mut impl Iterator<Item = usize>) -> Vec<Vec<u8>> {
    let (mut fields, mut rest) = (Vec::new(), sizes);
    while !rest.is_empty() {
        let len = how.next().unwrap_or(0) % rest.len() + 1;
        let (first, behind) = rest.split_at(len);
        // As often as the same sizes follow each other.
        let times = 1 + behind.chunks_exact(len).take_while(|next| *next == first).count();
        match how.next().unwrap_or(0) % 3 * depth.min(1) {
            0 => {
                fields.push(vec![2, rest[0], 0, 0]);
                rest = &rest[1..];
            }
            1 => {
                fields.push(structure(&grouped(first, depth - 1, how)));
                rest = behind;
            }
            _ => {
                fields.push(array(times, &structure(&grouped(first, depth - 1, how))));
                rest = &rest[len * times..];
            }
        }
    }
    fields
}

proptest! {
    #[test]
    fn however_raw_numbers_are_grouped_the_fingerprint_is_theirs(
        sizes in prop::collection::vec(prop::sample::select(vec![1u8, 2, 4]), 1..24),
        how in prop::collection::vec(0usize..24, 0..60),
        other in prop::collection::vec(0usize..24, 0..60),
        changed in 0usize..24,
    ) {
        let one = compact(&grouped(&sizes, 10, &mut how.into_iter()));
        let two = compact(&grouped(&sizes, 10, &mut other.clone().into_iter()));
        prop_assert_eq!(one.fingerprint(), two.fingerprint());
        prop_assert_eq!(one.compare(&two), None);
        let mut sizes = sizes;
        let at = changed % sizes.len();
        sizes[at] = 8;
        let two = compact(&grouped(&sizes, 10, &mut other.into_iter()));
        prop_assert_ne!(one.fingerprint(), two.fingerprint());
        prop_assert!(one.compare(&two).is_some());
    }
}
