//! Servers that share their rooms, in the list of an API server.

use api::Wish;
use support::testing::RedisServer;

use crate::api_server::Api;
use crate::people::Person;

#[test]
fn nobody_is_sent_to_a_seat_that_another_server_gave_away() {
    let Some(redis) = RedisServer::start() else { return };
    let api = Api::new("shared");
    let flags = ["--redis", &redis.url(), "--rooms", "3", "--room-users", "1"];
    let _servers = [(); 2].map(|()| api.chat_with(&flags, 4));
    let mut inside = Vec::new();
    let mut player = api.sign_up("zoe");
    for (room, name) in (0..).zip(["ann", "bob", "kim"]) {
        // Both know of all who are inside.
        api.list(&player, |servers| {
            servers.len() == 2 && servers.iter().all(|it| (it.occupied_rooms, it.reserved) == (room, 0))
        });
        player = api.sign_up(name);
        let seat = api.wait(player.seat("chat", &Wish::default())).unwrap();
        assert_eq!(seat.room, Some(room), "{name}");
        let mut person = Person::at(seat.doors["text"].parse().unwrap());
        person.types(&format!("/login {name} {}", seat.token)).reads(&[
            "welcome: log in first, with /login NAME TOKEN",
            "you are logged in",
            "you are in the lobby: /rooms shows the rooms, /join ROOM enters one",
        ]);
        let entered = person.types(&format!("/join {room}")).line();
        assert!(entered.starts_with(&format!("you are in room {room}, ")), "{entered}");
        inside.push(person);
    }
    api.list(&player, |servers| servers.iter().all(|it| (it.occupied_rooms, it.reserved) == (3, 0)));
    assert_eq!(api.list(&player, |_| true).iter().map(|it| it.users).sum::<u32>(), 3);
    let late = api.wait(api.sign_up("late").seat("chat", &Wish::default()));
    assert!(late.as_ref().is_err_and(|error| error.is("no_room")), "{late:?}");
}
