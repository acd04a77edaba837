//! A session's task ends with what nobody reads.

use netcore::{Connection, Frame, Server};

async fn number(_: Connection<Frame, Frame>) -> u32 {
    7
}

async fn serve(server: Server<Frame, Frame>) {
    let _ = server.serve(number).await;
}

fn main() {}
