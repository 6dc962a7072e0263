//! Certificates of an afternoon.

use std::{path::Path, process::Command};

/// Two authorities (`ca`, `other`); of the first a certificate of a server at 127.0.0.1 and one of a client: `NAME.pem`
/// and `NAME.key` in `folder`.
pub(crate) fn certificates(folder: &Path) {
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    std::fs::write(folder.join("server.ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        .expect("the folder takes files");
    std::fs::write(folder.join("client.ext"), "extendedKeyUsage=clientAuth\n").expect("the folder takes files");
    for who in ["ca", "other"] {
        openssl(folder, &format!("openssl req -x509 {curve} -days 2 -subj /CN={who} -keyout {who}.key -out {who}.pem"));
    }
    for who in ["server", "client"] {
        openssl(folder, &format!("openssl req {curve} -subj /CN={who} -keyout {who}.key -out {who}.csr"));
        let sign = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2";
        openssl(folder, &format!("openssl x509 -req -in {who}.csr {sign} -extfile {who}.ext -out {who}.pem"));
    }
}

fn openssl(folder: &Path, command: &str) {
    let mut words = command.split(' ');
    let done = Command::new(words.next().expect("a command has words")).args(words).current_dir(folder).output();
    let done = done.expect("this test needs openssl: apt-get install openssl");
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}
