//! Certificates made for one test.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use netcore::{ClientTls, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedKey, DnType, IsCa, KeyPair, date_time_ymd,
    generate_simple_self_signed,
};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring};

/// A certificate for `localhost` and 127.0.0.1 that vouches for itself.
pub(crate) struct Certificate(CertifiedKey<KeyPair>);

impl Certificate {
    pub(crate) fn new() -> Self {
        Self::of(&["localhost", "127.0.0.1"])
    }

    /// A certificate for other names.
    pub(crate) fn of(names: &[&str]) -> Self {
        Self(
            generate_simple_self_signed(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
                .unwrap(),
        )
    }

    /// The certificate of an authority, as `openssl req -x509` makes it when it is told nothing else.
    pub(crate) fn of_authority() -> Self {
        Self::with(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
    }

    /// One that was valid in that year.
    pub(crate) fn of_year(year: i32) -> Self {
        Self::with(|params| {
            (params.not_before, params.not_after) = (date_time_ymd(year, 1, 1), date_time_ymd(year, 12, 31));
        })
    }

    /// One that calls itself otherwise than the others here.
    pub(crate) fn of_somebody(name: &str) -> Self {
        Self::with(|params| params.distinguished_name.push(DnType::CommonName, name))
    }

    fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        let signing_key = KeyPair::generate().unwrap();
        Self(CertifiedKey { cert: params.self_signed(&signing_key).unwrap(), signing_key })
    }

    pub(crate) fn pem(&self) -> String {
        self.0.cert.pem()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.0.signing_key.serialize_pem()
    }

    pub(crate) fn server(&self) -> Tls {
        Tls::from_der([self.0.cert.der().to_vec()], self.0.signing_key.serialize_der()).unwrap()
    }

    pub(crate) fn client(&self) -> ClientTls {
        ClientTls::with_roots_der([self.0.cert.der().to_vec()]).unwrap()
    }

    /// A server that is rustls's alone.
    pub(crate) fn rustls_server(&self) -> tokio_rustls::TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.0.signing_key.serialize_der()).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(vec![self.0.cert.der().clone()], key).unwrap()).into()
    }

    /// A client that is rustls's alone.
    pub(crate) fn rustls(&self) -> tokio_rustls::TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.cert.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Arc::new(config.with_no_client_auth()).into()
    }
}

/// A folder that is gone after the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("netcore-doors-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
