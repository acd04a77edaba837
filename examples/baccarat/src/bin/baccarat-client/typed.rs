//! What people type.

use baccarat::Side;
use lobby::Name;

/// What a line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Typed {
    Say(String),
    Start,
    Bet(Side),
    Whisper(Name, String),
    Join(i32),
    Leave,
    Who,
    Help,
    Quit,
    Nothing,
}

/// Reads a line; else in words why it cannot be.
pub(crate) fn read(line: &str) -> Result<Typed, String> {
    let line = line.trim();
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(if line.is_empty() { Typed::Nothing } else { Typed::Say(line.to_owned()) });
    };
    // Two of them are one that is said.
    if rest.starts_with('/') {
        return Ok(Typed::Say(rest.to_owned()));
    }
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    Ok(match word {
        "start" | "s" => Typed::Start,
        "player" | "p" => Typed::Bet(Side::Player),
        "banker" | "b" => Typed::Bet(Side::Banker),
        "tie" | "t" => Typed::Bet(Side::Tie),
        "msg" => {
            let whisper = rest
                .split_once(char::is_whitespace)
                .and_then(|(who, text)| Some(Typed::Whisper(Name::read(who)?, text.trim().to_owned())));
            whisper.ok_or("a whisper: /msg WHO TEXT")?
        }
        "join" | "j" => Typed::Join(rest.parse().map_err(|_| "another room: /join NUMBER")?),
        "leave" => Typed::Leave,
        "who" | "w" => Typed::Who,
        "help" | "h" | "?" => Typed::Help,
        "quit" | "q" => Typed::Quit,
        _ => return Err(format!("there is no /{word}: /help says what there is")),
    })
}

pub(crate) const HELP: &str = "\
/start            begins a game; who has been in the room longest may
/player, /banker  bets 20 chips on that side, /tie on a tie where the server allows it
/who              who is here, and what they have bet
/msg WHO TEXT     says something to one user, in any room
/join ROOM        goes into another room
/leave, /quit     leaves the room; ends
/s /p /b /t /w /j /q are short for them; anything else is said to the room";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_unless_it_begins_with_a_slash() {
        assert_eq!(read("  all on the banker! "), Ok(Typed::Say("all on the banker!".into())));
        assert_eq!(read("//start"), Ok(Typed::Say("/start".into())));
        assert_eq!(read(" \t"), Ok(Typed::Nothing));
        for (line, side) in [("/p", Side::Player), ("/banker", Side::Banker), (" /t  now", Side::Tie)] {
            assert_eq!(read(line), Ok(Typed::Bet(side)));
        }
        assert_eq!(read("/join -5"), Ok(Typed::Join(-5)));
        let bob = Name::new(b"bob").unwrap();
        assert_eq!(read("/msg bob  on what? "), Ok(Typed::Whisper(bob, "on what?".into())));
        // As it is shown.
        let two = Name::new(b"two words").unwrap();
        assert_eq!(read("/msg two\\swords hi"), Ok(Typed::Whisper(two, "hi".into())));
        for line in ["/", "/jump", "/join", "/join x", "/msg bob", "/msg a-name-that-is-too-long hi"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
