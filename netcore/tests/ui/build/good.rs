//! What is well is built: only where something is to run does the compiler look at what a request needs.

use netcore::{Client, Packet, memory};

#[derive(Packet)]
#[packet(answered_by = ToClient)]
enum ToServer {
    #[packet(id = 701, reply = 702)]
    LogIn,
}

#[derive(Packet)]
enum ToClient {
    #[packet(id = 702)]
    LoggedIn,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (near, _nobody) = memory::pair(1);
    let options = Client::<ToClient, ToServer>::options().request_timeout(std::time::Duration::ZERO);
    assert!(options.over(near).request(ToServer::LogIn).await.is_err());
}
