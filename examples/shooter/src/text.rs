//! The arena in lines of text: seven messages, their words separated by spaces.

use std::str::{FromStr, SplitAsciiWhitespace};

use netcore::{Lines, TextProtocol};

use crate::{Event, Kind};

/// The protocol of the text door.
///
/// ```
/// use netcore::TextProtocol;
/// use shooter::{Event, TextLines};
///
/// let spawn = TextLines.parse("SPAWN 7 100 1e2 100.0")?;
/// assert_eq!(spawn, Event::Spawn { id: 7, x: 100.0, y: 100.0, hp: 100.0 });
/// assert!(TextLines.parse("SPAWN 7 NaN 100 100").is_err());
/// # Ok::<_, String>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TextLines;

impl TextProtocol for TextLines {
    type In = Event;
    type Out = Event;

    fn parse(&mut self, line: &str) -> Result<Event, String> {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        let mut words = Words { name, words };
        let event = match name {
            "SPAWN" => Event::Spawn {
                id: words.int("id")?,
                x: words.float("x")?,
                y: words.float("y")?,
                hp: words.float("hp")?,
            },
            "POS" => Event::Pos {
                id: words.int("id")?,
                x: words.float("x")?,
                y: words.float("y")?,
                vx: words.float("vx")?,
                vy: words.float("vy")?,
                aim_x: words.float("aimx")?,
                aim_y: words.float("aimy")?,
            },
            "FIRE" => Event::Fire {
                id: words.int("id")?,
                bullet: words.int("bullet_id")?,
                x: words.float("x")?,
                y: words.float("y")?,
                vx: words.float("vx")?,
                vy: words.float("vy")?,
                r: words.float("r")?,
                dmg: words.float("dmg")?,
            },
            "HIT" => Event::Hit {
                attacker: words.int("atk_id")?,
                defender: words.int("def_id")?,
                bullet: words.int("bullet_id")?,
                hp: words.float("def_final_hp")?,
            },
            "KILL" => Event::Kill { attacker: words.int("atk_id")?, defender: words.int("def_id")? },
            "PUTITEM" => Event::PutItem {
                item: words.int("item_id")?,
                x: words.float("x")?,
                y: words.float("y")?,
                kind: words.kind()?,
            },
            "GETITEM" => {
                Event::GetItem { id: words.int("id")?, item: words.int("item_id")?, kind: words.kind()? }
            }
            _ => return Err("a line begins with SPAWN, POS or FIRE".to_owned()),
        };
        match words.words.next() {
            None => Ok(event),
            Some(_) => Err(format!("{name}: there is more on the line than belongs there")),
        }
    }

    fn print(&self, event: &Event, lines: &mut Lines<'_>) {
        match event {
            Event::Spawn { id, x, y, hp } => lines.line(format_args!("SPAWN {id} {x} {y} {hp}")),
            Event::Pos { id, x, y, vx, vy, aim_x, aim_y } => {
                lines.line(format_args!("POS {id} {x} {y} {vx} {vy} {aim_x} {aim_y}"));
            }
            Event::Fire { id, bullet, x, y, vx, vy, r, dmg } => {
                lines.line(format_args!("FIRE {id} {bullet} {x} {y} {vx} {vy} {r} {dmg}"));
            }
            Event::Hit { attacker, defender, bullet, hp } => {
                lines.line(format_args!("HIT {attacker} {defender} {bullet} {hp}"));
            }
            Event::Kill { attacker, defender } => lines.line(format_args!("KILL {attacker} {defender}")),
            Event::PutItem { item, x, y, kind } => {
                lines.line(format_args!("PUTITEM {item} {x} {y} {}", kind.word()));
            }
            Event::GetItem { id, item, kind } => {
                lines.line(format_args!("GETITEM {id} {item} {}", kind.word()));
            }
            Event::Refused { why } => self.refuse(why, lines),
            // The protocol has no word for them.
            Event::Name { .. }
            | Event::Score { .. }
            | Event::Left { .. }
            | Event::Ping { .. }
            | Event::Pong { .. } => {}
        }
    }

    fn refuse(&self, words: &str, lines: &mut Lines<'_>) {
        lines.line(format_args!("ERROR {words}"));
    }
}

struct Words<'a> {
    name: &'a str,
    words: SplitAsciiWhitespace<'a>,
}

impl Words<'_> {
    fn int(&mut self, field: &str) -> Result<i32, String> {
        self.read(field, "a whole number of 32 bits")
    }

    fn float(&mut self, field: &str) -> Result<f32, String> {
        let number: f32 = self.read(field, "a number")?;
        // `NaN`, `inf` and 1e999 are floats to Rust.
        if number.is_finite() { Ok(number) } else { Err(self.wrong(field, "a finite number")) }
    }

    fn kind(&mut self) -> Result<Kind, String> {
        let word = self.words.next().unwrap_or_default();
        Kind::from_word(word).ok_or_else(|| self.wrong("kind", "GUN, BIGGUN, SHOTGUN or MINIGUN"))
    }

    fn read<T: FromStr>(&mut self, field: &str, what: &str) -> Result<T, String> {
        let word = self.words.next().ok_or_else(|| format!("{}: {field} is missing", self.name))?;
        word.parse().map_err(|_| self.wrong(field, what))
    }

    fn wrong(&self, field: &str, what: &str) -> String {
        format!("{}: {field} must be {what}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use netcore::{Adapter, Text};
    use proptest::prelude::*;

    use super::*;

    fn printed(event: &Event) -> String {
        let mut bytes = BytesMut::new();
        Text::new(TextLines).encode(event, &mut bytes).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn each_of_the_seven_lines_is_read_and_written() {
        for line in [
            "SPAWN 1 100 200.5 100",
            "POS 1 100 200 -30 0.25 400 300",
            "FIRE 1 7 100 200 600 0 3 25",
            "HIT 1 2 7 75",
            "KILL 1 2",
            "PUTITEM 4 10 20 BIGGUN",
            "GETITEM 1 4 MINIGUN",
        ] {
            assert_eq!(printed(&TextLines.parse(line).unwrap()), format!("{line}\n"));
        }
    }

    #[test]
    fn floats_come_as_clients_write_them() {
        for x in ["100", "100.0", "1e2", "+100", "1.0E+2", "100.", "0100"] {
            let event = TextLines.parse(&format!("SPAWN 1 {x} 5 100"));
            assert_eq!(event, Ok(Event::Spawn { id: 1, x: 100.0, y: 5.0, hp: 100.0 }), "{x}");
        }
        for x in ["NaN", "nan", "inf", "-Infinity", "1e39", "", "0x10", "1,5", "ten"] {
            assert!(TextLines.parse(&format!("SPAWN 1 5 5 {x}")).is_err(), "{x}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (line, words) in [
            ("", "a line begins with SPAWN, POS or FIRE"),
            ("JUMP 1", "a line begins with SPAWN, POS or FIRE"),
            ("spawn 1 2 3 4", "a line begins with SPAWN, POS or FIRE"),
            ("SPAWN 1 2 3", "SPAWN: hp is missing"),
            ("SPAWN 1 2 3 4 5", "SPAWN: there is more on the line than belongs there"),
            ("SPAWN one 2 3 4", "SPAWN: id must be a whole number of 32 bits"),
            ("SPAWN 1.5 2 3 4", "SPAWN: id must be a whole number of 32 bits"),
            ("SPAWN 99999999999 2 3 4", "SPAWN: id must be a whole number of 32 bits"),
            ("POS 1 x 3 4 5 6 7", "POS: x must be a number"),
            ("FIRE 1 2 3 4 inf 6 7 8", "FIRE: vx must be a finite number"),
            ("GETITEM 1 2 SWORD", "GETITEM: kind must be GUN, BIGGUN, SHOTGUN or MINIGUN"),
        ] {
            assert_eq!(TextLines.parse(line), Err(words.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_is_not_in_the_protocol_is_no_line() {
        assert_eq!(printed(&Event::Left { id: 1 }), "");
        assert_eq!(printed(&Event::Name { id: 1, name: "ann".into() }), "");
        assert_eq!(printed(&Event::Refused { why: "no\nKILL 1 2".into() }), "ERROR no KILL 1 2\n");
    }

    proptest! {
        #[test]
        fn any_line_is_an_event_or_words(line in "\\PC{0,60}") {
            if let Err(words) = TextLines.parse(&line) {
                prop_assert!(!words.is_empty());
            }
        }

        #[test]
        fn what_is_written_is_read_again(id: i32, bullet: i32, x in -1e6..1e6_f32, dmg: f32) {
            prop_assume!(dmg.is_finite());
            let event = Event::Fire { id, bullet, x, y: 0.0, vx: -x, vy: 1e-3, r: 3.0, dmg };
            prop_assert_eq!(TextLines.parse(printed(&event).trim_end()), Ok(event));
        }
    }
}
