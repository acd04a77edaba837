//! The text door: what people type, and what they read.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use lobby::Settings;
use support::testing::connect;

use crate::scenario::Started;

/// Somebody at a terminal.
pub(crate) struct Person(BufReader<TcpStream>);

impl Person {
    /// Comes in, and reads the first two lines.
    pub(crate) fn new(server: &Started, name: &str) -> Self {
        Self::greeted(server.door("text"), name)
    }

    pub(crate) fn greeted(door: SocketAddr, name: &str) -> Self {
        let mut person = Self::at(door);
        person.reads(&[
            &format!("welcome, you are {name}: /help says what you can do"),
            "you are in the lobby: /rooms shows the rooms, /join ROOM enters one",
        ]);
        person
    }

    /// Comes in, and reads nothing yet.
    pub(crate) fn at(door: SocketAddr) -> Self {
        Self(BufReader::new(connect(door)))
    }

    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix('\n').unwrap_or_else(|| panic!("not a whole line: {line:?}")).to_owned()
    }

    #[track_caller]
    pub(crate) fn reads(&mut self, lines: &[&str]) -> &mut Self {
        for expected in lines {
            assert_eq!(self.line(), *expected);
        }
        self
    }

    /// The server closes, and nothing comes before.
    fn hears_the_end(mut self) {
        let mut rest = String::new();
        assert_eq!(self.0.read_line(&mut rest).unwrap(), 0, "{rest}");
    }
}

fn with_one_and_three_workers(play: impl Fn(&Started)) {
    for workers in [1, 3] {
        let server = Started::new(Settings { workers, room_users: 3, ..Settings::default() });
        play(&server);
        server.ends_empty(&format!("{workers} workers"));
    }
}

#[test]
fn guests_talk_in_the_lobby_and_take_names() {
    with_one_and_three_workers(|server| {
        let mut ann = Person::new(server, "guest1");
        ann.types("/nick ann").reads(&["you are ann"]);
        let mut bob = Person::new(server, "guest2");
        ann.reads(&["* guest2 came"]);
        bob.types("/nick ann").reads(&["that name is taken"]);
        bob.types("/대화명 밥").reads(&["you are 밥"]);
        ann.reads(&["* guest2 is now 밥"]);
        bob.types("hello").reads(&["밥: hello"]);
        ann.reads(&["밥: hello"]).types("안녕\r").reads(&["ann: 안녕"]);
        bob.reads(&["ann: 안녕"]).types("/who").reads(&["in the lobby: ann, 밥"]);
        bob.types("/rooms").reads(&["all rooms are empty"]);
        bob.types("/leave").reads(&["you are not in a room"]);
        bob.types("/quit").reads(&["bye"]);
        bob.hears_the_end();
        ann.reads(&["* 밥 left"]);
        // The name is free again.
        ann.types("/nick 밥").reads(&["you are 밥"]);
    });
}

#[test]
fn people_go_from_room_to_room() {
    with_one_and_three_workers(|server| {
        let mut ann = Person::new(server, "guest1");
        ann.types("/join 4").reads(&["you are in room 4, as number 1"]);
        let mut bob = Person::new(server, "guest2");
        bob.types("/참가 4").reads(&["here: guest1 (1)", "you are in room 4, as number 2"]);
        ann.reads(&["* guest2 (2) came"]).types("hi").reads(&["guest1: hi"]);
        bob.reads(&["guest1: hi"]);
        bob.types("/join 5").reads(&["you are in room 5, as number 1"]);
        ann.reads(&["* guest2 (2) left"]).types("anybody?").reads(&["guest1: anybody?"]);
        bob.types("/rooms").reads(&["room 4: 1 of 3", "room 5: 1 of 3"]);
        bob.types("/join 5").reads(&["you are in that room already"]);
        bob.types("/join 1000").reads(&["there is no room of that number"]);
        bob.types("/join -1").reads(&["there is no room of that number"]);
        bob.types("/join nowhere").reads(&["a room has a number: /join 3"]);
        bob.types("/leave").reads(&[
            "you left the room",
            "you are in the lobby: /rooms shows the rooms, /join ROOM enters one",
        ]);
        bob.types("/who").reads(&["in the lobby: guest2"]);
    });
}

#[test]
fn rooms_have_the_numbers_that_the_server_gives_them() {
    for workers in [1, 3] {
        let server = Started::new(Settings { workers, first_room: 50, rooms: 2, ..Settings::default() });
        let mut ann = Person::new(&server, "guest1");
        for outside in [0, 1, 49, 52] {
            ann.types(&format!("/join {outside}")).reads(&["there is no room of that number"]);
        }
        for room in [50, 51, 50] {
            ann.types(&format!("/join {room}"));
            assert!(ann.line().starts_with(&format!("you are in room {room}, as number ")));
            ann.types("/rooms").reads(&[&format!("room {room}: 1 of 4")]);
        }
        ann.types("/quit").reads(&["bye"]);
        server.ends_empty(&format!("{workers} workers"));
    }
}

#[test]
fn who_finds_a_room_full_stays_where_they_are() {
    with_one_and_three_workers(|server| {
        let mut all: Vec<Person> = (1..=4)
            .map(|number| {
                let mut person = Person::new(server, &format!("guest{number}"));
                person.types(if number < 4 { "/join 7" } else { "/join 8" });
                while !person.line().starts_with("you are in room") {}
                person
            })
            .collect();
        all[3].types("/join 7").reads(&["that room is full"]);
        all[3].types("/who").reads(&["in room 8: guest4 (1)"]);
        all[2].reads(&[]).types("/join 8").reads(&["here: guest4 (1)", "you are in room 8, as number 2"]);
        all[3].reads(&["* guest3 (2) came"]);
        all[3].types("/join 7").reads(&["here: guest1 (1), guest2 (2)", "you are in room 7, as number 4"]);
    });
}

#[test]
fn another_name_in_a_room_is_another_number_in_the_same_place() {
    with_one_and_three_workers(|server| {
        let mut ann = Person::new(server, "guest1");
        ann.types("/join 1").reads(&["you are in room 1, as number 1"]);
        let mut bob = Person::new(server, "guest2");
        bob.types("/join 1").reads(&["here: guest1 (1)", "you are in room 1, as number 2"]);
        ann.reads(&["* guest2 (2) came"]).types("/nick ann").reads(&["you are ann"]);
        bob.reads(&["* guest1 is now ann (3)"]).types("/누구").reads(&["in room 1: ann (3), guest2 (2)"]);
    });
}

#[test]
fn whispers_and_invitations_in_words() {
    with_one_and_three_workers(|server| {
        let mut ann = Person::new(server, "guest1");
        ann.types("/nick ann")
            .reads(&["you are ann"])
            .types("/join 1")
            .reads(&["you are in room 1, as number 1"]);
        let mut bob = Person::new(server, "guest2");
        bob.types("/메시지 ann psst there").reads(&["[to ann] psst there"]);
        ann.reads(&["[from guest2] psst there"]);
        bob.types("/msg nobody psst").reads(&["nobody has that name"]);
        bob.types("/invite ann").reads(&["you are not in a room"]);
        bob.types("/accept").reads(&["there is no such invitation, or it has expired"]);
        ann.types("/초대 guest2").reads(&["guest2 was asked to come"]);
        bob.reads(&["* ann asks you into room 1: /accept or /refuse, within 60 s"]);
        bob.types("/거절").reads(&["you do not come"]);
        ann.reads(&["* guest2 does not come"]).types("/invite guest2").reads(&["guest2 was asked to come"]);
        bob.reads(&["* ann asks you into room 1: /accept or /refuse, within 60 s"]);
        bob.types("/수락").reads(&["here: ann (1)", "you are in room 1, as number 2"]);
        ann.reads(&["* guest2 comes", "* guest2 (2) came"]);
        ann.types("/invite guest2").reads(&["you are in the same room already"]);
    });
}

#[test]
fn dice_are_told_to_the_room() {
    with_one_and_three_workers(|server| {
        let (mut ann, mut bob) = (Person::new(server, "guest1"), Person::new(server, "guest2"));
        ann.reads(&["* guest2 came"]);
        for (line, sides) in [("/dice 6", 6), ("/주사위 1", 1), ("/dice 4294967295", 4_294_967_295_u32)] {
            let told = ann.types(line).line();
            let number = told.strip_prefix("* guest1 rolls ").unwrap().strip_suffix(&format!(" of {sides}"));
            assert!((1..=sides).contains(&number.unwrap().parse().unwrap()), "{told}");
            assert_eq!(bob.line(), told);
        }
        for line in ["/dice", "/dice 0", "/dice -1", "/dice six", "/dice 4294967296"] {
            ann.types(line).reads(&["a die has 1 to 4294967295 sides: /dice 6"]);
        }
    });
}

#[test]
fn a_vote_closes_when_all_have_chosen_and_those_who_leave_do_not_count() {
    with_one_and_three_workers(|server| {
        let mut all: Vec<Person> = Vec::new();
        for number in 1..=3 {
            let mut person = Person::new(server, &format!("guest{number}"));
            person.types("/join 2");
            while !person.line().starts_with("you are in room") {}
            let came = format!("* guest{number} ({number}) came");
            for other in &mut all {
                other.reads(&[&came]);
            }
            all.push(person);
        }
        all[0].types("/vote soup").reads(&["no vote is open: /vote start QUESTION"]);
        all[0].types("/vote start lunch?");
        let asked = "* guest1 asks: lunch? (/vote CHOICE)";
        for person in &mut all {
            person.reads(&[asked]);
        }
        all[1].types("/투표시작 dinner?").reads(&["a vote is open already: /vote CHOICE"]);
        all[1].types("/vote rice").reads(&["you chose rice"]).types("/vote soup").reads(&["you chose soup"]);
        all[0].types("/투표 rice").reads(&["you chose rice"]);
        let gone = all.pop().unwrap();
        drop(gone);
        for person in &mut all {
            person.reads(&[
                "* guest3 (3) left",
                "* the vote is closed: lunch?",
                "* 1 for rice",
                "* 1 for soup",
            ]);
        }
        all[0].types("/vote soup").reads(&["no vote is open: /vote start QUESTION"]);
    });
}

#[test]
fn each_room_has_its_own_dice_and_one_vote_of_its_own() {
    with_one_and_three_workers(|server| {
        let (mut ann, mut bob) = (Person::new(server, "guest1"), Person::new(server, "guest2"));
        ann.reads(&["* guest2 came"]).types("/join 1").reads(&["you are in room 1, as number 1"]);
        bob.reads(&["* guest1 left"]).types("/join 2").reads(&["you are in room 2, as number 1"]);
        ann.types("/vote start lunch?").reads(&["* guest1 asks: lunch? (/vote CHOICE)"]);
        bob.types("/vote rice").reads(&["no vote is open: /vote start QUESTION"]);
        bob.types("/vote start dinner?").reads(&["* guest2 asks: dinner? (/vote CHOICE)"]);
        bob.types("/dice 1").reads(&["* guest2 rolls 1 of 1"]);
        ann.types("/vote soup").reads(&["you chose soup", "* the vote is closed: lunch?", "* 1 for soup"]);
        bob.types("/vote rice").reads(&["you chose rice", "* the vote is closed: dinner?", "* 1 for rice"]);
    });
}

#[test]
fn limits_are_told_in_words_and_nobody_else_hears() {
    with_one_and_three_workers(|server| {
        let (mut ann, mut bob) = (Person::new(server, "guest1"), Person::new(server, "guest2"));
        ann.reads(&["* guest2 came"]);
        ann.types(&"x".repeat(127)).reads(&["a line has 1 to 126 bytes, and that one has 127"]);
        ann.types("").reads(&["a line has 1 to 126 bytes"]);
        ann.types(&"x".repeat(2000)).reads(&["that line is too long: 1024 bytes is the most"]);
        ann.types("/nick 0123456789abcdefg").reads(&["a name has 1 to 16 bytes"]);
        bob.types("/nick 0123456789abcdef").reads(&["you are 0123456789abcdef"]);
        ann.reads(&["* guest2 is now 0123456789abcdef"]);
        bob.types("/nick guest2").reads(&["you are guest2"]);
        ann.reads(&["* 0123456789abcdef is now guest2"]);
        ann.types("/nick two words").reads(&["a name has no blanks, nothing unseen, and no \\"]);
        ann.types(&format!("/msg guest2 {}", "x".repeat(127)))
            .reads(&["a line has 1 to 126 bytes, and that one has 127"]);
        ann.types("/nothing").reads(&["there is no /nothing: /help says what there is"]);
        ann.0.get_mut().write_all(b"\xff\n").unwrap();
        ann.reads(&["that line is not UTF-8 text"]);
        ann.types("//who").reads(&["guest1: /who"]);
        bob.reads(&["guest1: /who"]);
        let long = "x".repeat(126);
        ann.types(&long).reads(&[&format!("guest1: {long}")]);
        bob.reads(&[&format!("guest1: {long}")]);
        // What would move the cursor does not.
        ann.types("a\x1b[2Jb").reads(&["guest1: a\u{fffd}[2Jb"]);
        ann.types("/help");
        let help: Vec<String> = (0..15).map(|_| ann.line()).collect();
        assert!(help[0].contains("/nick") && help[14].starts_with("anything else"), "{help:?}");
    });
}
