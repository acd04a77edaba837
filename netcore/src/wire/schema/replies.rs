//! Whether what requests declare as their replies can come at all. The compiler runs this.

use super::words::Words;
use super::{PacketSchema, Schema, Shared};
use crate::{Packet, PacketId};

/// Stops the build where the `reply` of one packet of `Out` is no packet that `In` could take for the answer. It does so at
/// the place that calls this, which the derive lays at the attribute.
#[track_caller]
#[allow(clippy::panic, reason = "the compiler's panic, not the program's")]
pub const fn check_reply<In: Packet, Out: Packet>(ask: u16) {
    if In::CLOSED_SET
        && let Some(ask) = find(Out::SCHEMA, PacketId(ask))
        && let Some(words) = fault(Out::SCHEMA, ask, In::SCHEMA)
    {
        panic!("{}", words.as_str());
    }
}

/// As [`check_reply`], for every packet of an `Out` that is written by hand.
#[track_caller]
pub const fn check_replies<In: Packet, Out: Packet>() {
    let mut left = packets(Out::SCHEMA);
    while let [ask, rest @ ..] = left {
        check_reply::<In, Out>(ask.id.0);
        left = rest;
    }
}

/// What is wrong with a packet's reply, and what to do.
const fn fault(asks: &Schema, ask: &PacketSchema, answers: &Schema) -> Option<Words> {
    // No `?`: this is the compiler's.
    let Some(reply) = ask.reply else { return None };
    let Some(answer) = find(answers, reply) else {
        return Some(no_such_packet(asks, ask, reply, answers));
    };
    // WIRE §8: "The answer of a numbered packet is numbered too".
    if ask.numbered == answer.numbered {
        return None;
    }
    let (with, without) = if ask.numbered {
        (named(Words::new(), asks, ask), named(Words::new(), answers, answer))
    } else {
        (named(Words::new(), answers, answer), named(Words::new(), asks, ask))
    };
    let words = with.say(" is `numbered`, and ").say(without.as_str());
    Some(words.say(" is not, though one answers the other: make both `numbered`, or neither"))
}

const fn no_such_packet(asks: &Schema, ask: &PacketSchema, reply: PacketId, answers: &Schema) -> Words {
    let words = named(Words::new(), asks, ask).say(" has `reply = ").number(reply).say("`, and `");
    let words = words.say(text(&answers.name)).say("` has no packet ").number(reply);
    let words = match find(asks, reply) {
        Some(own) => named(words.say(" ("), asks, own).say(" is one, of the wrong direction)"),
        None => words,
    };
    words
        .say(": write the id of the packet of `")
        .say(text(&answers.name))
        .say("` that answers, or declare it there with `#[packet(id = ")
        .number(reply)
        .say(")]`")
}

/// `` `ToServer::Login` ``
const fn named(words: Words, schema: &Schema, packet: &PacketSchema) -> Words {
    words.say("`").say(text(&schema.name)).say("::").say(text(&packet.name)).say("`")
}

const fn find(schema: &Schema, id: PacketId) -> Option<&PacketSchema> {
    let mut left = packets(schema);
    while let [packet, rest @ ..] = left {
        if packet.id.0 == id.0 {
            return Some(packet);
        }
        left = rest;
    }
    None
}

const fn packets(schema: &Schema) -> &[PacketSchema] {
    match &schema.packets {
        Shared::Static(packets) => packets,
        // What the compiler sees is part of the program.
        Shared::Owned(_) => &[],
    }
}

const fn text(text: &Shared<str>) -> &str {
    match text {
        Shared::Static(text) => text,
        Shared::Owned(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, check_replies, packets};
    use crate::schema::Schema;
    use crate::{Frame, Packet, PacketId};

    /// What is wrong with the first reply that never comes.
    fn fault(asks: &Schema, answers: &Schema) -> Option<Words> {
        packets(asks).iter().find_map(|ask| super::fault(asks, ask, answers))
    }

    #[derive(Packet)]
    #[packet(crate = crate)]
    #[allow(dead_code)]
    enum ToServer {
        #[packet(id = 701, reply = 702)]
        Login,
        #[packet(id = 721, reply = 722, numbered)]
        Enter(u32),
        #[packet(id = 731)]
        Say,
    }

    /// Declares one enum of packets a line, and returns what is wrong with it as the answers to `ToServer`.
    macro_rules! faults {
        ($({ $($body:tt)* })*) => {
            [$({
                #[derive(Packet)]
                #[packet(crate = crate)]
                #[allow(dead_code)]
                enum ToClient { $($body)* }
                fault(ToServer::SCHEMA, ToClient::SCHEMA).map(|words| words.as_str().to_owned())
            }),*]
        };
    }

    #[test]
    fn replies_that_the_other_direction_has_are_good() {
        let good = faults! {
            { #[packet(id = 702)] LoggedIn, #[packet(id = 722, numbered)] Entered(u32) }
            { #[packet(id = 722, numbered)] Entered(u32), #[packet(id = 702)] LoggedIn { result: i16 }, #[packet(id = 9)] More }
        };
        assert_eq!(good, [None, None]);
    }

    #[test]
    fn a_reply_that_never_comes_is_named_with_what_to_do() {
        let [other_id, none_at_all, similar_id, numbered, no_number] = faults! {
            { #[packet(id = 703)] LoggedIn, #[packet(id = 722, numbered)] Entered(u32) }
            { #[packet(id = 702)] LoggedIn }
            { #[packet(id = 7022)] LoggedIn, #[packet(id = 70)] Entered }
            { #[packet(id = 702, numbered)] LoggedIn(u32), #[packet(id = 722, numbered)] Entered(u32) }
            { #[packet(id = 702)] LoggedIn, #[packet(id = 722)] Entered }
        }
        .map(Option::unwrap);
        let login = "`ToServer::Login` has `reply = 702`, and `ToClient` has no packet 702: write the id of the packet \
                     of `ToClient` that answers, or declare it there with `#[packet(id = 702)]`";
        assert_eq!((&*other_id, &*similar_id), (login, login));
        assert!(none_at_all.starts_with("`ToServer::Enter` has `reply = 722`, and "), "{none_at_all}");
        assert_eq!(
            [numbered, no_number],
            [
                "`ToClient::LoggedIn` is `numbered`, and `ToServer::Login` is not, though one answers the other: make both \
                 `numbered`, or neither",
                "`ToServer::Enter` is `numbered`, and `ToClient::Entered` is not, though one answers the other: make both \
                 `numbered`, or neither",
            ]
        );
    }

    #[derive(Packet)]
    #[packet(crate = crate)]
    #[allow(dead_code)]
    enum Both {
        #[packet(id = 1, reply = 2)]
        Ask,
        #[packet(id = 2)]
        Answer,
        #[packet(id = 65535, reply = 1)]
        More,
    }

    #[derive(Packet)]
    #[packet(crate = crate)]
    #[allow(dead_code)]
    enum Half {
        #[packet(id = 2)]
        Answer,
    }

    #[test]
    fn one_set_of_packets_may_be_both_directions() {
        const { check_replies::<Both, Both>() };
        Both::check_replies::<Both>();
        let half = fault(Both::SCHEMA, Half::SCHEMA).unwrap();
        assert_eq!(
            half.as_str(),
            "`Both::More` has `reply = 1`, and `Half` has no packet 1 (`Both::Ask` is one, of the wrong direction): \
             write the id of the packet of `Half` that answers, or declare it there with `#[packet(id = 1)]`"
        );
    }

    #[derive(Packet)]
    #[packet(crate = crate)]
    #[allow(dead_code)]
    enum Any {
        #[packet(id = 9)]
        Nine,
        #[packet(other)]
        Other(Frame),
    }

    #[test]
    fn a_set_that_takes_any_id_is_not_judged() {
        const { check_replies::<Frame, ToServer>() };
        ToServer::check_replies::<Any>();
        const { assert!(Both::CLOSED_SET && !Any::CLOSED_SET && !Frame::CLOSED_SET) };
    }

    #[test]
    fn text_that_is_too_long_is_cut_off() {
        let words = Words::new().say(&"a".repeat(510)).say("bcd").number(PacketId(65_535));
        assert_eq!(words.as_str(), "a".repeat(510) + "bc");
        // Inside a letter: other words, not none.
        let words = Words::new().say(&"ä".repeat(300)).say("b");
        assert_eq!(words.as_str(), "ä".repeat(256));
        let words = Words::new().say("a").say(&"ä".repeat(300));
        assert!(words.as_str().starts_with("a `reply` is no packet"), "{}", words.as_str());
    }
}
