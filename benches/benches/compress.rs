//! Compression on and off for streams of chat and of inventories: bytes that are saved, and the time that it takes.
//!
//! Both go through a door's adapter. Each round measures off and on one after the other, and is compared within itself;
//! the table shows the median of the rounds.

use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use netcore::{Adapter, Binary, Compress, Inbound, Packet, Raw};
use netcore_benches::host;
use netcore_benches::messages::{
    ChatLine, Inventory, Item, Message, MsgPackPacket, ProtobufPacket, RawPacket,
};

/// Packets of a stream.
const PACKETS: usize = 2000;
/// So many are encoded behind each other, as into a session's buffer, and decoded together.
const TOGETHER: usize = 20;

/// The last lines that were said, for who enters a room.
#[derive(Packet, Clone)]
enum History {
    #[packet(id = 4)]
    Lines {
        #[raw(count = u16)]
        lines: Vec<Line>,
    },
}

#[derive(Raw, Clone)]
struct Line {
    user_id: u64,
    #[raw(len = u8)]
    name: String,
    #[raw(len = u16)]
    text: String,
}

fn main() {
    let once = env::args().any(|arg| arg == "--test") || !env::args().any(|arg| arg == "--bench");
    let rounds = if once { 1 } else { 15 };
    if !once {
        host::print();
        println!("{PACKETS} packets of each stream; time is that with compression, of that without");
    }
    println!(
        "{:<46} {:>7} {:>7} {:>7} {:>8} {:>8} {:>10}",
        "stream", "bytes", "packed", "saved", "encode", "decode", "µs more"
    );
    let chat = || random(1, |random| RawPacket::Chat(line(random)));
    measure("chat, one line a packet", chat(), Compress::new(), rounds);
    measure("chat, one line a packet, from 32 bytes on", chat(), Compress::new().threshold(32), rounds);
    let pages =
        random(2, |random| History::Lines { lines: (0..20).map(|_| Line::from(line(random))).collect() });
    measure("chat, the last 20 lines", pages, Compress::new(), rounds);
    let raw = random(3, |random| RawPacket::Inventory(inventory(random)));
    measure("inventory of 50, raw", raw, Compress::new(), rounds);
    let protobuf = random(3, |random| inventory(random).protobuf());
    measure::<ProtobufPacket>("inventory of 50, protobuf", protobuf, Compress::new(), rounds);
    let msgpack = random(3, |random| MsgPackPacket::Inventory(inventory(random)));
    measure("inventory of 50, MessagePack maps", msgpack, Compress::new(), rounds);
}

/// What one stream costs with compression and without.
fn measure<P: Packet + 'static>(name: &str, packets: Vec<P>, compress: Compress, rounds: usize) {
    let (off, on) = (Binary::new(), Binary::new().compress(compress));
    let (plain, packed) = (encode(&off, &packets), encode(&on, &packets));
    assert_eq!((decode::<P>(&off, &plain), decode::<P>(&on, &packed)), (packets.len(), packets.len()));
    let bytes = |pieces: &[BytesMut]| pieces.iter().map(BytesMut::len).sum::<usize>();
    let (before, after) = (bytes(&plain), bytes(&packed));
    let (mut encodes, mut decodes, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let [encode_off, encode_on] =
            [&off as &dyn Adapter<P, P>, &on].map(|adapter| time(|| drop(encode(adapter, &packets))));
        let decode_off = time(|| assert!(black_box(decode::<P>(&off, &plain)) > 0));
        let decode_on = time(|| assert!(black_box(decode::<P>(&on, &packed)) > 0));
        encodes.push(encode_on.as_secs_f64() / encode_off.as_secs_f64());
        decodes.push(decode_on.as_secs_f64() / decode_off.as_secs_f64());
        let both = (encode_on + decode_on).as_secs_f64() - (encode_off + decode_off).as_secs_f64();
        more.push(both / packets.len() as f64 * 1e6);
    }
    println!(
        "{name:<46} {:>7} {:>7} {:>6.0}% {:>8.2} {:>8.2} {:>10.2}",
        before / packets.len(),
        after / packets.len(),
        100.0 - 100.0 * after as f64 / before as f64,
        median(encodes),
        median(decodes),
        median(more),
    );
}

fn encode<P: Packet + 'static>(adapter: &dyn Adapter<P, P>, packets: &[P]) -> Vec<BytesMut> {
    let encode = |some: &[P]| {
        let mut to = BytesMut::with_capacity(128 * 1024);
        for packet in some {
            assert!(adapter.encode(black_box(packet), &mut to).is_ok());
        }
        to
    };
    packets.chunks(TOGETHER).map(encode).collect()
}

fn decode<P: Packet + 'static>(adapter: &dyn Adapter<P, P>, pieces: &[BytesMut]) -> usize {
    let mut decode = adapter.open();
    let mut count = 0;
    for piece in pieces {
        let (mut input, mut batch) = (piece.clone(), Inbound::new());
        assert!(decode.decode(&mut input, &mut batch).is_ok() && input.is_empty());
        count += batch.inspect(|packet| assert!(black_box(packet).is_ok())).count();
    }
    count
}

fn time(work: impl FnOnce()) -> Duration {
    let since = Instant::now();
    work();
    since.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn random<P>(seed: u64, mut make: impl FnMut(&mut Random) -> P) -> Vec<P> {
    let mut random = Random(seed);
    (0..PACKETS).map(|_| make(&mut random)).collect()
}

/// Someone says four to twenty words, common ones more often.
fn line(random: &mut Random) -> ChatLine {
    let words = 4 + random.below(17);
    let text: Vec<_> =
        (0..words).map(|_| WORDS[random.below(WORDS.len()).min(random.below(WORDS.len()))]).collect();
    let user = random.below(64);
    ChatLine { user_id: 1_000_000 + user as u64, name: format!("player{user}"), text: text.join(" ") }
}

impl From<ChatLine> for Line {
    fn from(line: ChatLine) -> Self {
        Self { user_id: line.user_id, name: line.name, text: line.text }
    }
}

/// Fifty things out of a thousand, few of most, in the order of their slots.
fn inventory(random: &mut Random) -> Inventory {
    let item = |slot, random: &mut Random| Item {
        item_id: 10_000 + random.below(1000) as u32,
        count: 1 + (random.below(100) * random.below(100) / 1000) as u32,
        slot,
        equipped: random.below(10) == 0,
    };
    Inventory { items: (0..50).map(|slot| item(slot, random)).collect() }
}

/// Splitmix: the same streams each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let stirred = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((stirred ^ (stirred >> 31)) % end as u64) as usize
    }
}

const WORDS: [&str; 64] = [
    "the",
    "you",
    "i",
    "to",
    "a",
    "it",
    "and",
    "is",
    "that",
    "what",
    "in",
    "we",
    "me",
    "of",
    "this",
    "on",
    "for",
    "go",
    "no",
    "my",
    "be",
    "have",
    "are",
    "do",
    "not",
    "with",
    "just",
    "get",
    "all",
    "so",
    "ok",
    "yes",
    "now",
    "can",
    "they",
    "one",
    "wait",
    "here",
    "there",
    "come",
    "back",
    "room",
    "game",
    "team",
    "left",
    "right",
    "again",
    "healer",
    "boss",
    "where",
    "quest",
    "sword",
    "guild",
    "north",
    "trade",
    "gold",
    "level",
    "castle",
    "potion",
    "inventory",
    "ready",
    "thanks",
    "sorry",
    "tomorrow",
];
