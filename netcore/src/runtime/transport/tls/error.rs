//! What is wrong with certificates and keys.

use std::io;
use std::path::PathBuf;

/// Certificates or a key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {}", .path.display(), in_words(.source))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate in the file, or in the bytes.
    #[error("{place} has no certificate: it must hold PEM with BEGIN CERTIFICATE")]
    NoCertificate {
        /// The file, or "the PEM".
        place: String,
    },
    /// There is no key in the file, or in the bytes.
    #[error("{place} has no private key: it must hold PEM with BEGIN PRIVATE KEY, and no password")]
    NoKey {
        /// The file, or "the PEM".
        place: String,
    },
    /// It begins like PEM and is none.
    #[error("{place} is not readable as PEM: {why}")]
    Pem {
        /// The file, or "the PEM".
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Certificate and key do not fit each other, or are of a kind that is not known.
    #[error("{place} cannot be used: {why}")]
    Unusable {
        /// The files, or what they are.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The certificates came from memory.
    #[error("there is no file to read again: the certificates came from memory")]
    NotFromFiles,
    /// A server name that is none.
    #[error("`{0}` is neither a host name nor an address")]
    ServerName(String),
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read by this user".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}
