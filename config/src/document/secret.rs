//! Masking of secrets in whatever is shown of a file.
//!
//! By key, not by type: a misspelt `pasword` and a file that is no YAML at all must not show one either.

use std::ops::Range;

/// Whether a key's value is to be masked. Files named by a key (`password_file`) are not.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.trim().trim_matches(['"', '\'']).to_lowercase();
    if key.ends_with("file") {
        return false;
    }
    ["pass", "pwd", "secret", "token", "credential", "login"].iter().any(|part| key.contains(part))
        || strsim::damerau_levenshtein(&key, "password") <= 2
}

/// Where user and password stand inside an URL: the bytes between `://` and the last `@` before the path.
pub(crate) fn in_url(text: &str) -> Option<Range<usize>> {
    let start = text.find("://")? + 3;
    let authority = text[start..].find(['/', ' ', '"', '\'', '\n', '?', '#']).map_or(text.len(), |at| start + at);
    // A password may itself hold a slash or a hash mark: whatever stands before an `@` of the same word is taken.
    let word = text[start..].find([' ', '"', '\'', '\n']).map_or(text.len(), |at| start + at);
    let at = text[start..authority].rfind('@').or_else(|| text[start..word].rfind('@'))?;
    Some(start..start + at)
}

/// The text with every secret masked by `*`, byte for byte as long.
///
/// `known` are the ranges that a parse knows to be secret; lines are searched as well, for where there was no parse.
pub(crate) fn masked(text: &str, known: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut hide = |range: Range<usize>| {
        for byte in bytes.get_mut(range).unwrap_or_default() {
            if !byte.is_ascii_whitespace() {
                *byte = b'*';
            }
        }
    };
    known.iter().cloned().for_each(&mut hide);
    // Indentation of a secret key whose value stands on the lines below it.
    let mut below: Option<usize> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if below.is_some_and(|key| indent > key || line.trim().is_empty()) {
            // A comment or nested key is hidden too: better too much than a password.
            if !holds_login_key(line) {
                hide(offset..offset + line.len());
            }
        } else {
            below = None;
        }
        let mut from = 0;
        while let Some(colon) = line[from..].find(':').map(|at| from + at) {
            let before = line[..colon].trim_end();
            let key_start = before.rfind(['{', ',', '[', '-', '?', ' ', '\t']).map_or(0, |at| at + 1);
            let value = &line[colon + 1..];
            if is_secret(&before[key_start..]) && !value.starts_with("//") {
                let shown = value.trim();
                let opens_map = shown.starts_with('{') || (shown.is_empty() && is_map_key(&before[key_start..]));
                if !opens_map {
                    let end = value.find(['}', '\n']).unwrap_or(value.len());
                    let end =
                        if value.trim_start().starts_with(['"', '\'', '[', '|', '>']) { value.len() } else { end };
                    hide(offset + colon + 1..offset + colon + 1 + end);
                    if shown.is_empty() || shown.starts_with(['|', '>', '"', '\'', '[', '&', '!']) {
                        below = Some(indent);
                    }
                }
            }
            from = colon + 1;
        }
        let mut from = 0;
        while let Some(range) = in_url(&line[from..]) {
            hide(offset + from + range.start..offset + from + range.end);
            from += range.end;
        }
        offset += line.len();
    }
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

/// `login:` holds a map; its keys may be shown, its password is masked by its own key.
fn is_map_key(key: &str) -> bool {
    key.to_lowercase().contains("login")
}

fn holds_login_key(line: &str) -> bool {
    let key = line.split(':').next().unwrap_or_default().trim();
    line.contains(':') && (key == "user" || key.ends_with("file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_wherever_it_stands() {
        for text in [
            "password: hunter2\n",
            "a: { user: u, password: hunter2 }\n",
            "pasword: 'hunter2'\nnext: 1\n",
            "  password: |\n    hunter2\n  next: 1\n",
            "  password:\n    hunter2\n",
            "login: usher:hunter2\n",
            "login:\n  user: a\n  passwd: hunter2\n",
            "url: rtsp://usher:hunter2@10.0.0.1/stream\n",
            "url: rtsp://usher:hun/hunter2@10.0.0.1/stream\n",
            "\tpassword : hunter2\n",
            "- \"password\": \"hunter2\n",
            "token: &a hunter2",
        ] {
            let shown = masked(text, &[]);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(shown.len(), text.len());
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let text = "login: { user: usher, password_file: /etc/x }\nurl: rtsp://10.0.0.1/a@b\nlooks: 3\n";
        assert_eq!(masked(text, &[]), text.replace("10.0.0.1/a", "**********"));
    }
}
