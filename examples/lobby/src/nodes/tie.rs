//! Listening to a room.

use super::Nodes;
use super::picture::Picture;

/// While there is one, the node listens to the room and keeps a picture of it.
pub(super) struct Tie {
    pub(super) nodes: Nodes,
    pub(super) index: u32,
    /// When it was tied, by the picture's clock: a listing that was asked for then is true of what was known before.
    pub(super) asked: u64,
    // A listing is under way.
    listing: bool,
}

impl Tie {
    /// To be tied before a listing is asked for. `None` if the node listens to as many topics as it may.
    pub(super) fn new(nodes: &Nodes, index: u32) -> Option<Self> {
        let mut rooms = nodes.lock();
        let picture = rooms.entry(index).or_insert_with(|| nodes.picture());
        if picture.ties == 0 {
            // Under the lock, so that it does not cross the end of the last one.
            if let Err(error) = nodes.of_room(index).subscribe(&nodes.topic(index)) {
                tracing::warn!(%error, "a room cannot be shared");
                rooms.remove(&index);
                return None;
            }
        }
        picture.ties += 1;
        let asked = picture.ask();
        Some(Self { nodes: nodes.clone(), index, asked, listing: true })
    }

    /// The listing was taken over.
    pub(super) fn met(&mut self) {
        if std::mem::take(&mut self.listing) {
            self.nodes.with(self.index, Picture::answered);
        }
    }
}

impl Drop for Tie {
    fn drop(&mut self) {
        self.met();
        let mut rooms = self.nodes.lock();
        let Some(picture) = rooms.get_mut(&self.index) else { return };
        picture.ties -= 1;
        if picture.ties == 0 {
            rooms.remove(&self.index);
            self.nodes.of_room(self.index).unsubscribe(&self.nodes.topic(self.index));
        }
    }
}
