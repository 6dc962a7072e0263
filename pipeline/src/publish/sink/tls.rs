//! TLS towards a broker: rustls with ring.

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use usher_config::publish::Tls;

/// Why TLS cannot be set up; a person must mend it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read as PEM.
    #[error("{path} holds no readable {what} ({reason}); check publish.broker.tls.{key}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// The key that names it.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Only one of two.
    #[error(
        "a client certificate needs its key and a key its certificate; give both publish.broker.tls.certificate and publish.broker.tls.key, or neither"
    )]
    Half,
    /// Certificate and key do not fit.
    #[error(
        "the client certificate {path} is refused ({reason}); check that publish.broker.tls.certificate and publish.broker.tls.key belong together"
    )]
    Pair {
        /// The certificate.
        path: PathBuf,
        /// What is wrong.
        reason: rustls::Error,
    },
    /// No authorities on this machine.
    #[error("this machine has no certificate authorities; install ca-certificates or set publish.broker.tls.ca")]
    NoRoots,
}

fn certificates(path: &Path, key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let error = |reason: String| TlsError::File { path: path.to_owned(), what: "certificate", key, reason };
    let read = CertificateDer::pem_file_iter(path).map_err(|e| error(e.to_string()))?;
    let certificates = read.collect::<Result<Vec<_>, _>>().map_err(|e| error(e.to_string()))?;
    if certificates.is_empty() { Err(error("no PEM section".into())) } else { Ok(certificates) }
}

/// How to speak TLS with a broker.
///
/// # Errors
/// When a file is missing or damaged, or certificate and key do not fit.
pub(crate) fn client(tls: &Tls) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &tls.ca {
        for certificate in certificates(path, "ca")? {
            roots.add(certificate).map_err(|e| TlsError::File {
                path: path.clone(),
                what: "certificate",
                key: "ca",
                reason: e.to_string(),
            })?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows TLS 1.2 and 1.3")
        .with_root_certificates(roots);
    let config = match (&tls.certificate, &tls.key) {
        (None, None) => config.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate, "certificate")?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| TlsError::File {
                path: key.clone(),
                what: "private key",
                key: "key",
                reason: e.to_string(),
            })?;
            let paired = config.with_client_auth_cert(chain, key);
            paired.map_err(|reason| TlsError::Pair { path: certificate.clone(), reason })?
        }
        _ => return Err(TlsError::Half),
    };
    Ok(Arc::new(config))
}
