use bytes::BytesMut;
use netcore::body::Reader;
use netcore::schema::{By, Type};
use netcore::{Packet, PacketId, Schema};
use prost::Message as _;

use super::{
    ById, ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket,
    header, msgpack_array_by_scratch, msgpack_by_scratch, msgpack_by_writer,
};

fn body<P: Packet>(packet: &P) -> BytesMut {
    let mut body = BytesMut::new();
    packet.encode_body(&mut body).unwrap();
    body
}

fn decode<M: Message, P: Packet>(body: &[u8]) -> P {
    P::decode(header::<M>(body.len()).unwrap(), Reader::new(body)).unwrap()
}

fn by_id_alike<M: Message, P: ById + PartialEq + std::fmt::Debug>(packet: P) {
    let mut to = BytesMut::new();
    assert!(packet.write(&mut Vec::new(), &mut to));
    assert_eq!(to, body(&packet));
    assert_eq!(P::read(PacketId(M::ID), &to).ok(), Some(packet));
    assert!(P::read(PacketId(99), &to).is_err());
}

fn alike<M: Message>() {
    let message = M::sample();
    let (mut to, mut scratch) = (BytesMut::new(), Vec::new());

    message.write_by_hand(&mut to);
    assert_eq!(to, body(&message.clone().raw()));
    assert_eq!(M::read_by_hand(&to).unwrap(), message);
    assert_eq!(decode::<M, RawPacket>(&to), message.clone().raw());
    assert!(M::read_by_hand(&to[1..]).is_err());

    to.clear();
    msgpack_by_scratch(&message, &mut scratch, &mut to).unwrap();
    assert_eq!(to, body(&message.clone().msgpack()));
    assert_eq!(rmp_serde::from_slice::<M>(&to).unwrap(), message);
    assert_eq!(decode::<M, MsgPackPacket>(&to), message.clone().msgpack());
    let mut written = BytesMut::new();
    msgpack_by_writer(&message, &mut written).unwrap();
    assert_eq!(written, to);

    to.clear();
    msgpack_array_by_scratch(&message, &mut scratch, &mut to).unwrap();
    assert_eq!(to, body(&message.clone().msgpack_array()));
    assert_eq!(decode::<M, MsgPackArrayPacket>(&to), message.clone().msgpack_array());

    to.clear();
    message.clone().proto().encode(&mut to).unwrap();
    assert_eq!(to, body(&message.clone().protobuf()));
    assert!(M::Proto::decode(&to[..]).unwrap() == message.clone().proto());
    assert_eq!(decode::<M, ProtobufPacket>(&to), message.clone().protobuf());

    by_id_alike::<M, _>(message.clone().raw());
    by_id_alike::<M, _>(message.clone().msgpack());
    by_id_alike::<M, _>(message.clone().msgpack_array());
    by_id_alike::<M, _>(message.protobuf());
}

#[test]
fn every_peer_writes_and_reads_the_same() {
    alike::<Move>();
    alike::<ChatLine>();
    alike::<Inventory>();
    assert_eq!(body(&Move::sample().raw()).len(), 28);
    assert_eq!(Inventory::sample().items.len(), 50);
}

fn fields(schema: &Schema, packet: usize) -> Vec<(u32, String, Type)> {
    let Type::Struct(body) = &*schema.packets[packet].body else { panic!("no struct") };
    assert_eq!(body.by, By::Number);
    body.fields.iter().map(|field| (field.number, field.name.to_string(), (*field.ty).clone())).collect()
}

#[test]
fn generated_messages_describe_their_fields_by_number() {
    let schema = ProtobufPacket::SCHEMA;
    let moved = fields(schema, 0);
    assert_eq!(moved.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    assert!(matches!(moved[0].2, Type::Int(_)) && matches!(moved[6].2, Type::Float { .. }), "{moved:?}");
    let chat = fields(schema, 1);
    let names: Vec<_> = chat.iter().map(|(_, name, _)| &name[..]).collect();
    assert_eq!(names, ["user_id", "name", "text"]);
    assert!(matches!(chat[2].2, Type::Text(_)), "{chat:?}");
    let [(1, _, Type::List { item, .. })] = &fields(schema, 2)[..] else { panic!("no list") };
    let Type::Struct(item) = &**item else { panic!("items are {item:?}") };
    assert_eq!((item.by, item.fields.len()), (By::Number, 4));
}
