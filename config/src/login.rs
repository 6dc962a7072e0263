//! User and password of a camera or a broker, apart from its URL.

use crate::{
    document::{
        Checks,
        tree::{Entry, Node},
    },
    value::Secret,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// User and password.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// Read from `password_file`, or `password`.
    pub password: Secret,
}

/// User and password, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{ "user": "usher", "password_file": "/etc/usher/gate-a-1.password" }]))]
pub struct WrittenLogin {
    /// The user.
    #[garde(length(min = 1))]
    pub user: String,
    /// A file whose first line is the password (0600); better than `password`.
    #[garde(skip)]
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The password itself.
    #[garde(skip)]
    #[serde(default)]
    pub password: Option<Secret>,
}

impl WrittenLogin {
    /// The password read. `None` only where the checks of [`check_login`] would have found a problem.
    pub(crate) fn meant(&self, folder: &Path) -> Option<Login> {
        let password = match (&self.password, &self.password_file) {
            (Some(password), _) => password.clone(),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(folder.join(file)).ok()?;
                Secret::new(text.lines().next()?.to_owned())
            }
            (None, None) => return None,
        };
        Some(Login { user: self.user.clone(), password })
    }
}

/// The file that `node` names must be there.
pub(crate) fn check_file(checks: &mut Checks<'_>, node: &Node, path: String, folder: &Path) {
    if let Some(file) = node.text().map(|text| folder.join(text)).filter(|file| !file.is_file()) {
        let message = format!("the file `{}` is not there", file.display());
        checks.find(node.span.clone(), path, message, "put it there, or mend the path");
    }
}

/// What must hold between the values of a login.
pub(crate) fn check_login(checks: &mut Checks<'_>, entry: &Entry, path: &str, folder: &Path) {
    let login = &entry.value;
    let file = login.entry("password_file").filter(|entry| entry.value.text().is_some());
    match (file, login.get("password")) {
        (Some(file), Some(_)) => {
            let mend = "keep `password_file` and remove `password`";
            checks.find(file.key_span.clone(), format!("{path}.password_file"), "the password is given twice", mend);
        }
        // A third key is a misspelt password, and reported as that.
        (None, None) if login.get("user").is_some() && login.entries().len() == 1 => {
            let mend = "add `password_file: PATH`, a file with the password in its first line";
            checks.find(entry.key_span.clone(), path, "the login has no password", mend);
        }
        (Some(file), None) => {
            let place = folder.join(file.value.text().unwrap_or_default());
            let read = std::fs::read_to_string(&place);
            let wrong = match &read {
                Ok(text) if text.lines().next().is_none_or(|line| line.trim().is_empty()) => {
                    Some("is empty".to_owned())
                }
                Ok(_) => None,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("is not there".to_owned()),
                Err(error) => Some(format!("cannot be read: {}", error.kind())),
            };
            if let Some(wrong) = wrong {
                let message = format!("the password file `{}` {wrong}", place.display());
                let mend = "write the password into its first line, readable by usher alone (chmod 600)";
                checks.find(file.value.span.clone(), format!("{path}.password_file"), message, mend);
            }
        }
        _ => {}
    }
}
