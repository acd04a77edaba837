//! What becomes of a packet whose peer reads too slowly.

/// What becomes of a packet when its peer reads too slowly.
///
/// The first quarter of the queue's bound is joined into one piece for the next write, whatever the policy. Behind that,
/// and while the transport takes nothing, droppable packets are kept apart.
///
/// What has been taken for a write is out of reach: up to 64 KiB, of which the transport of a peer that reads fast takes most at
/// once; as it takes less, about as much as it took lately, at least 2 KiB. Of packets with [`Latest`](Self::Latest), all that wait
/// are taken together, up to 64 KiB, so that each key has its turn: to who reads slowly, they come in order, and as old as it
/// takes to read one of each.
///
/// A system takes up to megabytes for a TCP peer that reads nothing, before the transport takes no more and a policy begins: what
/// is in there goes out as it is. [`Door::unsent`](crate::Door::unsent) makes that little.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Slow {
    /// It is never dropped: when there is no room for it, the session is closed. Droppable packets make room first.
    #[default]
    Disconnect,
    /// It is dropped when there is no room.
    DropNewest,
    /// The oldest droppable packets make room for it.
    DropOldest,
    /// It takes the place of a waiting packet with the same key: of positions, say, only the latest of each player. It
    /// goes to the end of the queue, so that nothing overtakes anything.
    ///
    /// A session has one space of keys for all kinds of packets: with the player's number as the key of two kinds, one would
    /// take the place of the other. Where there are several, a key has the kind in it:
    ///
    /// ```
    /// # use netcore::{Packet, Slow};
    /// #[derive(Packet)]
    /// enum ToClient {
    ///     #[packet(id = 1)]
    ///     At { who: u32, x: i32 },
    ///     #[packet(id = 2)]
    ///     Score { who: u32, points: u32 },
    ///     #[packet(id = 3)]
    ///     Died { who: u32 },
    /// }
    ///
    /// // For `Server::slow`.
    /// fn slow(packet: &ToClient) -> Slow {
    ///     let key = |who: u32| u64::from(packet.id().0) << 32 | u64::from(who);
    ///     match packet {
    ///         ToClient::At { who, .. } | ToClient::Score { who, .. } => Slow::Latest(key(*who)),
    ///         ToClient::Died { .. } => Slow::Disconnect,
    ///     }
    /// }
    /// # assert_ne!(slow(&ToClient::At { who: 1, x: 0 }), slow(&ToClient::Score { who: 1, points: 0 }));
    /// ```
    Latest(u64),
}

/// What became of a packet that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It waits for the peer, or is on its way.
    Queued,
    /// It was dropped: there is no room, and its policy says so.
    Dropped,
    /// The session is closing or gone.
    Closed,
    /// It cannot be encoded: a mistake of ours, which was logged.
    Refused,
}
