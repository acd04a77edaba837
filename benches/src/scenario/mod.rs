//! Whole servers under load: each in a process of its own on one core, the load in another on another core.
//!
//! The bench starts itself again for each process and tells it its [`Role`]. A server prints its address and serves until
//! its standard input ends; a load prints what it measured.

use std::env;
use std::error::Error;

use serde::{Deserialize, Serialize};

pub mod echo_load;
pub mod echo_server;
pub mod fanout_load;
pub mod fanout_server;
pub mod histogram;
pub mod idle_load;
pub mod idle_server;
pub mod options;
pub mod process;
pub mod wrapped_load;
pub mod wrapped_server;

/// What a process of a bench is for.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Role {
    /// Sends back what comes.
    EchoServer(echo_server::Kind),
    /// Sends to such a server, and measures.
    EchoLoad(echo_load::Load),
    /// Sends what its first peer says to all others.
    FanoutServer(fanout_server::Kind),
    /// Speaks and listens at such a server, and measures.
    FanoutLoad(fanout_load::Load),
    /// Keeps sessions that hardly ever say something.
    IdleServer(idle_server::Kind),
    /// Opens them, and measures what they cost.
    IdleLoad(idle_load::Load),
    /// Sends back what comes under TLS or behind WebSocket.
    WrappedServer(wrapped_server::Kind, wrapped_server::Certificate),
    /// Sends to such a server, and measures.
    WrappedLoad(wrapped_load::Load),
}

impl Role {
    /// The role that this process was given, if it was started by a bench.
    ///
    /// # Errors
    /// When there is one, which it does not understand.
    pub fn given() -> Result<Option<Self>, Box<dyn Error>> {
        match env::var(ROLE) {
            Ok(role) => Ok(Some(serde_json::from_str(&role)?)),
            Err(_) => Ok(None),
        }
    }

    /// Does what the role says. A server does not return.
    ///
    /// # Errors
    /// Any, which end the process.
    pub fn play(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::EchoServer(kind) => echo_server::run(kind),
            Self::EchoLoad(load) => process::say(&load.run()?),
            Self::FanoutServer(kind) => fanout_server::run(kind),
            Self::FanoutLoad(load) => process::say(&load.run()?),
            Self::IdleServer(kind) => idle_server::run(kind),
            Self::IdleLoad(load) => process::say(&load.run()?),
            Self::WrappedServer(kind, certificate) => wrapped_server::run(kind, &certificate),
            Self::WrappedLoad(load) => process::say(&load.run()?),
        }
    }
}

/// Tells a process its role.
const ROLE: &str = "NETCORE_BENCHES_ROLE";
