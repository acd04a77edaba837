//! What the code of `#[derive(Raw)]` calls for lists.

use super::raw_fields::{check_max, reason};
use super::{BodyError, BodyErrorKind, FixedSink, Reader, Sink};

/// `count` items of at least `min` bytes each, exactly as many if they are `fixed`. Memory follows what has come: a count that the bytes left cannot hold
/// is refused before anything is made.
#[inline]
pub fn read_list<T>(
    from: &mut Reader<'_>,
    count: usize,
    min: usize,
    fixed: bool,
    mut item: impl FnMut(&mut Reader<'_>, &mut Option<BodyError>) -> Option<T>,
) -> Result<Vec<T>, BodyError> {
    let need = count.saturating_mul(min);
    if need > from.remaining() {
        return Err(BodyError::new(BodyErrorKind::Short { need, have: from.remaining() }));
    }
    // An item can be far larger in memory than its fewest bytes on the wire, so only a little is made ahead.
    let mut items = Vec::with_capacity(count.min(MADE_AHEAD.div_ceil(size_of::<T>().max(1))));
    let mut refused = None;
    if fixed {
        // Pieces whose length the compiler knows: an item's own checks are gone.
        for piece in from.take(need)?.chunks_exact(min.max(1)) {
            match item(&mut from.piece(piece), &mut refused) {
                Some(item) => items.push(item),
                None => return Err(reason(refused)),
            }
        }
        return Ok(items);
    }
    for _ in 0..count {
        match item(from, &mut refused) {
            Some(item) => items.push(item),
            None => return Err(reason(refused)),
        }
    }
    Ok(items)
}

/// Items until the body ends.
#[inline]
pub fn read_list_rest<T>(
    from: &mut Reader<'_>,
    max: usize,
    mut item: impl FnMut(&mut Reader<'_>, &mut Option<BodyError>) -> Option<T>,
) -> Result<Vec<T>, BodyError> {
    let (mut items, mut refused) = (Vec::new(), None);
    while from.remaining() > 0 {
        check_max(items.len() + 1, max)?;
        match item(from, &mut refused) {
            Some(item) => items.push(item),
            None => return Err(reason(refused)),
        }
    }
    Ok(items)
}

/// The items of a list.
#[inline]
pub fn write_list<T, S: Sink>(
    items: &[T],
    to: &mut S,
    item: impl Fn(&T, &mut S) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    items.iter().try_for_each(|value| item(value, to))
}

/// The items of a list, each of a fixed layout of `size` bytes: room for all is made once, and each writes where it
/// stays.
#[inline]
pub fn write_list_fixed<T, S: Sink>(
    items: &[T],
    size: usize,
    to: &mut S,
    item: impl Fn(&T, &mut FixedSink<'_>) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let mut written = Ok(());
    to.fill(items.len().saturating_mul(size), |room| {
        written = room
            .chunks_exact_mut(size.max(1))
            .zip(items)
            .try_for_each(|(room, value)| item(value, &mut FixedSink::new(room)));
    });
    written
}

/// How many bytes of memory a list may take before its items have come.
const MADE_AHEAD: usize = 16 * 1024;
