//! The pass as a QR symbol (ISO/IEC 18004), for paper and telephones.
//!
//! It holds a link to the visitor's own page, in letters that take least room: the whole address in capitals, which hosts and
//! schemes allow, the secret behind `#`, which no browser sends to anybody. Small symbols are read from further away.

use crate::gallery::pass::PassSecret;
use qrcode::{EcLevel, QrCode, types::QrError};
use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};
use usher_config::Config;
use zeroize::Zeroizing;

/// The page that a pass leads to.
pub const PAGE: &str = "/P";

/// Modules of white around a symbol (ISO/IEC 18004, 6.3.8).
const QUIET_ZONE: usize = 4;

/// The link in a pass: `HTTPS://HOST[:PORT]/P#SECRET`.
pub fn link(address: &str, pass: &PassSecret) -> Zeroizing<String> {
    Zeroizing::new(format!("{}{PAGE}#{}", address.to_ascii_uppercase(), pass.reveal().as_str()))
}

/// The link as configured, for passes that are made away from the page.
pub fn link_of(config: &Config, pass: &PassSecret) -> Zeroizing<String> {
    let enrol = config.web.enrol.as_ref();
    let address = enrol.and_then(|enrol| enrol.address.clone()).unwrap_or_else(|| {
        let port = enrol.map_or(8443, |enrol| enrol.listen.port());
        format!("https://usher.local:{port}")
    });
    link(&address, pass)
}

/// A symbol of `text` as an SVG document, black on white with its quiet zone; modules are one unit wide. The smallest version
/// that holds the text, with as much error correction as that version leaves room for.
///
/// # Errors
/// When the text is longer than any symbol holds.
pub fn svg(text: &str) -> Result<String, QrError> {
    let made = |level| QrCode::with_error_correction_level(text.as_bytes(), level);
    let mut code = made(EcLevel::L)?;
    for level in [EcLevel::M, EcLevel::Q, EcLevel::H] {
        match made(level) {
            Ok(better) if better.version() == code.version() => code = better,
            _ => break,
        }
    }
    let (width, colours) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET_ZONE;
    let mut path = String::new();
    for (y, row) in colours.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|colour| colour.select(true, false)).count();
            if run > 0 {
                let _string = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET_ZONE, y + QUIET_ZONE);
            }
            x += run.max(1);
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>"
    ))
}

/// Writes a file that only its owner may read.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // A file that was there keeps its mode.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_a_small_symbol_whose_link_leads_back_to_the_secret() {
        let pass = PassSecret::random();
        let link = link("https://usher.local:8443", &pass);
        assert!(link.starts_with("HTTPS://USHER.LOCAL:8443/P#"), "{}", link.as_str());
        assert_eq!(PassSecret::of(&link).unwrap().reveal().as_str(), pass.reveal().as_str());
        let svg = svg(&link).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(svg.contains("viewBox=\"0 0 37 37\""), "version 3, 29 modules and the quiet zone: {}", &svg[..120]);
    }
}
