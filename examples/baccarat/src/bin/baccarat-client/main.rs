//! A baccarat client for people: cards on a terminal.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod session;
mod typed;

use std::error::Error;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use baccarat::{Account, Place};
use lobby::Name;
use support::{Outcome, visible};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use crate::session::{Ended, Session, say};

/// Plays baccarat in a room of the baccarat server.
///
/// Lines are said to the room; `/help` names what else there is. With `--api`, an API server says where to play, and when
/// that server is gone, where to go on.
///
/// The exit code is 0 after /quit or the end of the input, 2 for wrong flags, when no server is there, when it refuses the
/// log-in, or when it closes the connection.
#[derive(clap::Parser)]
#[command(name = "baccarat-client", version)]
#[command(after_help = "Examples:\n  \
    baccarat-client --name ann --room 3\n  \
    baccarat-client --name ann --api http://127.0.0.1:8000 --password 'correct horse' --sign-up")]
struct Flags {
    /// Where the server's door is.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11024", conflicts_with = "api")]
    connect: String,
    /// Under which name to log in: 1 to 16 bytes.
    #[arg(long, value_parser = |text: &str| Name::new(text.as_bytes()).ok_or("it takes 1 to 16 bytes"))]
    name: Name,
    /// The password or token; of the account, with --api. A token may begin with a hyphen.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    password: String,
    /// The room to enter at once.
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with = "api")]
    #[arg(value_parser = support::number::<i32>(i32::MIN..=i32::MAX))]
    room: Option<i32>,
    /// An API server, http://HOST:PORT, that sends users to servers and rooms.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// Make the account at the API server first.
    #[arg(long, requires = "api")]
    sign_up: bool,
    /// Wait for others, and play in a room with them alone.
    #[arg(long = "match", requires = "api")]
    wants_match: bool,
    /// How long to wait until one is logged in, and at the end for the last answers, in milliseconds: 1 to 600000.
    #[arg(long, value_name = "MS", default_value_t = 10_000, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=600_000))]
    timeout_ms: u32,
}

fn main() -> ExitCode {
    support::main(play)
}

async fn play(flags: Flags) -> Outcome {
    let mut lines = support::typed();
    let mut session = Session::new(flags.name.clone(), Duration::from_millis(flags.timeout_ms.into()));
    match &flags.api {
        None => {
            session.enter(&flags.connect, flags.password, flags.room).await?;
            match session.play(&mut lines).await? {
                Ended::Typed => Ok(()),
                Ended::Lost(why) => Err(why.into()),
            }
        }
        Some(url) => play_where_sent(url, &flags, &mut session, &mut lines).await,
    }
}

/// Plays on another server when one is gone.
async fn play_where_sent(
    url: &str,
    flags: &Flags,
    session: &mut Session,
    lines: &mut Receiver<io::Result<String>>,
) -> Outcome {
    let mut account = Account::open(url, flags.name.as_str(), &flags.password, flags.sign_up, SOON).await?;
    loop {
        let place = if flags.wants_match {
            say("* waiting for others")?;
            account.group(PATIENCE).await?
        } else {
            seat(&mut account).await?
        };
        let Place { server, address, room, token, with } = place;
        let with: Vec<String> = with.iter().map(|user| seen(&user.name)).collect();
        let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(", ")) };
        say(&format!("* you are sent to room {room} at {}{with}", visible(&address)))?;
        let why = match session.enter(&address, token, Some(room)).await {
            Ok(()) => match session.play(lines).await? {
                Ended::Typed => return Ok(()),
                Ended::Lost(why) => why,
            },
            Err(error) => error.to_string(),
        };
        say(&visible(&format!("* {why}")))?;
        account.avoid(&server);
    }
}

/// The name of an account, as that of a user looks.
fn seen(account: &str) -> String {
    Name::new(account.as_bytes()).map_or_else(|| visible(account), |name| name.shown())
}

/// Asks for a seat, and says so if that takes long.
async fn seat(account: &mut Account) -> Result<Place, Box<dyn Error + Send + Sync>> {
    let mut asked = pin!(account.seat(SOON));
    if let Ok(place) = timeout(A_MOMENT, asked.as_mut()).await {
        return Ok(place?);
    }
    say("* there is no seat yet: asking on")?;
    Ok(asked.await?)
}

/// Who waits longer wonders.
const A_MOMENT: Duration = Duration::from_secs(1);
/// How long the API server may take.
const SOON: Duration = Duration::from_secs(10);
/// How long to wait for others.
const PATIENCE: Duration = Duration::from_secs(600);
