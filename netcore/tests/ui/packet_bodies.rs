use netcore::Packet;

struct Own;

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1)]
    Move(f32, f32),
    #[packet(id = 2, format = Protobuf)]
    Say { text: String },
    #[packet(id = 3, format = Own)]
    Enter { room: u32 },
    #[packet(id = 4, format = MsgPack)]
    Shout {
        #[raw(len = u16)]
        text: String,
    },
    #[packet(id = 5, format = MsgPack)]
    Whisper(#[raw(len = u16)] String),
    #[packet(id = 6, format = MsgPack)]
    Leave {
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    #[packet(id = 7)]
    Relay(#[raw(len_in = size)] Vec<u8>),
    #[packet(id = 8)]
    Ping(),
}

fn main() {}
