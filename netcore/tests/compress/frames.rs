//! What a sender makes of one packet.

use bytes::{Bytes, BytesMut};
use netcore::{Adapter, Binary, Compress, Fault, Frame, Packet, PacketType};
use proptest::prelude::*;

use crate::{Sharing, frame, noise, on, wire};

fn encode(adapter: &impl Adapter<Frame, Frame>, frame: &Frame) -> Vec<u8> {
    let mut wire = BytesMut::from(&b"before"[..]);
    adapter.encode(frame, &mut wire).unwrap();
    assert_eq!(&wire[..6], b"before");
    wire[6..].to_vec()
}

#[test]
fn a_body_is_compressed_from_the_threshold_on_and_only_if_it_becomes_smaller() {
    for (len, packed) in [(0, false), (255, false), (256, true), (65_530, true)] {
        let plain = frame(1, 0, vec![7; len]);
        let found = encode(&on(), &plain);
        assert_eq!(found[4] == 1, packed, "{len} bytes");
        assert_eq!(found.len() < 5 + len, packed);
        assert_eq!(Compress::new().unpack(&Compress::new().pack(&plain)), Ok(plain));
    }
    for len in [256, 1000, 65_530] {
        let plain = frame(1, 0, noise(len));
        assert!(encode(&on(), &plain) == wire(&[plain]), "noise is sent as it is");
    }
    // With no threshold the smallest bodies are tried too, and none grows.
    let eager = Binary::new().compress(Compress::new().threshold(0));
    for len in 0..64 {
        let plain = frame(1, 0, vec![7; len]);
        assert!(encode(&eager, &plain).len() <= 5 + len);
    }
}

#[test]
fn the_adapter_writes_what_pack_makes_of_a_frame() {
    for body in [vec![7; 40], vec![7; 4000], noise(4000), b"room ".repeat(100)] {
        for kind in [0, 1, 0x82, 0xff] {
            let plain = frame(9, kind, body.clone());
            assert_eq!(encode(&on(), &plain), wire(&[Compress::new().pack(&plain)]));
        }
    }
}

#[test]
fn the_application_cannot_set_the_bit_by_itself_where_compression_is_on() {
    let claimed = frame(9, 0xff, &b"not compressed"[..]);
    assert_eq!(encode(&on(), &claimed), wire(&[frame(9, 0xfe, &b"not compressed"[..])]));
    let catch_all = Sharing::Frame(claimed);
    let mut found = BytesMut::new();
    Adapter::<Sharing, Sharing>::encode(&on(), &catch_all, &mut found).unwrap();
    assert_eq!(found[4], 0xfe);
}

#[test]
fn where_compression_is_off_the_bit_is_the_applications_both_ways() {
    let claimed = frame(9, 0xff, &b"not compressed"[..]);
    assert_eq!(encode(&Binary::new(), &claimed), wire(std::slice::from_ref(&claimed)));
    let now = std::time::Instant::now();
    let mut reads = crate::Reads::<Frame>::new(&Binary::new(), now);
    let mut found = Vec::new();
    reads.read(now, &wire(std::slice::from_ref(&claimed)), &mut found).unwrap();
    assert_eq!(found.pop().unwrap().unwrap(), claimed);
}

#[test]
fn the_second_bit_is_the_applications_where_compression_alone_is_on() {
    let secure = frame(9, PacketType::SECURE.0, vec![7; 1000]);
    assert_eq!(encode(&on(), &secure)[4], 3);
    let packed = Compress::new().pack(&secure);
    assert_eq!(Compress::new().unpack(&packed), Ok(secure));
}

#[test]
fn a_packet_over_the_limit_is_refused_even_if_it_would_fit_once_compressed() {
    let small = Binary::new().max_out(1000).compress(Compress::new());
    let mut found = BytesMut::from(&b"before"[..]);
    assert!(Adapter::<Frame, Frame>::encode(&small, &frame(1, 0, vec![7; 996]), &mut found).is_err());
    assert_eq!(found, "before");
    Adapter::<Frame, Frame>::encode(&small, &frame(1, 0, vec![7; 995]), &mut found).unwrap();
}

#[test]
fn each_packet_that_a_mapped_door_makes_of_one_is_compressed_by_itself() {
    #[derive(Packet)]
    enum Text {
        #[packet(id = 1)]
        Is {
            #[raw(rest)]
            text: String,
        },
    }
    struct Twice(String);
    let adapter = on().map(
        |Text::Is { text }| Ok::<_, Fault>(Twice(text)),
        |Twice(text): &Twice, send: &mut dyn FnMut(Text)| {
            send(Text::Is { text: text.clone() });
            send(Text::Is { text: "short".into() });
        },
    );
    let mut found = BytesMut::new();
    Adapter::<Twice, Twice>::encode(&adapter, &Twice("la ".repeat(200)), &mut found).unwrap();
    let mut expected = BytesMut::from(&wire(&[Compress::new().pack(&frame(1, 0, "la ".repeat(200)))])[..]);
    expected.extend_from_slice(&wire(&[frame(1, 0, "short")]));
    assert_eq!(found, expected);

    let mut decode = Adapter::<Twice, Twice>::open(&adapter);
    let mut batch = netcore::Inbound::new();
    decode.decode(&mut found, &mut batch).unwrap();
    let texts: Vec<_> = batch.map(|packet| packet.unwrap().0).collect();
    assert_eq!(texts, ["la ".repeat(200), "short".into()]);
    assert!(found.is_empty());
}

proptest! {
    #[test]
    fn any_body_comes_back_from_any_settings(
        words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..400),
        kind: u8,
        threshold in 0_u16..600,
    ) {
        let body: Bytes = order.iter().flat_map(|index| index.get(&words).clone()).collect();
        let compress = Compress::new().threshold(threshold);
        let plain = frame(5, kind & !1, body);
        let packed = compress.pack(&plain);
        prop_assert!(packed.body.len() <= plain.body.len());
        prop_assert_eq!(packed.kind.contains(PacketType::COMPRESSED), packed.body.len() < plain.body.len());
        prop_assert_eq!(compress.unpack(&packed), Ok(plain));
    }

    #[test]
    fn any_bytes_inflate_within_the_limit_or_are_one_error(body: Vec<u8>, claimed: u16, max: u16) {
        let body = [&u32::from(claimed).to_le_bytes()[..], &body].concat();
        let compress = Compress::new().max_inflated(max);
        if let Ok(frame) = compress.unpack(&frame(5, 1, body)) {
            prop_assert_eq!(frame.body.len(), usize::from(claimed));
            prop_assert!(frame.header().unwrap().size() <= max.max(5));
        }
    }
}
