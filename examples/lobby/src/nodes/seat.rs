//! A seat in a room that several nodes share.

use bytes::{BufMut, Bytes, BytesMut};
use netcore::cluster::{Bid, Claim, ClaimError, Holder};

use super::Nodes;
use super::picture::{Change, Elsewhere};
use super::tie::Tie;
use super::told::{Sitting, Told};
use crate::{Name, Who};

/// A seat that this node has claimed. Dropped, it is free, and the other nodes hear that whoever sat there has left, even
/// if they never came: somebody may have found them in a listing.
pub(crate) struct SharedSeat {
    // The claim goes before the others are told: whoever claims a seat after that does not find this one.
    claim: Option<Claim>,
    told: Told,
    sitting: Sitting,
    tie: Tie,
}

impl SharedSeat {
    /// Asks for a seat. The room is listened to first, so that whatever is said after the listing that comes with the claim
    /// is heard.
    pub(super) fn ask(
        nodes: &Nodes,
        index: u32,
        name: &Name,
    ) -> impl Future<Output = Result<Self, ClaimError>> + Send + use<> {
        let asked = Tie::new(nodes, index).map(|tie| {
            let cluster = nodes.of_room(index);
            let seat = cluster.next_id();
            let who = Who { user: seat, name: name.clone() };
            let number = nodes.0.settings.number(index);
            let most = nodes.0.settings.room_users.into();
            let bid = Bid::new(self::name(number, seat)).within(prefix(number), most).value(value(&who));
            (tie, Sitting::new(seat, &who), cluster.claim(bid))
        });
        async move {
            let (tie, sitting, claim) = asked.ok_or(ClaimError::TooMany)?;
            let claim = Some(claim.await?);
            Ok(Self { claim, told: Told::Went { seat: sitting.seat }, sitting, tie })
        }
    }

    /// The room user id.
    pub(crate) fn user(&self) -> u64 {
        self.sitting.user
    }

    pub(crate) fn number(&self) -> u64 {
        self.sitting.seat
    }

    pub(crate) fn sitting(&self) -> &Sitting {
        &self.sitting
    }

    /// Takes over who was there when the seat was granted.
    pub(crate) fn meet(&mut self) -> Change {
        let others = self.claim.as_ref().map(Claim::others).unwrap_or_default();
        let (me, asked) = (self.tie.nodes.me(), self.tie.asked);
        let change = self.tie.nodes.with(self.tie.index, |picture| picture.listed(me, others, asked, false));
        self.tie.met();
        change.unwrap_or_default()
    }

    /// The same seat under another name, with a room user id of its own.
    pub(crate) fn rename(&mut self, name: &Name) -> u64 {
        let nodes = &self.tie.nodes;
        let who = Who { user: nodes.of_room(self.tie.index).next_id(), name: name.clone() };
        self.sitting = Sitting::new(self.sitting.seat, &who);
        // Before the others are told: whoever asks later finds the new name, whoever asked before hears of it.
        if let Some(claim) = &self.claim {
            claim.set_value(value(&who));
        }
        nodes.tell_room(self.tie.index, &Told::Renamed(self.sitting.clone()));
        who.user
    }
}

impl Drop for SharedSeat {
    fn drop(&mut self) {
        drop(self.claim.take());
        self.tie.nodes.tell_room(self.tie.index, &self.told);
    }
}

impl std::fmt::Debug for SharedSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedSeat").field("sitting", &self.sitting).finish_non_exhaustive()
    }
}

/// The name of a seat among all nodes.
pub(super) fn name(number: i32, seat: u64) -> String {
    format!("{}{seat:x}", prefix(number))
}

/// How the names of a room's seats begin.
pub(super) fn prefix(number: i32) -> String {
    format!("{SEATS}{number}/")
}

/// What is kept with it.
pub(super) fn value(who: &Who) -> Bytes {
    let mut bytes = BytesMut::with_capacity(8 + Name::MAX);
    bytes.put_u64_le(who.user);
    bytes.put_slice(who.name.as_str().as_bytes());
    bytes.freeze()
}

/// Who has that seat; `None` if no node of this version claimed it.
pub(super) fn of(holder: &Holder) -> Option<Elsewhere> {
    let seat = u64::from_str_radix(holder.name.rsplit('/').next()?, 16).ok()?;
    let (user, name) = holder.value.split_first_chunk()?;
    let who = Who { user: u64::from_le_bytes(*user), name: Name::new(name)? };
    Some(Elsewhere { seat, who })
}

/// The room of that seat.
pub(super) fn room_of(holder: &Holder) -> Option<i32> {
    holder.name.strip_prefix(SEATS)?.split('/').next()?.parse().ok()
}

/// How the names of all seats begin.
pub(super) const SEATS: &str = "seat/";
