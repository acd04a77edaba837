//! Hellos: any bytes from the other side, and schemas there and back.

use crate::runtime::hello::messages::{Gather, MAX_PACKET, MAX_SCHEMAS, put_schemas, schemas};
use crate::runtime::hello::pieces::{Pieces, run};
use crate::runtime::hello::{Hello, HelloError, exchange};
use crate::{Frame, Packet, PacketId, Schema};

/// Any bytes as what the other side of a hello says, to a server and to a client, and as a schema to be sent.
///
/// The input's first byte says how the rest is cut.
pub fn hello(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    for server in [true, false] {
        let whole = greet(server, data, data.len());
        let pieces = greet(server, data, usize::from(*cut));
        assert_eq!(whole, pieces, "it depends on the cuts");
    }
    there_and_back(data);
}

#[derive(Packet)]
#[packet(crate = crate)]
enum Ours {
    #[packet(id = 731)]
    Chat {
        #[raw(len = i16, max = 126)]
        text: String,
    },
}

/// What came of it, what was said, and how much was not read.
fn greet(server: bool, data: &[u8], cut: usize) -> (String, Vec<u8>, usize) {
    let hello = Hello::new::<Ours, Ours>();
    let mut stream = Pieces::new(data.chunks(cut.max(1)));
    let result = if server {
        run(exchange::server(&mut stream, &hello))
    } else {
        run(exchange::client(&mut stream, &hello))
    };
    let words = match &result {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    assert!(words.len() < 4000, "{} bytes of words", words.len());
    assert!(!words.contains(char::is_control), "{words}");
    assert!(!matches!(result, Err(HelloError::Io(_) | HelloError::Ids(_))), "{words}");
    // Ours are small: the other side cannot make us say much.
    assert!(stream.written.len() < 400);
    let left = stream.left();
    assert!(data.ends_with(&left));
    (words, stream.written, left.len())
}

/// A schema made of the input arrives as it was, beside another.
fn there_and_back(data: &[u8]) {
    let Ok(schema) = Schema::from_compact(data) else { return };
    let said = schemas(Some(&schema), Some(Frame::SCHEMA));
    assert!(said.len() <= MAX_SCHEMAS);
    let (mut wire, mut gather, mut heard) = (Vec::new(), Gather::default(), None);
    put_schemas(&mut wire, PacketId(9), &said);
    let mut rest = &wire[..];
    while !rest.is_empty() {
        assert!(heard.is_none());
        let size = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        assert!(size <= MAX_PACKET);
        heard = gather.add(PacketId(9), &rest[5..size]).expect("it is ours");
        rest = &rest[size..];
    }
    let (sends, receives) = heard.expect("all of it has come");
    assert_eq!(sends.is_some(), data.len() + 8 <= MAX_SCHEMAS);
    assert!(sends.is_none_or(|heard| heard == schema));
    assert!(receives.is_none_or(|heard| heard.fingerprint() == Frame::SCHEMA.fingerprint()));
}
