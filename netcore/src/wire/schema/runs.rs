//! A raw body as it is on the wire: runs of equal values one behind the other, whatever structs and arrays they are
//! grouped into.

use super::canonical::{Way, Within, by_code, put_type};
use super::{By, Len, Struct, Type};

/// So many equal values one behind the other.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Run {
    // No packet holds even 65,531 values, but a peer's schema may claim any number within any other: none is ever
    // counted out, and what is over the largest number counts as that.
    count: u64,
    what: What,
}

#[derive(Clone, PartialEq, Eq)]
enum What {
    /// A number, a bool, or text or bytes that need no other field, in its canonical form. In place, since it is these
    /// that are written out.
    Simple(Simple),
    /// Any other single value in its canonical form.
    Value(Vec<u8>),
    /// The items of an array, which are several values each.
    Group(Vec<Run>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Simple {
    bytes: [u8; 6],
    len: usize,
}

/// The runs of a raw type. `siblings` says where each field of the struct around it begins, if there is one.
pub(super) fn runs(ty: &Type, siblings: &[u64]) -> Vec<Run> {
    let mut found = Runs::default();
    found.take(ty, siblings);
    written_out(&found.runs)
}

pub(super) fn put_runs(out: &mut Vec<u8>, runs: &[Run]) {
    if let [only] = runs {
        return only.put(out);
    }
    out.extend([10, by_code(By::Position)]);
    out.extend_from_slice(&(runs.len() as u64).to_le_bytes());
    runs.iter().for_each(|run| run.put(out));
}

/// How many values two bodies have in common before the first that differs; `None` if there is none that does.
pub(super) fn in_common(here: &[Run], there: &[Run]) -> Option<u64> {
    let (mut ours, mut theirs) = (here.iter(), there.iter());
    let mut common = 0u64;
    loop {
        let (a, b) = match (ours.next(), theirs.next()) {
            (None, None) => return None,
            (Some(a), Some(b)) => (a, b),
            _ => return Some(common),
        };
        if a.what == b.what {
            common = common.saturating_add(a.count.min(b.count).saturating_mul(a.what.width()));
        }
        if a != b {
            return Some(common);
        }
    }
}

/// A field that is no struct.
pub(super) struct Place<'a> {
    pub(super) ty: &'a Type,
    /// How many values come before it.
    pub(super) start: u64,
    width: u64,
    /// How many fields that are no structs come before it.
    at: usize,
}

impl Place<'_> {
    /// Whether the value behind `common` others is in it.
    pub(super) fn holds(&self, common: u64) -> bool {
        common.checked_sub(self.start).is_some_and(|within| within < self.width)
    }

    /// Its name in `body`, with the names of the structs around it.
    ///
    /// Made only of the one place that is told: thousands of fields in a peer's struct of a long name would otherwise
    /// each have a copy of that.
    pub(super) fn name_in(&self, body: &Type) -> String {
        let (mut path, mut left) = (Vec::new(), self.at);
        find(body, &mut left, &mut path);
        path.retain(|name| !name.is_empty());
        path.join(".")
    }
}

/// The places of a raw body.
pub(super) fn places(ty: &Type) -> Vec<Place<'_>> {
    let (mut places, mut start) = (Vec::new(), 0);
    add_places(ty, &mut start, &mut places);
    places
}

fn add_places<'a>(ty: &'a Type, start: &mut u64, places: &mut Vec<Place<'a>>) {
    if let Type::Struct(Struct { by: By::Position, fields, .. }) = ty {
        fields.iter().for_each(|field| add_places(&field.ty, start, places));
        return;
    }
    let mut own = Runs::default();
    own.take(ty, &[]);
    places.push(Place { ty, start: *start, width: own.width, at: places.len() });
    *start = start.saturating_add(own.width);
}

/// Whether the place behind `left` others is in `ty`; then `path` has the names of the fields on the way to it.
fn find<'a>(ty: &'a Type, left: &mut usize, path: &mut Vec<&'a str>) -> bool {
    let Type::Struct(Struct { by: By::Position, fields, .. }) = ty else {
        let found = *left == 0;
        *left = left.saturating_sub(1);
        return found;
    };
    fields.iter().any(|field| {
        path.push(&field.name);
        let found = find(&field.ty, left, path);
        if !found {
            path.pop();
        }
        found
    })
}

/// Runs while they are put together.
#[derive(Default)]
struct Runs {
    runs: Vec<Run>,
    /// How many values they are.
    width: u64,
}

impl Runs {
    fn take(&mut self, ty: &Type, siblings: &[u64]) {
        match ty {
            Type::Struct(Struct { by: By::Position, fields, .. }) => {
                let mut starts = Vec::with_capacity(fields.len());
                for field in fields.iter() {
                    starts.push(self.width);
                    self.take(&field.ty, &starts);
                }
            }
            Type::Array { item, count: 1 } => self.take(item, siblings),
            Type::Array { count: 0, .. } => {}
            Type::Array { item, count } => {
                let mut inner = Self::default();
                inner.take(item, siblings);
                let count = u64::from(*count);
                self.width = self.width.saturating_add(inner.width.saturating_mul(count));
                if inner.runs.len() > 1 {
                    push(&mut self.runs, Run { count, what: What::Group(inner.runs) });
                } else if let Some(only) = inner.runs.pop() {
                    push(&mut self.runs, Run { count: only.count.saturating_mul(count), ..only });
                }
            }
            value => {
                let mut bytes = Vec::new();
                put_type(&mut bytes, value, Within::packet(Way::Raw), siblings);
                self.width = self.width.saturating_add(1);
                push(&mut self.runs, Run { count: 1, what: What::of(value, bytes) });
            }
        }
    }
}

impl Run {
    fn put(&self, out: &mut Vec<u8>) {
        if self.count != 1 {
            out.push(7);
            out.extend_from_slice(&u32::try_from(self.count).unwrap_or(u32::MAX).to_le_bytes());
        }
        match &self.what {
            What::Simple(Simple { bytes, len }) => out.extend(bytes.iter().take(*len)),
            What::Value(bytes) => out.extend_from_slice(bytes),
            What::Group(runs) => put_runs(out, runs),
        }
    }
}

impl What {
    fn of(ty: &Type, canonical: Vec<u8>) -> Self {
        let simple = match ty {
            Type::Bool | Type::Int(_) | Type::Float { .. } => true,
            Type::Text(len) | Type::Bytes(len) => !matches!(len, Len::Field { .. }),
            _ => false,
        };
        let mut bytes = [0; 6];
        match bytes.get_mut(..canonical.len()) {
            Some(room) if simple => {
                room.copy_from_slice(&canonical);
                Self::Simple(Simple { bytes, len: canonical.len() })
            }
            _ => Self::Value(canonical),
        }
    }

    fn width(&self) -> u64 {
        match self {
            Self::Simple(_) | Self::Value(_) => 1,
            Self::Group(runs) => runs
                .iter()
                .fold(0, |sum: u64, run| sum.saturating_add(run.count.saturating_mul(run.what.width()))),
        }
    }
}

/// Adds a run; one of the same values as the last makes that longer.
fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.what == run.what => last.count = last.count.saturating_add(run.count),
        _ => runs.push(run),
    }
}

/// The same runs with the items of short arrays one behind the other, as if each were a field.
fn written_out(runs: &[Run]) -> Vec<Run> {
    let mut out = Vec::with_capacity(runs.len());
    for run in runs {
        let What::Group(items) = &run.what else {
            push(&mut out, run.clone());
            continue;
        };
        let items = written_out(items);
        let all = run.count.saturating_mul(items.len() as u64);
        if all <= WRITTEN_OUT && items.iter().all(|item| matches!(item.what, What::Simple(_))) {
            for _ in 0..run.count {
                items.iter().for_each(|item| push(&mut out, item.clone()));
            }
        } else {
            push(&mut out, Run { count: run.count, what: What::Group(items) });
        }
    }
    out
}

/// The most runs that an array is written out to: as many fields as anybody writes one by one. A peer's schema may hold
/// thousands of arrays, so that a thousand items of each would take seconds.
const WRITTEN_OUT: u64 = 64;
