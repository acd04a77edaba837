//! The hello's packets as bytes, without IO: WIRE §10.
//!
//! ```text
//! +0 hello      magic, u8 version (1), u64 fingerprint of what the client sends, u64 of what it receives
//! +1 welcome    magic, u8 version (1)
//! +2 different  magic, u8 version (1), u64 fingerprint of what the server sends, u64 of what it receives
//!               magic, u8 version: the server does not know the version of the client's hello
//! +3 schemas    a part of: u32 length, compact schema of what its sender sends, u32 length, of what it receives
//! ```

use crate::body::Reader;
use crate::session::HelloFault;
use crate::{Header, PacketId, PacketType, Schema};

/// The fingerprints of one side's packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Prints {
    pub(crate) sends: u64,
    pub(crate) receives: u64,
}

/// Which of the hello's ids a packet has.
pub(super) const HELLO: u16 = 0;
pub(super) const WELCOME: u16 = 1;
pub(super) const DIFFERENT: u16 = 2;
pub(super) const SCHEMAS: u16 = 3;
/// How many there are.
pub(super) const IDS: u16 = 4;

/// The largest packet of a hello, header included: what every peer can take whose limit is not smaller still.
pub(crate) const MAX_PACKET: usize = 256;

/// The most bytes of one side's schemas, their lengths included.
pub(crate) const MAX_SCHEMAS: usize = Schema::MAX_COMPACT;

const MAGIC: [u8; 4] = *b"nchi";
const VERSION: u8 = 1;

impl Prints {
    /// Whether the other side sends what this one receives, and the other way round.
    pub(super) fn fit(self, theirs: Self) -> bool {
        self.sends == theirs.receives && self.receives == theirs.sends
    }
}

/// A hello, or what a server says that has other fingerprints.
pub(crate) fn put_prints(out: &mut Vec<u8>, id: PacketId, prints: Prints) {
    let mut body = front().to_vec();
    body.extend(prints.sends.to_le_bytes());
    body.extend(prints.receives.to_le_bytes());
    put_packet(out, id, &body);
}

/// A welcome, or what a server says that does not know the version of a hello.
pub(crate) fn put_front(out: &mut Vec<u8>, id: PacketId) {
    put_packet(out, id, &front());
}

/// One side's schemas, in as many packets as they take.
pub(crate) fn put_schemas(out: &mut Vec<u8>, id: PacketId, schemas: &[u8]) {
    for part in schemas.chunks(MAX_PACKET - Header::LEN) {
        put_packet(out, id, part);
    }
}

/// A side's schemas: what it sends and what it receives, each only where it is asked for and as long as both fit.
pub(crate) fn schemas(sends: Option<&Schema>, receives: Option<&Schema>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut left = MAX_SCHEMAS - 2 * LENGTH;
    for schema in [sends, receives] {
        let compact = schema.and_then(|schema| schema.to_compact().ok());
        let compact = compact.filter(|compact| compact.len() <= left).unwrap_or_default();
        left -= compact.len();
        out.extend(u32::try_from(compact.len()).unwrap_or_default().to_le_bytes());
        out.extend(compact);
    }
    out
}

/// A packet's header: what kind of packet may come is known by its id.
pub(crate) fn read_header(bytes: [u8; Header::LEN], ids: &[PacketId]) -> Result<Header, HelloFault> {
    let [low, high, ..] = bytes;
    let size = u16::from_le_bytes([low, high]);
    let [_, _, id_low, id_high, _] = bytes;
    let id = PacketId(u16::from_le_bytes([id_low, id_high]));
    match Header::parse(bytes) {
        Ok(header) if usize::from(size) <= MAX_PACKET && ids.contains(&id) => Ok(header),
        _ => Err(HelloFault::NotHello { id, size }),
    }
}

/// The body of a hello, or of what a server says that has other fingerprints.
pub(crate) fn read_prints(id: PacketId, body: &[u8]) -> Result<Prints, HelloFault> {
    let mut body = read_front(id, body)?;
    let mut number = || body.array().map(|bytes| u64::from_le_bytes(*bytes));
    let (Ok(sends), Ok(receives)) = (number(), number()) else { return Err(HelloFault::Malformed(id)) };
    body.finish().map_err(|_| HelloFault::Malformed(id))?;
    Ok(Prints { sends, receives })
}

/// The body of a welcome.
pub(crate) fn read_welcome(id: PacketId, body: &[u8]) -> Result<(), HelloFault> {
    read_front(id, body)?.finish().map_err(|_| HelloFault::Malformed(id))
}

/// Whatever version a hello is of, it begins like this.
fn read_front(id: PacketId, body: &[u8]) -> Result<Reader<'_>, HelloFault> {
    let size = u16::try_from(body.len() + Header::LEN).unwrap_or(u16::MAX);
    let mut body = Reader::new(body);
    // WIRE §10: "A body that does not begin with the four letters is no hello."
    if !body.take(MAGIC.len()).is_ok_and(|magic| magic == MAGIC) {
        return Err(HelloFault::NotHello { id, size });
    }
    match body.array() {
        Ok([VERSION]) => Ok(body),
        Ok([version]) => Err(HelloFault::Protocol(*version)),
        Err(_) => Err(HelloFault::Malformed(id)),
    }
}

fn front() -> [u8; 5] {
    let [a, b, c, d] = MAGIC;
    [a, b, c, d, VERSION]
}

fn put_packet(out: &mut Vec<u8>, id: PacketId, body: &[u8]) {
    // None is longer than `MAX_PACKET`.
    if let Ok(header) = Header::new(id, PacketType::NORMAL, body.len()) {
        out.extend(header.to_bytes());
        out.extend(body);
    }
}

/// The other side's schemas, put together from the packets that they come in.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    bytes: Vec<u8>,
}

/// What the other side sends and receives, as far as it says so.
pub(crate) type Schemas = (Option<Schema>, Option<Schema>);

impl Gather {
    /// Takes in the next part. The schemas, once they are whole.
    pub(crate) fn add(&mut self, id: PacketId, part: &[u8]) -> Result<Option<Schemas>, HelloFault> {
        // WIRE §10: "An empty part is refused": they would never come to an end.
        if part.is_empty() {
            return Err(HelloFault::Malformed(id));
        }
        self.bytes.extend_from_slice(part);
        let mut rest = Reader::new(&self.bytes);
        let Some(sends) = self.next(&mut rest)? else { return Ok(None) };
        let Some(receives) = self.next(&mut rest)? else { return Ok(None) };
        rest.finish().map_err(|_| HelloFault::Malformed(id))?;
        Ok(Some((schema(sends)?, schema(receives)?)))
    }

    /// The next of the two, if it has come.
    fn next<'b>(&self, rest: &mut Reader<'b>) -> Result<Option<&'b [u8]>, HelloFault> {
        let before = self.bytes.len() - rest.remaining();
        let Ok(len) = rest.array() else { return Ok(None) };
        let len = u32::from_le_bytes(*len);
        // As soon as the length is there: what it promises is not waited for.
        let all = u32::try_from(before + LENGTH).unwrap_or(u32::MAX).saturating_add(len);
        if usize::try_from(all).is_ok_and(|all| all > MAX_SCHEMAS) {
            return Err(HelloFault::TooLarge(all));
        }
        Ok(rest.take(len as usize).ok())
    }
}

fn schema(compact: &[u8]) -> Result<Option<Schema>, HelloFault> {
    match compact {
        [] => Ok(None),
        compact => Schema::from_compact(compact).map(Some).map_err(|_| HelloFault::BadSchema),
    }
}

/// The length in front of a schema.
const LENGTH: usize = 4;
