use super::*;
use crate::Frame;

fn times(limits: &Limits) -> [Option<u64>; 2] {
    [limits.first_packet, limits.unfinished].map(|time| time.map(|time| time.as_secs()))
}

#[test]
fn a_text_door_keeps_its_own_defaults_for_what_the_limits_do_not_set() {
    let door = || Door::<String, String>::lines("127.0.0.1:0");
    assert_eq!(times(&door().limits), [None, None]);
    let queue = door().limits(Limits::new().queue(1000)).limits;
    assert_eq!((times(&queue), queue.queue), ([None, None], 1000));
    let second = Duration::from_secs(1);
    assert_eq!(times(&door().limits(Limits::new().first_packet(second)).limits), [Some(1), None]);
    assert_eq!(times(&door().limits(Limits::new().unfinished(second)).limits), [None, Some(1)]);
    // What was set to the value that it has anyway is set.
    let set = Limits::new().first_packet(second * 60).unfinished(second * 10);
    assert_eq!(times(&door().limits(set).limits), [Some(60), Some(10)]);
    // The last ones hold, all of them.
    let twice = door().limits(Limits::new().unfinished(second)).limits(Limits::new());
    assert_eq!(times(&twice.limits), [None, None]);
}

#[test]
fn what_has_the_defaults_of_people_is_what_is_spoken_not_the_transport() {
    let lines = || Text::new(PlainText::new());
    for door in [
        Door::<String, String>::tcp_with("127.0.0.1:0", lines()),
        Door::memory(lines()).0,
        Door::incoming(lines()).0,
    ] {
        assert_eq!(times(&door.limits), [None, None], "{}", door.name);
    }
    for door in [Door::<Frame, Frame>::memory(Binary::new()).0, Door::incoming(Binary::new()).0] {
        assert_eq!(times(&door.limits), [Some(60), Some(10)], "{}", door.name);
    }
}

#[test]
fn any_other_door_has_the_deadlines_unless_they_are_off() {
    let door = || Door::<Frame, Frame>::tcp("127.0.0.1:0");
    assert_eq!(times(&door().limits), [Some(60), Some(10)]);
    assert_eq!(times(&door().limits(Limits::new().queue(1000)).limits), [Some(60), Some(10)]);
    assert_eq!(times(&door().limits(Limits::new().first_packet(None)).limits), [None, Some(10)]);
}
