//! The certificate that the station is served with: the site's own, or one that the box makes for itself.
//!
//! A tablet shows its camera only to pages that came over TLS. The box's own certificate is made at first start, kept in the
//! data folder and renewed before it ends, together with an authority of its own whose key is thrown away: nobody can make
//! another certificate with it. Browsers ask once whether to trust it, or the site installs `tls/ca.crt` on its tablets.

use crate::web::enrol::StartError;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{
    fs,
    io::Write as _,
    net::{IpAddr, UdpSocket},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::web::Enrol;

/// Where the box keeps its own, in the data folder.
const FOLDER: &str = "tls";

/// How old the box's own may become: browsers refuse those that are good for more than 398 days.
const RENEWED_AFTER: Duration = Duration::from_secs(330 * 24 * 3600);

/// What the server is set up with.
pub(super) fn server(settings: &Enrol, data: &Path, now: SystemTime) -> Result<Arc<ServerConfig>, StartError> {
    let (chain, key) = match &settings.certificate {
        Some(own) => (own.chain.clone(), own.key.clone()),
        None => own(settings, &data.join(FOLDER), now)?,
    };
    let wrong = |path: &Path, why: &dyn std::fmt::Display| StartError::Certificate {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&chain).map_err(|why| wrong(&chain, &why))?.collect();
    let certificates = certificates.map_err(|why| wrong(&chain, &why))?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|why| wrong(&key, &why))?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| wrong(&chain, &why))?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|why| wrong(&key, &why))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// The box's own, made or renewed where that is due.
fn own(settings: &Enrol, folder: &Path, now: SystemTime) -> Result<(PathBuf, PathBuf), StartError> {
    let (chain, key) = (folder.join("box.crt"), folder.join("box.key"));
    let is_good = fs::metadata(&chain).and_then(|about| about.modified()).is_ok_and(|made| {
        // A clock that is behind does not make a certificate old.
        now.duration_since(made).is_ok_and(|age| age < RENEWED_AFTER) || made > now
    });
    if is_good && key.exists() {
        return Ok((chain, key));
    }
    make(settings, &chain, &key, now).map_err(|why| StartError::Certificate { path: chain.clone(), why })?;
    Ok((chain, key))
}

fn make(settings: &Enrol, chain: &Path, key: &Path, now: SystemTime) -> Result<(), String> {
    let said = |why: &dyn std::fmt::Display| why.to_string();
    let names = names(settings);
    let pair = KeyPair::generate().map_err(|why| said(&why))?;
    let mut params = CertificateParams::new(names).map_err(|why| said(&why))?;
    params.distinguished_name.push(DnType::CommonName, "usher");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut authority = CertificateParams::new(Vec::new()).map_err(|why| said(&why))?;
    authority.distinguished_name.push(DnType::CommonName, "usher, this box");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let day = |at: SystemTime| {
        let at = jiff::Timestamp::try_from(at).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
        date_time_ymd(at.year().into(), at.month().unsigned_abs(), at.day().unsigned_abs())
    };
    // From long ago: a tablet's clock may be behind.
    let (from, to) = (
        day(now.checked_sub(Duration::from_secs(24 * 3600)).unwrap_or(now)),
        day(now + Duration::from_secs(390 * 24 * 3600)),
    );
    (params.not_before, params.not_after, authority.not_before, authority.not_after) = (from, to, from, to);
    let signing = KeyPair::generate().map_err(|why| said(&why))?;
    let trusted = authority.self_signed(&signing).map_err(|why| said(&why))?;
    let certificate = params.signed_by(&pair, &Issuer::new(authority, signing)).map_err(|why| said(&why))?;
    let folder = chain.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|why| said(&why))?;
    let whole = certificate.pem() + &trusted.pem();
    let authority = folder.join("ca.crt");
    // The chain last: it is what says that all is there.
    for (path, text) in [(key, pair.serialize_pem()), (authority.as_path(), trusted.pem()), (chain, whole)] {
        let draft = path.with_extension("new");
        let write = || {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
            fs::rename(&draft, path)
        };
        write().map_err(|why| said(&why))?;
    }
    Ok(())
}

/// Every name and address by which the box may be asked.
fn names(settings: &Enrol) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "usher.local".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    // Not from /proc, which the service does not see.
    let uname = rustix::system::uname();
    let host = uname.nodename().to_string_lossy();
    let is_plain =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if let Some(host) = Some(host.trim()).filter(|host| is_plain(host)) {
        names.extend([host.to_owned(), format!("{host}.local")]);
    }
    if !settings.listen.ip().is_unspecified() {
        names.push(settings.listen.ip().to_string());
    }
    names.extend(outward().map(|ip| ip.to_string()));
    if let Some(address) = &settings.address {
        let rest = address.trim_start_matches("https://");
        let host = if rest.starts_with('[') {
            rest.split(']').next().map(|ip| ip.trim_start_matches('['))
        } else {
            rest.split(':').next()
        };
        names.extend(host.map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names
}

/// The address by which the box is seen from outside; nothing is sent.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_makes_one_certificate_keeps_it_and_renews_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Enrol {
            listen: "127.0.0.1:0".parse().unwrap(),
            address: Some("https://gate.example:8443".to_owned()),
            certificate: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        server(&settings, folder.path(), now).unwrap();
        let path = folder.path().join("tls/box.crt");
        let first = fs::read(&path).unwrap();
        let made = fs::metadata(&path).unwrap().modified().unwrap();
        server(&settings, folder.path(), made + Duration::from_secs(3600)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
        server(&settings, folder.path(), made + RENEWED_AFTER + Duration::from_secs(1)).unwrap();
        assert_ne!(fs::read(&path).unwrap(), first);
        assert!(names(&settings).contains(&"gate.example".to_owned()));
    }

    #[test]
    fn a_file_that_is_no_certificate_is_named_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.crt");
        fs::write(&path, "not a certificate").unwrap();
        let settings = Enrol {
            listen: "127.0.0.1:0".parse().unwrap(),
            address: None,
            certificate: Some(usher_config::web::Certificate { chain: path.clone(), key: path }),
        };
        let error = server(&settings, folder.path(), SystemTime::UNIX_EPOCH).unwrap_err().to_string();
        assert!(error.contains("site.crt") && error.contains("or remove both"), "{error}");
    }
}
