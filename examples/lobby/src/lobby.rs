//! The logic: who may say what, in which order it is judged, and who does it.

use std::collections::HashMap;

use netcore::{CloseReason, Context, Fault, FaultKind, Logic, PacketId, Rooms, SessionId};
use tokio::time::Instant;

use crate::game::{Place, Play, RoomOf};
use crate::held::Notices;
use crate::message::{Kind, User};
use crate::rate::Budget;
use crate::raw::ToServer;
use crate::settings::close_for;
use crate::{Code, Event, Game, Message, Name, Request, Shared};

/// One worker of a room server.
///
/// ```
/// use lobby::{Game, Lobby, Play, Settings, Shared, raw};
/// use netcore::{Binary, Client, Door, Server, SessionId};
///
/// /// Nothing is played: a chat.
/// struct Talk;
///
/// impl Game for Talk {
///     type Command = std::convert::Infallible;
///     type Event = std::convert::Infallible;
///     type Table = ();
///     type Alarm = ();
///
///     fn command(&mut self, _: &mut Play<'_, Self>, _: SessionId, command: Self::Command) {
///         match command {}
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let shared = Shared::new(Settings::default());
/// let (door, connector) = Door::memory(raw::door::<Talk>(Binary::new(), raw::no_packets, raw::no_words));
/// let server = Server::new().door(door).workers(2, move |_| Lobby::new(shared.clone(), Talk)).await?;
///
/// let client = Client::<raw::ToClient, raw::ToServer>::options().over(connector.connect()?);
/// let [id, password] = [raw::padded("ann"), raw::padded("secret")];
/// let answer = client.request(raw::ToServer::LogIn { id, password }).await?;
/// assert_eq!(answer, raw::ToClient::LogIn { result: 1 });
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Lobby<G: Game> {
    pub(crate) game: G,
    pub(crate) shared: Shared,
    pub(crate) users: HashMap<SessionId, User>,
    pub(crate) rooms: Rooms<Self, Name, G::Table>,
    // One room, of those at the doors for people: on worker 0.
    pub(crate) lounge: Rooms<Self, Name, G::Table>,
    // What came for sessions that are on their way here.
    pub(crate) coming: Notices<G>,
    // A timer runs, to look at who sits in the rooms that other nodes share.
    pub(crate) looking: bool,
    // When the other nodes could last be reached again.
    pub(crate) back: Option<Instant>,
}

impl<G: Game> Lobby<G> {
    /// A worker that plays `game` in its rooms. All workers of a server get the same `shared`.
    #[must_use]
    pub fn new(shared: Shared, game: G) -> Self {
        let settings = shared.settings();
        let rooms = Rooms::new(0..settings.rooms, settings.room_users.into());
        let lounge = Rooms::new(0..1, usize::MAX);
        let coming = Notices::new(&shared.counts);
        Self { game, shared, users: HashMap::new(), rooms, lounge, coming, looking: false, back: None }
    }

    /// Whether the session has a request left. If not, it is told so, and what it sent is not looked at.
    fn may(&mut self, ctx: &mut Context<Self>, session: SessionId) -> bool {
        let Some(user) = self.users.get_mut(&session) else { return false };
        let may = user.budget.take(ctx.now());
        if !may {
            self.refuse(ctx, session, Code::TooFast);
        }
        may
    }

    fn request(&mut self, ctx: &mut Context<Self>, session: SessionId, request: Request<G::Command>) {
        match request {
            Request::Ping(number) => drop(ctx.send(session, &Event::Pong(number))),
            Request::LogIn { name, password } => self.log_in(ctx, session, name, password),
            Request::Help => drop(ctx.send(session, &Event::Help)),
            Request::Quit => {
                ctx.send(session, &Event::Bye);
                ctx.close(session, CloseReason::Ended);
            }
            _ if self.name(session).is_none() => self.refuse(ctx, session, Code::NotLoggedIn),
            Request::Enter(number) => self.enter(ctx, session, number),
            Request::Leave => self.leave(ctx, session),
            Request::Chat(text) => self.chat(ctx, session, text),
            Request::Relay(bytes) => self.relay(ctx, session, bytes),
            Request::Whisper { to, text } => self.whisper(ctx, session, to, text),
            Request::Invite(to) => self.invite(ctx, session, to),
            Request::Answer { invite, accept } => self.answer(ctx, session, invite, accept),
            Request::Rename(name) => self.rename(ctx, session, name),
            Request::Join(number) => self.join(ctx, session, number),
            Request::Who => self.who_is_here(ctx, session),
            Request::Rooms => self.list_rooms(ctx, session),
            Request::Game(command) => match self.play(ctx, session) {
                Some((game, mut play)) => game.command(&mut play, session, command),
                None => self.refuse(ctx, session, Code::NotInRoom),
            },
        }
    }

    /// A body that does not decode: what comes before the body is judged first, and the answer is the request's own.
    fn malformed(&mut self, ctx: &mut Context<Self>, session: SessionId, id: PacketId) {
        let name = self.name(session);
        let code = Code::Body;
        let event = match id {
            ToServer::PING_ID => Event::Error(code),
            ToServer::LOG_IN_ID if name.is_some() => Event::LogIn(Code::InUse),
            ToServer::LOG_IN_ID => Event::LogIn(code),
            _ if name.is_none() => Event::Error(Code::NotLoggedIn),
            ToServer::ENTER_ID => {
                let code = self.in_room_already(session).unwrap_or(code);
                Event::Enter { code, room: 0, user: 0 }
            }
            ToServer::WHISPER_ID => Event::Whisper { code, to: None, text: String::new() },
            ToServer::ANSWER_ID => Event::Answer { code, accept: false },
            _ if self.place(session) == Place::Nowhere => Event::Error(Code::NotInRoom),
            ToServer::CHAT_ID => Event::Chat(code),
            ToServer::RELAY_ID => Event::Error(code),
            ToServer::INVITE_ID => Event::Invite { code, invite: 0, to: None },
            _ => {
                if let Some((game, mut play)) = self.play(ctx, session) {
                    game.malformed(&mut play, session, id);
                }
                return;
            }
        };
        ctx.send(session, &event);
    }

    /// Answers what has no answer of its own.
    pub(crate) fn refuse(&self, ctx: &mut Context<Self>, session: SessionId, code: Code) {
        ctx.send(session, &Event::Error(code));
    }

    pub(crate) fn name(&self, session: SessionId) -> Option<&Name> {
        self.users.get(&session)?.name.as_ref()
    }

    pub(crate) fn place(&self, session: SessionId) -> Place {
        self.users.get(&session).map_or(Place::Nowhere, |user| user.place)
    }

    /// The room that a session is in, the lounge included.
    pub(crate) fn room(&self, session: SessionId) -> Option<&RoomOf<G>> {
        match self.place(session) {
            Place::Room(index) => self.rooms.room(index),
            Place::Lounge => self.lounge.room(0),
            Place::Nowhere => None,
        }
    }

    /// The game, and the room that a session is in, for it to play with.
    pub(crate) fn play<'a>(
        &'a mut self,
        ctx: &'a mut Context<Self>,
        session: SessionId,
    ) -> Option<(&'a mut G, Play<'a, G>)> {
        let place = self.place(session);
        self.play_at(ctx, place)
    }

    pub(crate) fn play_at<'a>(
        &'a mut self,
        ctx: &'a mut Context<Self>,
        place: Place,
    ) -> Option<(&'a mut G, Play<'a, G>)> {
        let Self { game, shared, users, rooms, lounge, .. } = self;
        let room = match place {
            Place::Room(index) => rooms.room_mut(index)?,
            Place::Lounge => lounge.room_mut(0)?,
            Place::Nowhere => return None,
        };
        Some((game, Play { ctx, room, place, users, shared }))
    }
}

impl<G: Game> Logic for Lobby<G> {
    type In = Request<G::Command>;
    type Out = Event<G::Event>;
    type Message = Message<G>;

    fn opened(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let person = self.shared.people.is_some() && ctx.door_name(session) == self.shared.people;
        let user = User {
            person,
            name: None,
            place: Place::Nowhere,
            budget: Budget::new(self.shared.settings().requests_per_second, ctx.now()),
            claim: None,
            seat: None,
            enter_by: None,
        };
        self.users.insert(session, user);
        if person {
            self.welcome(ctx, session);
        }
    }

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, request: Self::In) {
        if self.may(ctx, session) {
            self.request(ctx, session, request);
        }
    }

    fn fault(&mut self, ctx: &mut Context<Self>, session: SessionId, fault: Fault) {
        if !self.may(ctx, session) {
            return;
        }
        match fault.kind() {
            FaultKind::Unknown(_) if self.name(session).is_none() => {
                self.refuse(ctx, session, Code::NotLoggedIn);
            }
            FaultKind::Unknown(_) => self.refuse(ctx, session, Code::UnknownId),
            FaultKind::Malformed { id, .. } => self.malformed(ctx, session, *id),
            // A person's line: the door tells them.
            _ => ctx.refuse(session, &fault),
        }
    }

    fn arrived(&mut self, ctx: &mut Context<Self>, session: SessionId, Message(baggage): Self::Message) {
        let Kind::Arrives(user, place) = baggage else { return };
        self.users.insert(session, *user);
        // Another node's claim may have turned out to be the older one on the way.
        self.give_way(ctx, session);
        self.sit(ctx, session, place);
        for event in self.coming.take(session) {
            ctx.send(session, &event);
        }
    }

    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, _: CloseReason) {
        self.get_up(ctx, session);
        // Its claims end behind the directory's: what another node or session is granted is free here.
        let _user = self.users.remove(&session);
        self.coming.take(session);
        let unanswered = self.shared.directory.release(session);
        self.invites_expired(ctx, unanswered);
    }

    fn message(&mut self, ctx: &mut Context<Self>, Message(message): Self::Message) {
        match message {
            Kind::Arrives(..) => {}
            Kind::Decided { session, name, verdict } => self.decided(ctx, session, name, verdict),
            Kind::EnterDeadline(session) => ctx.close(session, close_for(Code::EnterDeadline)),
            Kind::InviteDeadline(invite) => {
                let expired = self.shared.directory.expire(invite).map(|open| (invite, open));
                self.invites_expired(ctx, expired);
            }
            Kind::Deliver { to, event } => drop(self.deliver(ctx, to, event)),
            Kind::DeliverTo { to, event } => {
                if let Some((session, ..)) = self.shared.directory.find(&to) {
                    self.deliver(ctx, session, event);
                }
            }
            Kind::News(news) => self.news(ctx, news),
            Kind::Sought { session, why, found } => self.sought(ctx, session, why, found),
            Kind::Named { session, name, why, claim } => self.named(ctx, session, name, why, claim),
            Kind::Guest { session, guest } => self.guest_named(ctx, session, guest),
            Kind::Seat { session, index, why, seat } => self.seat_decided(ctx, session, index, why, seat),
            Kind::Rooms { session, rooms } => self.rooms_listed(ctx, session, rooms),
            Kind::Look => self.look_now(ctx),
            Kind::Listed { listed, remove } => self.listed(ctx, listed, remove),
            Kind::Alarm { place, group, alarm } => {
                if let Some((game, mut play)) = self.play_at(ctx, place)
                    && play.room.group() == group
                {
                    game.alarm(&mut play, alarm);
                }
            }
        }
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) {
        self.shared.leave_list();
        ctx.broadcast(&Event::Stopping);
    }
}

impl<G: Game> std::fmt::Debug for Lobby<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lobby").field("users", &self.users.len()).finish_non_exhaustive()
    }
}
