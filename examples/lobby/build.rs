//! Compiles the messages of the protobuf door.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(netcore::build::protobuf(&["../../proto/chat.proto"], &["../../proto"])?)
}
