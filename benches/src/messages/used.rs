//! What is done with a value that was decoded, so that all of it must exist.

use std::hint::black_box;

use super::{ChatLine, Inventory, Item, Move, RawPacket};

/// Takes the value out of its `Result` and shows it to the optimizer. The error is taken too, as by a server that tells
/// of it: a `Result` that is left to be dropped as a whole keeps even a good value from being taken apart.
#[inline(always)]
pub fn taken<T, E>(decoded: Result<T, E>) -> bool {
    match decoded {
        Ok(value) => {
            black_box(&value);
            true
        }
        Err(error) => {
            drop(error);
            false
        }
    }
}

/// As [`taken`], and all fields of the value are used, as a game does that matches on its packets.
#[inline(always)]
pub fn used<T: Used, E>(decoded: Result<T, E>) -> bool {
    match decoded {
        Ok(value) => {
            black_box(value.sum());
            true
        }
        Err(error) => {
            drop(error);
            false
        }
    }
}

/// A message all of whose fields can be used.
pub trait Used {
    /// The sum of all numbers and of the lengths of all texts: the least that can be done with every field.
    fn sum(&self) -> u64;
}

impl Used for Move {
    #[inline]
    fn sum(&self) -> u64 {
        [self.x, self.y, self.z, self.vx, self.vy, self.vz]
            .into_iter()
            .fold(u64::from(self.id), |sum, float| sum.wrapping_add(u64::from(float.to_bits())))
    }
}

impl Used for ChatLine {
    #[inline]
    fn sum(&self) -> u64 {
        self.user_id.wrapping_add((self.name.len() + self.text.len()) as u64)
    }
}

impl Used for Inventory {
    #[inline]
    fn sum(&self) -> u64 {
        let one = |item: &Item| item.item_id ^ item.count ^ item.slot ^ u32::from(item.equipped);
        self.items.iter().fold(0, |sum, item| sum.wrapping_add(u64::from(one(item))))
    }
}

impl Used for RawPacket {
    #[inline]
    fn sum(&self) -> u64 {
        match self {
            Self::Move(message) => message.sum(),
            Self::Chat(message) => message.sum(),
            Self::Inventory(message) => message.sum(),
        }
    }
}
