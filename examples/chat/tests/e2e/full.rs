//! The largest room there is: 127 users.

use lobby::Settings;

use crate::memory::{InTest, MemoryClient};
use crate::wire::*;

/// As many as one who enters is told of.
const OTHERS: u64 = 126;

/// As long as an id may be.
fn name(user: u64) -> String {
    format!("somebody{user:08}")
}

/// 126 clients of all formats in room 3.
async fn others(server: &InTest) -> Vec<(Format, MemoryClient)> {
    let mut clients = Vec::new();
    for (user, f) in (1..=OTHERS).zip(FORMATS.into_iter().cycle()) {
        let mut client = server.client(f);
        client.says([f.login(name(user)), f.enter(3)].concat()).await;
        client.hears(&[f.result(702, OK)]).await;
        clients.push((f, client));
    }
    clients
}

#[tokio::test(start_paused = true)]
async fn whoever_is_the_127th_is_told_of_126_and_they_of_it() {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, room_users: 127, ..Settings::default() }).await;
        let mut clients = others(&server).await;
        let names: Vec<String> = (1..=OTHERS).map(name).collect();
        let users: Vec<(u64, &str)> = (1..).zip(names.iter().map(String::as_str)).collect();
        for ((f, client), user) in clients.iter_mut().zip(1..) {
            let before = &users[..user as usize - 1];
            let list = if before.is_empty() { Vec::new() } else { f.users(before) };
            let came = users[user as usize..].iter().flat_map(|(later, name)| f.came(*later, name));
            let heard: Vec<u8> = [list, f.entered(OK, 3, user)].concat().into_iter().chain(came).collect();
            assert!(client.so_far().await == heard, "{f:?}, number {user}");
        }
        // The longest list, in each format: 126 ids of 16 bytes.
        assert_eq!(Raw.users(&users).len(), 5 + 1 + 126 * (8 + 1 + 16));
        for (last, user) in FORMATS.into_iter().zip(OTHERS + 1..) {
            let mut newcomer = server.client(last);
            newcomer.says([last.login(name(user)), last.enter(3)].concat()).await;
            newcomer.hears(&[last.result(702, OK), last.users(&users), last.entered(OK, 3, user)]).await;
            let mut late = server.client(last);
            late.says([last.login("late"), last.enter(3)].concat()).await;
            late.hears(&[last.result(702, OK), last.not_entered(FULL)]).await;
            newcomer.says([last.chat("hi"), last.leave()].concat()).await;
            newcomer.hears(&[last.chatted(user, "hi"), last.result(732, OK), last.result(727, OK)]).await;
            for (f, client) in &mut clients {
                let heard = [f.came(user, &name(user)), f.chatted(user, "hi"), f.went(user)].concat();
                assert!(client.so_far().await == heard, "{f:?} of {last:?}");
            }
        }
        drop(clients);
        server.ends_empty().await;
    }
}
