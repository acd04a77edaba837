//! A reply that never comes: seen where a request of it is built, and told where it is declared.

use netcore::{Client, Packet, RequestError};

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1, reply = 702)]
    Good,
    #[packet(id = 701, reply = 703)]
    LogIn,
}

#[derive(Packet)]
enum ToClient {
    #[packet(id = 702)]
    LoggedIn,
}

async fn log_in(client: &Client<ToClient, ToServer>) -> Result<ToClient, RequestError> {
    client.request(ToServer::LogIn).await
}

#[tokio::main]
async fn main() {
    let client = Client::connect("localhost:1").await.unwrap();
    let _ = log_in(&client).await;
}
