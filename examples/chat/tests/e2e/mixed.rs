//! People and game clients of each format in one room.

use std::io::Write;
use std::net::TcpStream;

use lobby::Settings;
use support::testing::{connect, read};

use crate::people::Person;
use crate::scenario::Started;
use crate::wire::*;

struct GameClient(TcpStream, Format);

impl GameClient {
    fn new(server: &Started, format: Format, name: &str) -> Self {
        let mut client = Self(connect(server.at(format)), format);
        client.says(&format.login(name)).hears(&[format.result(702, OK)]);
        client
    }

    fn says(&mut self, packet: &[u8]) -> &mut Self {
        self.0.write_all(packet).unwrap();
        self
    }

    #[track_caller]
    fn hears(&mut self, packets: &[Vec<u8>]) -> &mut Self {
        for packet in packets {
            assert_eq!(read(&mut self.0, packet.len()), *packet, "{:?}", self.1);
        }
        self
    }
}

#[test]
fn a_person_and_a_client_of_each_format_read_each_other() {
    for workers in [1, 3] {
        let server = Started::new(Settings { workers, ..Settings::default() });
        let mut person = Person::new(&server, "guest1");
        person.types("/nick 사람").reads(&["you are 사람"]);
        person.types("/join 3").reads(&["you are in room 3, as number 1"]);
        let mut clients = Vec::new();
        for (format, name, user) in [(Raw, "raw", 2), (MsgPack, "msg pack", 3), (Protobuf, "proto", 4)] {
            let mut client = GameClient::new(&server, format, name);
            client.says(&format.enter(3));
            let users = [(1, "사람"), (2, "raw"), (3, "msg pack")];
            client.hears(&[format.users(&users[..user as usize - 1]), format.entered(OK, 3, user)]);
            for GameClient(socket, other) in &mut clients {
                let came = other.came(user, name);
                assert_eq!(read(socket, came.len()), came);
            }
            clients.push(client);
            person.reads(&[&format!("* {} ({user}) came", name.replace(' ', "\\s"))]);
        }
        person.types("hello").reads(&["사람: hello"]);
        for client in &mut clients {
            let format = client.1;
            client.hears(&[format.chatted(1, "hello")]);
        }
        // A line break in a client's text is a blank to people, and bytes are nothing to them.
        for (at, user) in [(0, 2), (1, 3), (2, 4)] {
            let format = clients[at].1;
            clients[at].says(&format.chat("two\nlines")).says(&format.relay(b"\x01\x02"));
            for (other, client) in clients.iter_mut().enumerate() {
                let format = client.1;
                client.hears(&[format.chatted(user, "two\nlines")]);
                if other == at {
                    client.hears(&[format.result(732, OK)]);
                }
                client.hears(&[format.relayed(user, b"\x01\x02")]);
            }
            person.line();
        }
        // Dice and votes are chat to them; who takes another name is another user.
        person.types("/dice 1").reads(&["* 사람 rolls 1 of 1"]);
        person.types("/vote start lunch?").reads(&["* 사람 asks: lunch? (/vote CHOICE)"]);
        person.types("/nick person").reads(&["you are person"]);
        person.types("/msg msg\\spack psst").reads(&["[to msg\\spack] psst"]);
        for client in &mut clients {
            let format = client.1;
            client.hears(&[
                format.chatted(1, "* rolls 1 of 1"),
                format.chatted(1, "* asks: lunch?"),
                format.went(1),
                format.came(5, "person"),
            ]);
        }
        clients[1].hears(&[MsgPack.whispered("person", "psst")]);
        clients[0].says(&Raw.whisper("person", "hi")).hears(&[Raw.result(772, OK)]);
        person.reads(&["[from raw] hi"]);
        // A full room, to a person.
        let mut late = Person::new(&server, "guest2");
        late.types("/join 3").reads(&["that room is full"]);
        drop(clients.remove(0));
        person.reads(&["* raw (2) left"]);
        late.types("/join 3")
            .reads(&["here: person (5), msg\\spack (3), proto (4)", "you are in room 3, as number 6"]);
        for client in &mut clients {
            let format = client.1;
            client.hears(&[format.went(2), format.came(6, "guest2")]);
        }
        drop((person, late, clients));
        server.ends_empty(&format!("{workers} workers"));
    }
}

#[test]
fn a_name_is_one_users_whichever_door_they_came_by() {
    for workers in [1, 3] {
        let server = Started::new(Settings { workers, ..Settings::default() });
        let client = GameClient::new(&server, Raw, "ann");
        let mut person = Person::new(&server, "guest1");
        person.types("/nick ann").reads(&["that name is taken"]);
        let mut others = FORMATS.map(|f| GameClient(connect(server.at(f)), f));
        for GameClient(socket, f) in &mut others {
            socket.write_all(&[f.login("ann"), f.login("guest1")].concat()).unwrap();
            let refused = f.result(702, IN_USE).repeat(2);
            assert_eq!(read(socket, refused.len()), refused, "{f:?}");
        }
        // What nobody has any more is anybody's, and no guest gets what somebody has.
        person.types("/nick bob").reads(&["you are bob"]);
        others[0].says(&Raw.login("bob")).hears(&[Raw.result(702, IN_USE)]);
        others[1].says(&MsgPack.login("guest1")).hears(&[MsgPack.result(702, OK)]);
        others[2].says(&Protobuf.login("guest2")).hears(&[Protobuf.result(702, OK)]);
        let late = Person::new(&server, "guest3");
        person.reads(&["* guest3 came"]);
        drop((client, person, late, others));
        server.ends_empty(&format!("{workers} workers"));
    }
}
