//! Why a client has no TLS, in words for a person.

use std::io;

use tokio_rustls::rustls::{self, CertificateError as C, Error as E};

use crate::runtime::excerpt::excerpt;

/// What a failed handshake comes down to, and what to do.
pub(crate) fn in_words(error: &io::Error) -> String {
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "it closed the connection: has that door TLS (`Door::tls`)?".to_owned()
            }
            _ => error.to_string(),
        };
    };
    match cause {
        E::InvalidCertificate(cause) => certificate(cause),
        E::InvalidMessage(_) => "what it answered is no TLS: has that door TLS (`Door::tls`)?".to_owned(),
        // Some of the others quote what the server said.
        cause => excerpt(cause.to_string().as_bytes(), LONGEST),
    }
}

fn certificate(cause: &C) -> String {
    match cause {
        C::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(MOST_NAMES).map(|name| bare(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(" or ") };
            format!(
                "its certificate is for {}, not for {}: connect to it by such a name, or set `ClientTls::server_name`",
                excerpt(names.as_bytes(), LONGEST),
                expected.to_str(),
            )
        }
        C::UnknownIssuer => {
            "none of the given roots vouches for its certificate (`ClientTls::with_roots_file`)".to_owned()
        }
        C::BadSignature => {
            "the given root of that name has not signed its certificate, which may have been made anew \
             (`ClientTls::with_roots_file`)"
                .to_owned()
        }
        C::Expired | C::ExpiredContext { .. } => {
            "its certificate has expired: renew it, or set this machine's clock".to_owned()
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "its certificate is not valid yet: set this machine's clock, or the server's where it was made"
                .to_owned()
        }
        // webpki's own: rustls has no name for it.
        C::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is that of an authority (CA), not of a server: make one as `Tls` shows"
                .to_owned()
        }
        cause => format!("its certificate is not taken: {}", excerpt(cause.to_string().as_bytes(), LONGEST)),
    }
}

/// The name in `DnsName("localhost")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, name)| name.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

/// So many of a certificate's names, and so many letters of anything that a server sent.
const MOST_NAMES: usize = 5;
const LONGEST: usize = 200;
