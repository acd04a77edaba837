//! The longest relays, where the operator takes packets of any size.

use lobby::Settings;
use tokio::io::AsyncReadExt;

use crate::memory::{InTest, MemoryClient};
use crate::wire::*;

/// What a 742 has room for behind the room user id.
const MOST: usize = 65_522;

async fn hears(client: &mut MemoryClient, packet: Vec<u8>) {
    let mut came = vec![0; packet.len()];
    client.0.read_exact(&mut came).await.unwrap();
    assert!(came == packet, "{:02x?}", &came[..16]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_in_a_notice_is_refused_to_its_sender_and_the_rest_reaches_everybody() {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, max_packet: u16::MAX, ..Settings::default() }).await;
        let mut clients = FORMATS.map(|f| (f, server.client(f)));
        let names = ["ann", "bob", "kim"];
        for (index, user) in (0..3).zip(1..) {
            let (f, client) = &mut clients[index];
            let before: Vec<(u64, &str)> = (1..user).zip(names).collect();
            let here = if before.is_empty() { Vec::new() } else { f.users(&before) };
            client.says([f.login(names[index]), f.enter(3)].concat()).await;
            client.hears(&[f.result(702, OK), here, f.entered(OK, 3, user)]).await;
            for (f, client) in &mut clients[..index] {
                client.hears(&[f.came(user, names[index])]).await;
            }
        }
        for (from, user) in (0..3).zip(1..) {
            let (f, sender) = &mut clients[from];
            sender.says([f.relay(&[1; MOST + 1]), f.relay(&[2; MOST])].concat()).await;
            if *f != Protobuf {
                sender.says(f.relay(&[3; 65_530])).await;
            }
            hears(sender, f.error(RELAY_LENGTH)).await;
            for (f, client) in &mut clients {
                hears(client, f.relayed(user, &[2; MOST])).await;
            }
            let (f, sender) = &mut clients[from];
            if *f != Protobuf {
                hears(sender, f.error(RELAY_LENGTH)).await;
            }
        }
        drop(clients);
        server.ends_empty().await;
    }
}
