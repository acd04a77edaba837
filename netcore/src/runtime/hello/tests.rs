//! The vectors: each side alone against what the other would say, cut anywhere.

use serde_json::Value;

use super::pieces::{Pieces, run};
use super::{Hello, HelloError, exchange};
use crate::session::HelloFault;
use crate::{Frame, Packet, PacketId};

/// The schema of the vectors, as it is now and as it was.
#[derive(Packet)]
#[packet(crate = crate)]
enum Example {
    #[packet(id = 731)]
    Chat {
        #[raw(len = i16, max = 126)]
        text: String,
    },
}

mod old {
    use crate::Packet;

    #[derive(Packet)]
    #[packet(crate = crate)]
    pub(super) enum Example {
        #[packet(id = 731)]
        Chat {
            #[raw(len = i32, max = 126)]
            text: String,
        },
    }
}

#[derive(Packet)]
#[packet(crate = crate)]
enum Nothing {}

/// Whatever is behind the hello is the session's.
const BEHIND: &[u8] = b"\x07\0\x65\0\0hi";

#[test]
fn both_sides_say_what_the_vectors_say_however_the_others_words_are_cut() {
    let file = file();
    for vector in file["exchanges"].as_array().unwrap() {
        let only = vector["only"].as_str().unwrap_or("both");
        if ["both", "read", "server"].contains(&only) {
            side(vector, "server", "client", only != "read");
        }
        if ["both", "read", "client"].contains(&only) {
            side(vector, "client", "server", only != "read");
        }
    }
}

fn side(vector: &Value, us: &str, them: &str, writes: bool) {
    let name = text(vector, "name");
    let hello = of(&vector[us], vector["first"].as_u64());
    let said = [&hex(&vector[format!("from_{them}")])[..], BEHIND].concat();
    let answer = hex(&vector[format!("from_{us}")]);
    // Who does not say what its packets are closes the connection.
    let ends = vector["result"] == "unknown";
    let (said, behind) =
        if ends { (&said[..said.len() - BEHIND.len()], &[][..]) } else { (&said[..], BEHIND) };
    every_cut(said, |pieces, cut| {
        let mut stream = Pieces::new(pieces.iter().copied());
        let result = greet(us, &mut stream, &hello);
        match (&vector["result"], result) {
            (Value::String(word), Ok(())) if word == "welcome" => {}
            (Value::String(word), Err(HelloError::Version(differ))) if word == "unknown" => {
                assert_eq!(differ.difference(), None);
                assert!(differ.to_string().contains("does not say in which packet"), "{differ}");
            }
            (Value::Object(at), Err(HelloError::Version(differ))) => {
                let difference = differ.difference().unwrap();
                assert_eq!(u64::from(difference.id.0), at["id"], "{name}");
                assert_eq!(difference.field, at["field"].as_str().unwrap(), "{name}");
            }
            (expected, result) => panic!("{name}, {cut}: {result:?} is not {expected}"),
        }
        assert_eq!(stream.left(), behind, "{name}, {cut}");
        // A client that was not told the server's packets has none to compare, and says its own all the same.
        if writes {
            assert_eq!(stream.written, answer, "{name}, {cut}");
        }
    });
}

#[test]
fn what_is_no_hello_is_one_named_error_however_it_is_cut() {
    let file = file();
    for vector in file["refused"].as_array().unwrap() {
        let (name, us) = (text(vector, "name"), text(vector, "to"));
        let hello = match us {
            "server" => Hello::new::<Example, Nothing>(),
            _ => Hello::new::<Nothing, old::Example>(),
        };
        every_cut(&hex(&vector["stream"]), |pieces, cut| {
            let mut stream = Pieces::new(pieces.iter().copied());
            let error = greet(us, &mut stream, &hello).unwrap_err();
            let error_vector = &vector["error"];
            match (text(error_vector, "kind"), &error) {
                ("closed", HelloError::Closed) => {}
                (_, HelloError::Fault(found)) => assert_eq!(*found, fault(error_vector), "{name}, {cut}"),
                (kind, error) => panic!("{name}, {cut}: {error:?} is not {kind}"),
            }
            assert_eq!(stream.written, hex(&vector["answer"]), "{name}, {cut}");
        });
    }
}

#[test]
fn the_fingerprints_of_the_vectors_are_those_of_the_schemas() {
    let file = file();
    let print = |name: &str| text(&file["fingerprints"], name).to_owned();
    for (name, schema) in [("new", Example::SCHEMA), ("old", old::Example::SCHEMA), ("none", Nothing::SCHEMA)]
    {
        assert_eq!(format!("{:016x}", schema.fingerprint()), print(name));
    }
}

#[test]
fn the_hex_examples_of_the_specification_are_those_of_the_vectors() {
    let wire = include_str!("../../../../proto/WIRE.md");
    let shown: String =
        wire.lines().filter_map(|line| line.strip_prefix("    ")).flat_map(hex_words).collect();
    let file = file();
    let shown_ones =
        file["exchanges"].as_array().unwrap().iter().filter(|vector| !vector["section"].is_null());
    for vector in shown_ones {
        for from in ["from_client", "from_server"] {
            assert!(shown.contains(text(vector, from)), "{}, {from}: not in WIRE.md", text(vector, "name"));
        }
    }
}

fn hex_words(line: &str) -> impl Iterator<Item = &str> {
    let is_hex = |word: &&str| word.len() == 2 && u8::from_str_radix(word, 16).is_ok();
    line.split_whitespace().take_while(is_hex)
}

#[test]
fn the_words_say_what_differs_and_what_to_do_on_both_sides() {
    let (client, server) = words(Hello::new::<Nothing, old::Example>(), Hello::new::<Example, Nothing>());
    assert_eq!(
        client,
        "the server's packet 731 `Chat` has the field `text: text with an i16 length, at most 126`, yours has \
         `text: text with an i32 length, at most 126`: rebuild this client with the server's version of the packets"
    );
    assert_eq!(
        server,
        "the client's packet 731 `Chat` has the field `text: text with an i32 length, at most 126`, ours has \
         `text: text with an i16 length, at most 126`: the client must be rebuilt with this server's version of the packets"
    );
    let (client, server) = words(Hello::new::<Nothing, Example>(), Hello::new::<Nothing, Nothing>());
    assert!(
        client.starts_with("this client has a packet 731 `Chat` that the server does not know: "),
        "{client}"
    );
    assert!(
        server.starts_with("the client has a packet 731 `Chat` that this server does not know: "),
        "{server}"
    );
    let (client, server) = words(Hello::new::<Nothing, Nothing>(), Hello::new::<Nothing, Example>());
    assert!(
        client.starts_with("the server has a packet 731 `Chat` that this client does not know: "),
        "{client}"
    );
    assert!(
        server.starts_with("this server has a packet 731 `Chat` that the client does not know: "),
        "{server}"
    );
}

#[test]
fn a_field_that_one_side_has_not_and_another_format_have_words_too() {
    #[derive(Packet)]
    #[packet(crate = crate)]
    enum Short {
        #[packet(id = 1)]
        At { x: f32 },
    }
    #[derive(Packet)]
    #[packet(crate = crate)]
    enum Long {
        #[packet(id = 1)]
        At { x: f32, y: f32 },
    }
    let (client, server) = words(Hello::new::<Nothing, Short>(), Hello::new::<Long, Nothing>());
    assert!(
        client.starts_with("the server's packet 1 `At` has the field `y: f32`, yours has not: "),
        "{client}"
    );
    assert!(
        server.starts_with("the client's packet 1 `At` has not the field `y: f32`, ours has: "),
        "{server}"
    );
}

/// Both sides against each other: what each says in the end.
fn words(client: Hello, server: Hello) -> (String, String) {
    // What the client says does not depend on the server's schemas, but on its fingerprints.
    let mut answered = Pieces::default();
    let mut asked = Pieces::default();
    for _ in 0..2 {
        let mut stream = Pieces::new([&answered.written[..]]);
        let _ = greet("client", &mut stream, &client);
        asked = stream;
        let mut stream = Pieces::new([&asked.written[..]]);
        let _ = greet("server", &mut stream, &server);
        answered = stream;
    }
    let mut stream = Pieces::new([&answered.written[..]]);
    let at_client = greet("client", &mut stream, &client).unwrap_err().to_string();
    let mut stream = Pieces::new([&asked.written[..]]);
    let at_server = greet("server", &mut stream, &server).unwrap_err().to_string();
    (at_client, at_server)
}

#[test]
fn schemas_too_large_to_send_are_left_out_and_the_words_say_so() {
    use super::messages::{MAX_SCHEMAS, schemas};
    use crate::schema::{PacketSchema, Shared};

    let packet = &Example::SCHEMA.packets[0];
    let many: Vec<PacketSchema> =
        (0..1000).map(|id| PacketSchema { id: PacketId(id), ..packet.clone() }).collect();
    let large = crate::Schema { packets: Shared::Owned(many.into()), ..Example::SCHEMA.clone() };
    let one = large.to_compact().unwrap().len();
    assert!((MAX_SCHEMAS / 2..MAX_SCHEMAS).contains(&one), "one fits, two do not: {one}");
    assert_eq!(schemas(Some(&large), None).len(), 8 + one);
    assert_eq!(schemas(Some(&large), Some(&large)).len(), 8 + one);
    let small = Example::SCHEMA.to_compact().unwrap().len();
    assert_eq!(schemas(Some(&large), Some(Example::SCHEMA)).len(), 8 + one + small);
}

#[tokio::test]
async fn large_schemas_pass_both_ways_through_a_transport_that_holds_little() {
    use crate::schema::{PacketSchema, Shared};
    use crate::{Schema, memory};

    let packet = &Example::SCHEMA.packets[0];
    let many = |from: &PacketSchema| -> &'static Schema {
        let many: Vec<_> = (0..1000).map(|id| PacketSchema { id: PacketId(id), ..from.clone() }).collect();
        Box::leak(Box::new(Schema { packets: Shared::Owned(many.into()), ..Example::SCHEMA.clone() }))
    };
    let (new, old) = (many(packet), many(&old::Example::SCHEMA.packets[0]));
    let client = Hello::of(Nothing::SCHEMA, old);
    let server = Hello::of(new, Nothing::SCHEMA);
    let check = |result: Result<(), HelloError>| {
        let Err(HelloError::Version(differ)) = result else { panic!("{result:?}") };
        let difference = differ.difference().unwrap();
        assert_eq!((difference.id, &*difference.field), (PacketId(0), "text"));
    };
    let (mut a, mut b) = memory::pair(64);
    let (at_client, at_server) =
        tokio::join!(exchange::client(&mut a, &client), exchange::server(&mut b, &server));
    check(at_client);
    check(at_server);
    let (mut a, mut b) = tokio::io::duplex(16);
    let (at_client, at_server) =
        tokio::join!(exchange::client(&mut a, &client), exchange::server(&mut b, &server));
    check(at_client);
    check(at_server);
}

#[test]
fn a_peers_long_names_are_cut_short_in_our_words() {
    use super::messages::{Prints, Schemas};
    use super::mismatch::{Mismatch, Side};
    use crate::schema::{PacketSchema, Shared};

    let hello = Hello::new::<Example, Nothing>();
    let name: String = "ü".repeat(30_000);
    let long = PacketSchema {
        id: PacketId(1),
        name: Shared::Owned(name.into()),
        ..Example::SCHEMA.packets[0].clone()
    };
    let theirs = crate::Schema { packets: Shared::Owned(vec![long].into()), ..Example::SCHEMA.clone() };
    let prints = Prints { sends: 7, receives: Nothing::SCHEMA.fingerprint() };
    let said: Schemas = (Some(theirs), None);
    let words = Mismatch::new(Side::Server, &hello, prints, said).to_string();
    assert!(words.starts_with("the client has a packet 1 `üüü"), "{words}");
    assert!(words.len() < 500);
}

#[test]
fn ids_that_the_game_has_are_refused() {
    for (first, free) in
        [(727, true), (728, false), (731, false), (732, true), (65_532, true), (65_533, false)]
    {
        assert_eq!(Hello::new::<Example, Nothing>().first_id(first).check().is_ok(), free, "{first}");
        assert_eq!(Hello::new::<Frame, Example>().first_id(first).check().is_ok(), free, "{first}");
    }
}

fn greet(side: &str, stream: &mut Pieces, hello: &Hello) -> Result<(), HelloError> {
    match side {
        "server" => run(exchange::server(stream, hello)),
        _ => run(exchange::client(stream, hello)),
    }
}

fn of(side: &Value, first: Option<u64>) -> Hello {
    let schema = |key| match text(side, key) {
        "new" => Example::SCHEMA,
        "old" => old::Example::SCHEMA,
        _ => Nothing::SCHEMA,
    };
    let first = first.map_or(65_281, |first| u16::try_from(first).unwrap());
    Hello::of(schema("receives"), schema("sends")).first_id(first)
}

fn fault(error: &Value) -> HelloFault {
    let get = |key: &str| error[key].as_u64().unwrap();
    let id = || PacketId(u16::try_from(get("id")).unwrap());
    match text(error, "kind") {
        "not_hello" => HelloFault::NotHello { id: id(), size: u16::try_from(get("size")).unwrap() },
        "protocol" => HelloFault::Protocol(u8::try_from(get("version")).unwrap()),
        "malformed" => HelloFault::Malformed(id()),
        "too_large" => HelloFault::TooLarge(u32::try_from(get("bytes")).unwrap()),
        "bad_schema" => HelloFault::BadSchema,
        other => panic!("{other} is no fault"),
    }
}

fn every_cut(stream: &[u8], mut check: impl FnMut(&[&[u8]], &dyn std::fmt::Display)) {
    check(&[stream], &"whole");
    for at in 0..=stream.len() {
        let (front, back) = stream.split_at(at);
        check(&[front, back], &format_args!("cut at {at}"));
    }
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    check(&single, &"byte by byte");
}

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../proto/vectors/hello.json")).unwrap()
}

fn text<'v>(of: &'v Value, key: &str) -> &'v str {
    of[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {of}"))
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
