//! Where the API server is, what it is to know, and the key that makes this a game server in its eyes.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ::api::{Client, UrlError};
use support::At;

/// The flags of a server that lets users in by the tokens of an API server.
#[derive(clap::Args, Clone, PartialEq, Eq, Debug)]
pub struct ApiFlags {
    /// An API server: users log in with its tokens in place of a password, and it sends them here. Without it, any unused
    /// name may log in.
    #[arg(long = "api", value_name = "URL")]
    pub url: Option<String>,
    /// A file with the key that game servers share with the API server; without one it is in API_KEY, in the environment.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub api_key_file: Option<PathBuf>,
    /// Where users reach this server, for the API server's list: HOST for all doors, or DOOR=HOST:PORT for one; may be
    /// given more than once, for each one time. Without it, where it listens.
    #[arg(long, value_name = "HOST", requires = "url")]
    pub public: Vec<Public>,
    /// How long a log-in may wait for the API server, in milliseconds: 1 to 60000.
    #[arg(long, value_name = "MS", default_value_t = ApiFlags::default().api_ms, requires = "url", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=60_000))]
    pub api_ms: u32,
    /// How many log-ins may wait for it at once: 1 to 65536.
    #[arg(long, value_name = "N", default_value_t = ApiFlags::default().api_logins, requires = "url", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=65_536))]
    pub api_logins: u32,
    /// Of how many users it is told that they have come: those who were let in and are in no room yet, 1 to 8192. The seat
    /// that it keeps for one over the bound is free when its time is up.
    #[arg(long, value_name = "N", default_value_t = ApiFlags::default().api_coming, requires = "url", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=8192))]
    pub api_coming: u32,
}

impl Default for ApiFlags {
    fn default() -> Self {
        Self {
            url: None,
            api_key_file: None,
            public: Vec::new(),
            api_ms: 5000,
            api_logins: 256,
            api_coming: 8192,
        }
    }
}

impl ApiFlags {
    /// A handle on the API server, if there is one. The key is read now: another one takes a restart.
    pub(crate) fn client(&self) -> Result<Option<Client>, SetupError> {
        let Some(url) = &self.url else { return Ok(None) };
        let client = Client::new(url).map_err(SetupError::Url)?;
        let (key, from) = match &self.api_key_file {
            Some(file) => {
                let from = file.display().to_string();
                match support::read_file(file) {
                    Ok(key) => (key, from),
                    Err(why) => return Err(SetupError::Key { from, why }),
                }
            }
            None => match std::env::var(KEY_VARIABLE) {
                Ok(key) => (key, KEY_VARIABLE.to_owned()),
                Err(_) => return Err(SetupError::NoKey),
            },
        };
        match client.key(&key) {
            Ok(client) => Ok(Some(client)),
            Err(why) => Err(SetupError::Key { from, why: why.to_string() }),
        }
    }

    /// Refuses two addresses for one thing: users are told one.
    pub(crate) fn check_public(&self) -> Result<(), SetupError> {
        let mut said = HashSet::new();
        for public in &self.public {
            let (of, whose) = match public {
                Public::Host(_) => (None, "all doors".to_owned()),
                Public::Door(name, _) => (Some(name), format!("the door {name}")),
            };
            if !said.insert(of) {
                return Err(SetupError::Twice(whose));
            }
        }
        Ok(())
    }

    /// Where users reach a door that listens there.
    pub(crate) fn public_address(&self, door: &str, listens: SocketAddr) -> Result<String, SetupError> {
        let of_door = self.public.iter().find_map(|public| match public {
            Public::Door(name, address) if name == door => Some(address.clone()),
            _ => None,
        });
        let of_all = || {
            self.public.iter().find_map(|public| match public {
                Public::Host(host) => Some(format!("{host}:{}", listens.port())),
                Public::Door(..) => None,
            })
        };
        match of_door.or_else(of_all) {
            Some(address) => Ok(address),
            None if listens.ip().is_unspecified() => {
                Err(SetupError::Nowhere { door: door.to_owned(), listens })
            }
            None => Ok(listens.to_string()),
        }
    }
}

/// A value of `--public`: where users reach the server, if not where it listens.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Public {
    /// All doors, each at its own port: a name, an IPv4 address or an IPv6 address in brackets.
    Host(String),
    /// One door: its name, and the address.
    Door(String, String),
}

impl FromStr for Public {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "it takes a HOST, or DOOR=HOST:PORT";
        // The API server takes 255 visible ASCII characters.
        if text.len() > 200 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong);
        }
        match text.split_once('=') {
            Some((door, address)) if !door.is_empty() && At::is_place(address) => {
                Ok(Self::Door(door.to_owned(), address.to_owned()))
            }
            None if At::is_place(&format!("{text}:1")) => Ok(Self::Host(text.to_owned())),
            _ => Err(wrong),
        }
    }
}

/// Why a server cannot work with that API server. All of these are the operator's to change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// That is no address.
    #[error("--api is {0}")]
    Url(UrlError),
    /// There is no key.
    #[error("--api needs the key of game servers: --api-key-file FILE, or {KEY_VARIABLE} in the environment")]
    NoKey,
    /// That is no key.
    #[error("cannot use the api key in {from}: {why}")]
    Key {
        /// The file, or the variable.
        from: String,
        /// What is wrong with it.
        why: String,
    },
    /// A door listens everywhere, so that it is not known where users reach it.
    #[error("--api needs --public HOST: the door {door} listens at {listens}, where nobody reaches it")]
    Nowhere {
        /// Which.
        door: String,
        /// Where.
        listens: SocketAddr,
    },
    /// `--public` names a door that is not open.
    #[error("--public names the door {0}, which is not open")]
    NoSuchDoor(String),
    /// `--public` is given more than once for the same.
    #[error("--public is given more than once for {0}")]
    Twice(String),
}

/// Where the key is, if in no file.
const KEY_VARIABLE: &str = "API_KEY";

#[cfg(test)]
mod tests {
    use super::*;

    fn public(values: &[&str]) -> ApiFlags {
        let public = values.iter().map(|value| value.parse().unwrap()).collect();
        ApiFlags { public, ..ApiFlags::default() }
    }

    #[test]
    fn users_are_told_where_they_reach_a_door_and_not_where_it_listens() {
        let at = |text: &str| text.parse().unwrap();
        let told = |flags: &ApiFlags, listens| flags.public_address("raw", at(listens)).unwrap();
        assert_eq!(told(&public(&[]), "10.0.0.7:11021"), "10.0.0.7:11021");
        assert_eq!(told(&public(&["chat.example"]), "0.0.0.0:11021"), "chat.example:11021");
        assert_eq!(told(&public(&["[2001:db8::1]"]), "[::]:7"), "[2001:db8::1]:7");
        let both = public(&["chat.example", "raw=edge.example:443"]);
        assert_eq!(told(&both, "0.0.0.0:11021"), "edge.example:443");
        assert_eq!(both.public_address("text", at("0.0.0.0:5")).unwrap(), "chat.example:5");
        for everywhere in ["0.0.0.0:7", "[::]:7"] {
            let nowhere = public(&["text=a:1"]).public_address("raw", at(everywhere)).unwrap_err();
            assert!(nowhere.to_string().contains("--public HOST"), "{nowhere}");
        }
    }

    #[test]
    fn a_door_has_one_public_address() {
        let words = |values: &[&str]| public(values).check_public().map_err(|error| error.to_string());
        assert_eq!(words(&["a", "raw=a:1", "text=a:1"]), Ok(()));
        let twice = |what| Err(format!("--public is given more than once for {what}"));
        assert_eq!(words(&["a", "raw=a:1", "b"]), twice("all doors"));
        assert_eq!(words(&["raw=a:1", "raw=b:2"]), twice("the door raw"));
    }

    #[test]
    fn a_public_address_is_a_host_or_the_address_of_a_door() {
        for good in ["a", "chat.example", "10.0.0.7", "[::1]", "raw=a:1", "raw=[::1]:65535"] {
            assert!(good.parse::<Public>().is_ok(), "{good}");
        }
        let long = "x".repeat(201);
        for wrong in
            ["", "a:1", "::1", "raw=", "raw=a", "=a:1", "raw=off", "raw=a:0", "two words", "한", &long]
        {
            assert!(wrong.parse::<Public>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn without_a_url_there_is_no_api_server_and_with_one_there_is_a_key_that_is_never_shown() {
        assert!(ApiFlags::default().client().unwrap().is_none());
        let file = std::env::temp_dir().join(format!("lobby-key-{}", std::process::id()));
        let with = |url: &str, key: &str| {
            std::fs::write(&file, key).unwrap();
            let flags = ApiFlags {
                url: Some(url.to_owned()),
                api_key_file: Some(file.clone()),
                ..ApiFlags::default()
            };
            flags.client().map(Option::unwrap)
        };
        let client = with("http://127.0.0.1:8000", "a-key-of-game-servers\n").unwrap();
        assert!(!format!("{client:?}").contains("a-key"));
        let short = with("http://127.0.0.1:8000", "short-key").unwrap_err().to_string();
        assert!(short.contains("lobby-key") && !short.contains("short-key"), "{short}");
        let url = with("http://ann:secret@127.0.0.1", "a-key-of-game-servers").unwrap_err().to_string();
        assert!(url.contains("--api") && !url.contains("secret"), "{url}");
        std::fs::remove_file(&file).unwrap();
        let flags = ApiFlags {
            url: Some("http://a".into()),
            api_key_file: Some(file.clone()),
            ..ApiFlags::default()
        };
        assert!(matches!(flags.client(), Err(SetupError::Key { .. })), "no such file");
    }
}
