//! TLS: certificates of a door, roots of a client.

mod error;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::tls_anyone::Anyone;
use super::tls_stream::Records;
use crate::session::{CloseReason, TlsFault};
pub use error::TlsError;

/// What a [`Door`](crate::Door::tls) shows to who connects: its certificate, and the key to it. TLS 1.2 and 1.3.
///
/// ```no_run
/// use netcore::{Door, Frame, Tls};
///
/// # fn main() -> Result<(), netcore::TlsError> {
/// let tls = Tls::from_files("fullchain.pem", "privkey.pem")?;
/// let door: Door<Frame, Frame> = Door::tcp("0.0.0.0:11020").tls(tls.clone());
/// // Whenever the certificate was renewed: whoever connects from now on is shown the new one.
/// tls.reload()?;
/// # Ok(())
/// # }
/// ```
///
/// A clone is another handle of the same certificate.
///
/// For development, a certificate that vouches for itself, so that it is also what the client's
/// [roots](ClientTls::with_roots_file) are:
///
/// ```sh
/// openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout key.pem -out cert.pem -subj /CN=localhost \
///     -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE
/// ```
///
/// The last of these is what openssl leaves out by itself: the certificate of an authority is not taken for a server's.
#[derive(Clone)]
pub struct Tls {
    // Where to read it again.
    files: Option<Arc<(PathBuf, PathBuf)>>,
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

/// What a [client](crate::ClientOptions::tls) takes for the server's certificate. TLS 1.2 and 1.3.
///
/// There are no roots by default: they are given, be they the game's own or the system's.
///
/// ```no_run
/// use netcore::{Client, ClientTls, Frame};
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let tls = ClientTls::with_roots_file("/etc/ssl/certs/ca-certificates.crt")?;
/// let client = Client::<Frame, Frame>::options().tls(tls).connect("game.example:11020").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    /// A certificate with those that lead from it to a root, and its key, from PEM files.
    ///
    /// # Errors
    /// When a file cannot be read, has nothing of what it should, or the two do not fit.
    pub fn from_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let files = (certificates.as_ref().to_owned(), key.as_ref().to_owned());
        let config = load(&files)?;
        Ok(Self { files: Some(Arc::new(files)), config: Arc::new(RwLock::new(config)) })
    }

    /// The same from PEM in memory.
    ///
    /// # Errors
    /// When there is nothing of what there should be, or the two do not fit.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let place = "the PEM".to_owned();
        let config = config(certificates_in(certificates, &place)?, key_in(key, &place)?, place)?;
        Ok(Self { files: None, config: Arc::new(RwLock::new(config)) })
    }

    /// The same from DER in memory: the certificate, then those that lead to a root; the key as PKCS #8, PKCS #1 or SEC1.
    ///
    /// # Errors
    /// When they cannot be read, or do not fit.
    pub fn from_der(certificates: impl IntoIterator<Item = Vec<u8>>, key: Vec<u8>) -> Result<Self, TlsError> {
        let certificates = certificates.into_iter().map(CertificateDer::from).collect();
        let place = "the DER".to_owned();
        let key = PrivateKeyDer::try_from(key)
            .map_err(|why| TlsError::Unusable { place: "the key".to_owned(), why: why.to_owned() })?;
        Ok(Self { files: None, config: Arc::new(RwLock::new(config(certificates, key, place)?)) })
    }

    /// Reads the files again, for who connects from now on. On an error all stays as it was.
    ///
    /// It blocks for as long as reading two small files takes.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files), and when there are no files.
    pub fn reload(&self) -> Result<(), TlsError> {
        let files = self.files.as_ref().ok_or(TlsError::NotFromFiles)?;
        let config = load(files)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Does the server's part. The error may leave the stream, on which an alert went out.
    pub(crate) async fn accept<S>(&self, stream: S) -> Result<Records<S>, (CloseReason, S)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        let accepted = TlsAcceptor::from(config).accept(stream).into_fallible().await;
        accepted.map(Records::new).map_err(|(error, stream)| (handshake_reason(&error), stream))
    }
}

impl ClientTls {
    /// Takes certificates that a root in that PEM file vouches for.
    ///
    /// # Errors
    /// When the file cannot be read or has no certificate.
    pub fn with_roots_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        let place = path.display().to_string();
        Self::with_roots(certificates_in(&read(path)?, &place)?, &place)
    }

    /// The same from PEM in memory.
    ///
    /// # Errors
    /// When there is no certificate.
    pub fn with_roots_pem(certificates: &[u8]) -> Result<Self, TlsError> {
        Self::with_roots(certificates_in(certificates, "the PEM")?, "the PEM")
    }

    /// The same from DER in memory.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn with_roots_der(certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, TlsError> {
        Self::with_roots(certificates.into_iter().map(CertificateDer::from).collect(), "the DER")
    }

    /// Takes any certificate, and so anyone for the server: for tests on one's own machine.
    #[must_use]
    pub fn danger_accept_any_certificate() -> Self {
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Anyone(provider));
        Self::with(|builder| {
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        })
    }

    /// The name that the certificate must be for, and that the server is asked for: a host name or an address. Unless it
    /// is set, the host that the client was told to connect to; over a stream that is connected already there is none.
    ///
    /// # Errors
    /// When it is neither.
    pub fn server_name(mut self, name: &str) -> Result<Self, TlsError> {
        let parsed = ServerName::try_from(name.to_owned());
        self.server_name = Some(parsed.map_err(|_| TlsError::ServerName(name.to_owned()))?);
        Ok(self)
    }

    fn with_roots(certificates: Vec<CertificateDer<'static>>, place: &str) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate).map_err(|error| unusable(place, &error))?;
        }
        Ok(Self::with(|builder| builder.with_root_certificates(roots).with_no_client_auth()))
    }

    fn with(
        finish: impl FnOnce(rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>) -> ClientConfig,
    ) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        #[allow(clippy::expect_used, reason = "no peer is here yet, and ring has both versions")]
        let builder = builder.with_safe_default_protocol_versions().expect("ring speaks TLS 1.2 and 1.3");
        Self { config: Arc::new(finish(builder)), server_name: None }
    }

    /// The server's name, where it has one.
    #[cfg(feature = "websocket")]
    pub(crate) fn host(&self) -> Option<String> {
        Some(self.server_name.as_ref()?.to_str().into_owned())
    }

    /// Does the client's part. `target`: the host that was asked for, and the address that answered.
    pub(crate) async fn connect<S>(&self, stream: S, target: Option<(&str, IpAddr)>) -> io::Result<Records<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let told = || {
            let (host, ip) = target?;
            // A host that no certificate can be for, like an address with a zone.
            Some(ServerName::try_from(host.to_owned()).unwrap_or_else(|_| ip.into()))
        };
        let Some(name) = self.server_name.clone().or_else(told) else {
            let words = "the server has no name to ask for: give it one with `ClientTls::server_name`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        };
        Ok(Records::new(TlsConnector::from(self.config.clone()).connect(name, stream).await?))
    }
}

fn load((certificates, key): &(PathBuf, PathBuf)) -> Result<Arc<ServerConfig>, TlsError> {
    let place = certificates.display().to_string();
    let both = format!("{place} with the key {}", key.display());
    let chain = certificates_in(&read(certificates)?, &place)?;
    config(chain, key_in(&read(key)?, &key.display().to_string())?, both)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

fn certificates_in(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() => Err(TlsError::NoCertificate { place: place.to_owned() }),
        Ok(all) => Ok(all),
        Err(error) => Err(not_pem(&error, place)),
    }
}

fn key_in(pem: &[u8], place: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { place: place.to_owned() },
        error => not_pem(&error, place),
    })
}

fn not_pem(error: &pem::Error, place: &str) -> TlsError {
    let why = match error {
        pem::Error::MissingSectionEnd { .. } => "it ends in the middle of a section".to_owned(),
        pem::Error::Base64Decode(_) => "what stands in a section is not Base64".to_owned(),
        error => error.to_string(),
    };
    TlsError::Pem { place: place.to_owned(), why }
}

fn config(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    place: String,
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key));
    Ok(Arc::new(config.map_err(|error| unusable(&place, &error))?))
}

fn unusable(place: &str, error: &rustls::Error) -> TlsError {
    let why = match error {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".to_owned(),
        error => error.to_string(),
    };
    TlsError::Unusable { place: place.to_owned(), why }
}

/// Why a handshake failed. What cannot be read there was no TLS, mostly.
fn handshake_reason(error: &io::Error) -> CloseReason {
    match inner(error) {
        Some(rustls::Error::InvalidMessage(_)) => TlsFault::NotTls.into(),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => CloseReason::PeerClosed,
        _ => super::reason(error),
    }
}

/// What is wrong with the peer's TLS, if that is what an error says.
pub(super) fn fault(error: &io::Error) -> Option<TlsFault> {
    use rustls::Error as E;
    Some(match inner(error)? {
        E::PeerIncompatible(_) | E::NoApplicationProtocol => TlsFault::Incompatible,
        E::AlertReceived(_) => TlsFault::Alert,
        E::InvalidCertificate(_) | E::NoCertificatesPresented | E::UnsupportedNameType => {
            TlsFault::Certificate
        }
        _ => TlsFault::Broken,
    })
}

fn inner(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}
