//! `wire.md`, the page for who writes a client, says what the packets are.

#![forbid(unsafe_code)]

use lobby::{Code, raw};
use netcore::Packet;

fn page() -> String {
    let codes: String =
        Code::ALL.iter().map(|code| format!("| {} | {} | {code} |\n", code.raw(), code.msgpack())).collect();
    format!(
        "{HEAD}\n## Codes\n\n| raw | MessagePack, protobuf | |\n|---|---|---|\n{codes}\n{}\n{}",
        raw::ToServer::SCHEMA.to_markdown(),
        raw::ToClient::SCHEMA.to_markdown()
    )
}

const HEAD: &str = "# The wire of the rooms

Made of the packets by `UPDATE=1 cargo test -p lobby --test wire_page`. Each stands behind the header of five bytes (total size u16, id
u16, type u8, little-endian: [WIRE.md](../../proto/WIRE.md)). MessagePack and protobuf have the same ids; their fields are in
[msgpack.rs](src/msgpack.rs) and [chat.proto](../../proto/chat.proto).

Who enters a room that is not empty is told its users (723), then gets the answer (722), and the others hear of it (724). Who leaves, or is gone:
728 to the others. A chat goes as 733 to everybody in the room, its sender included, and then 732 to the sender; a relay as 742 to everybody.
A relay that does not fit in a 742 goes to nobody, and its sender gets 203 with 161: one of over 65,522 bytes, or a few less, down to 65,516, when
the sender's room user id is 2^21 or more, as where servers share rooms, and so takes more room in protobuf.
";

#[test]
fn the_page_is_that_of_these_packets() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/wire.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        page(),
        "make it anew: UPDATE=1 cargo test -p lobby --test wire_page"
    );
}
