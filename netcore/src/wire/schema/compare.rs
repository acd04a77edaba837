//! Where two schemas differ first.

use std::{cmp::Ordering, fmt};

use super::canonical::{Way, Within, in_order, plain, put_packet, put_type};
use super::runs::{Place, in_common, places, runs};
use super::{By, PacketSchema, Schema, Shared, Struct, Type};
use crate::PacketId;

/// The first place where two schemas differ on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The packet's id.
    pub id: PacketId,
    /// The packet's name, ours where both have it.
    pub packet: Shared<str>,
    /// The field's name, with those of the structs around it; empty where the packet itself differs.
    pub field: String,
    /// What is here, in words.
    pub here: String,
    /// What is there, in words.
    pub there: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} {}", self.id, &*self.packet)?;
        if !self.field.is_empty() {
            write!(f, ", field {}", self.field)?;
        }
        write!(f, ": here {}, there {}", self.here, self.there)
    }
}

impl Schema {
    /// The first packet and field, by packet id, in which `other` differs from this schema on the wire; `None` when the
    /// two agree, which is when their [fingerprints](Self::fingerprint) do.
    ///
    /// ```
    /// use netcore::{Packet, PacketId};
    ///
    /// #[derive(Packet)]
    /// enum Ours {
    ///     #[packet(id = 1)]
    ///     Move { x: f32, y: f32 },
    /// }
    ///
    /// #[derive(Packet)]
    /// enum Theirs {
    ///     #[packet(id = 1)]
    ///     Move { x: f32, y: f64 },
    ///     #[packet(id = 2)]
    ///     Stop,
    /// }
    ///
    /// let first = Ours::SCHEMA.compare(Theirs::SCHEMA).unwrap();
    /// assert_eq!((first.id, &*first.field), (PacketId(1), "y"));
    /// assert_eq!(first.to_string(), "packet 1 Move, field y: here f32, there f64");
    /// ```
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Difference> {
        let (ours, theirs) = (self.by_id(), other.by_id());
        let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(here), Some(there)) => here.id.cmp(&there.id),
            };
            let found = match order {
                Ordering::Equal => {
                    ours.next().zip(theirs.next()).and_then(|(here, there)| compare_packets(here, there))
                }
                Ordering::Less => ours.next().map(|here| one_sided(here, THIS, NONE)),
                Ordering::Greater => theirs.next().map(|there| one_sided(there, NONE, THIS)),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

fn one_sided(packet: &PacketSchema, here: &str, there: &str) -> Difference {
    Difference {
        id: packet.id,
        packet: packet.name.clone(),
        field: String::new(),
        here: here.into(),
        there: there.into(),
    }
}

fn compare_packets(here: &PacketSchema, there: &PacketSchema) -> Option<Difference> {
    let bytes = |packet| {
        let mut out = Vec::new();
        put_packet(&mut out, packet);
        out
    };
    if bytes(here) == bytes(there) {
        return None;
    }
    let (field, words) = if here.format == there.format {
        let within = Within::packet(here.way());
        first_of((&here.body, within), (&there.body, within))
    } else {
        (String::new(), (here.format.to_string(), there.format.to_string()))
    };
    Some(Difference { id: here.id, packet: here.name.clone(), field, here: words.0, there: words.1 })
}

type Found = (String, (String, String));

/// A type, and where it stands.
type At<'a> = (&'a Type, Within<'a>);

/// The path of the first field that differs, and both sides in words; `None` where nothing does.
fn compare_types(here: At<'_>, there: At<'_>) -> Option<Found> {
    let bytes = |(ty, within)| {
        let mut out = Vec::new();
        put_type(&mut out, ty, within, &[]);
        out
    };
    (bytes(here) != bytes(there)).then(|| first_of(here, there))
}

/// The same for types that are known to differ: a peer may nest them deep, and to find that out anew at each level
/// would take as much longer.
fn first_of((here, within): At<'_>, (there, other_within): At<'_>) -> Found {
    let way = within.way;
    let inside = |name, a: &Type, b: &Type| {
        let (path, words) = first_of((a, within), (b, other_within));
        Some((under(name, &path), words))
    };
    let inner = match (here, there) {
        (Type::Struct(Struct { by: By::Position, .. }), _)
        | (_, Type::Struct(Struct { by: By::Position, .. }))
            if way == Way::Raw =>
        {
            compare_places(here, there)
        }
        (Type::Struct(a), Type::Struct(b)) => {
            let ((by, fields), (other_by, others)) = (in_order(a, way), in_order(b, way));
            let (within, other_within) = (within.of(&a.name), other_within.of(&b.name));
            if by == other_by { compare_fields(by, (&fields, within), (&others, other_within)) } else { None }
        }
        (Type::List { item: a, len }, Type::List { item: b, len: other }) if len == other => {
            inside("[]", a, b)
        }
        (Type::Array { item: a, count }, Type::Array { item: b, count: other }) if count == other => {
            inside("[]", a, b)
        }
        (Type::Option(a), Type::Option(b)) => inside("", a, b),
        (Type::Map { key: ka, value: a }, Type::Map { key: kb, value: b }) if ka == kb => inside("{}", a, b),
        (Type::Enum(a), Type::Enum(b)) if a.by == b.by && a.tag == b.tag => {
            let (within, other_within) = (within.of(&a.name), other_within.of(&b.name));
            a.variants.iter().find_map(|ours| {
                let same = |theirs: &&super::Variant| match a.by {
                    By::Name => theirs.name == ours.name,
                    By::Position | By::Number => theirs.tag == ours.tag,
                };
                let theirs = b.variants.iter().find(same)?;
                let found = compare_types((&ours.body, within), (&theirs.body, other_within))?;
                Some((under(&ours.name, &found.0), found.1))
            })
        }
        _ => None,
    };
    inner.unwrap_or_else(|| (String::new(), (here.to_string(), there.to_string())))
}

/// Raw bodies have places rather than fields: each side may have put them together into other structs and arrays.
fn compare_places(here: &Type, there: &Type) -> Option<Found> {
    let common = in_common(&runs(here, &[]), &runs(there, &[]))?;
    let (ours, theirs) = (places(here), places(there));
    let at = |value| {
        let found = |places: &'_ [Place<'_>]| places.iter().position(|place| place.holds(value));
        (found(&ours).and_then(|at| ours.get(at)), found(&theirs).and_then(|at| theirs.get(at)))
    };
    let (mut a, mut b) = at(common);
    // Of two arrays that differ in length one has ended where the other goes on.
    let begun = [a, b].into_iter().flatten().map(|place| place.start).min()?;
    if let (Some(first), Some(second)) = at(begun)
        && let (Type::Array { .. }, Type::Array { .. }) = (first.ty, second.ty)
        && first.start == second.start
    {
        (a, b) = (Some(first), Some(second));
    }
    if let (Some(a), Some(b)) = (a, b)
        && a.start == b.start
        && let Some((path, words)) =
            compare_types((a.ty, Within::packet(Way::Raw)), (b.ty, Within::packet(Way::Raw)))
    {
        return Some((under(&a.name_in(here), &path), words));
    }
    let ours = a.map(|place| place.name_in(here));
    let name = ours.or_else(|| b.map(|place| place.name_in(there)))?;
    let words =
        |place: Option<&Place<'_>>| place.map_or_else(|| NOTHING.to_owned(), |place| place.ty.to_string());
    Some((name, (words(a), words(b))))
}

fn compare_fields(
    by: By,
    (here, within): (&[super::Field], Within<'_>),
    (there, other_within): (&[super::Field], Within<'_>),
) -> Option<Found> {
    let (mut ours, mut theirs) = (here.iter().peekable(), there.iter().peekable());
    loop {
        let order = match (ours.peek(), theirs.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => match by {
                By::Position => Ordering::Equal,
                By::Name => a.name.cmp(&b.name),
                By::Number => a.number.cmp(&b.number),
            },
        };
        match order {
            Ordering::Equal => {
                let (Some(a), Some(b)) = (ours.next(), theirs.next()) else { return None };
                if let Some((path, words)) =
                    compare_types((plain(&a.ty, by), within), (plain(&b.ty, by), other_within))
                {
                    return Some((under(&a.name, &path), words));
                }
            }
            Ordering::Less => {
                return ours
                    .next()
                    .map(|field| (field.name.to_string(), (field.ty.to_string(), NOTHING.into())));
            }
            Ordering::Greater => {
                return theirs
                    .next()
                    .map(|field| (field.name.to_string(), (NOTHING.into(), field.ty.to_string())));
            }
        }
    }
}

fn under(name: &str, path: &str) -> String {
    match path {
        "" => name.to_owned(),
        // The body behind a request number has no name of its own.
        path if name.is_empty() => path.to_owned(),
        path if path.starts_with(['[', '{']) => format!("{name}{path}"),
        path => format!("{name}.{path}"),
    }
}

// What a difference says where one side has a packet, or a field, and the other has not.
const THIS: &str = "this packet";
pub(crate) const NONE: &str = "none with its id";
pub(crate) const NOTHING: &str = "nothing";
