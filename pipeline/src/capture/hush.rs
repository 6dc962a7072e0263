//! GStreamer's own log (`GST_DEBUG`), without what opens a camera.
//!
//! What an element tells of a login at level 9 is for each version of each element to decide. Those of 1.22 tell nothing
//! (`tests/camera_secret.rs`), and a later one that does must not be noticed by a leak. So the log is written by us, on standard error
//! as before, with every form of a login that was used taken out. What is dumped byte by byte is left out: it comes in pieces in
//! which no password would be found.

use data_encoding::BASE64;
use gstreamer as gst;
use std::{
    io::Write as _,
    sync::{Mutex, Once},
};
use usher_config::login::Login;

static BEGIN: Once = Once::new();
/// Every form of every password that a camera was opened with.
static FORMS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Makes GStreamer ready, once for the process, and takes its log over.
///
/// # Errors
/// When it cannot be initialised.
pub(crate) fn ready() -> Result<(), gst::glib::Error> {
    gst::init()?;
    BEGIN.call_once(|| {
        let begun = gst::get_timestamp();
        gst::log::remove_default_log_function();
        gst::log::add_log_function(move |category, level, file, function, line, object, message| {
            if level == gst::DebugLevel::Memdump {
                return;
            }
            let since = gst::get_timestamp().saturating_sub(begun);
            let said = message.get().map(|text| text.to_string()).unwrap_or_default();
            let object = object.map(|object| format!("<{object}> ")).unwrap_or_default();
            let said = format!("{since} {level:?} {} {file}:{line}:{function}: {object}{said}", category.name());
            let kept = without(&said, &FORMS.lock().expect("no holder of this lock panics")) + "\n";
            let _nowhere_else_to_say_it = std::io::stderr().write_all(kept.as_bytes());
        });
    });
    Ok(())
}

/// From now on, nothing of `login` is written.
pub(crate) fn keep(login: &Login) {
    let password = login.password.reveal();
    if password.is_empty() {
        return;
    }
    let escaped = |keep: fn(&u8) -> bool| {
        password
            .bytes()
            .map(|byte| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    let basic = BASE64.encode(format!("{}:{password}", login.user).as_bytes());
    let forms = [
        password.to_owned(),
        escaped(u8::is_ascii_alphanumeric),
        escaped(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)),
        basic,
    ];
    let mut kept = FORMS.lock().expect("no holder of this lock panics");
    for form in forms {
        if !kept.contains(&form) {
            kept.push(form);
        }
    }
}

/// `said` without any of `forms`, and without what stands behind the name of a header that holds a login: a digest can be
/// guessed at leisure.
fn without(said: &str, forms: &[String]) -> String {
    let header = said.to_ascii_lowercase().find("authorization").map_or(said.len(), |at| at + "authorization".len());
    let mut kept = said[..header].to_owned();
    for form in forms {
        kept = kept.replace(form, "…");
    }
    if header < said.len() { kept + ": …" } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_config::value::Secret;

    #[test]
    fn no_form_of_a_login_is_left() {
        keep(&Login { user: "gate".into(), password: Secret::new("ca/nary #1".into()) });
        let forms = FORMS.lock().unwrap().clone();
        for said in
            ["set user-pw to ca/nary #1", "rtsp://gate:ca%2Fnary%20%231@10.0.0.7/a", "Basic Z2F0ZTpjYS9uYXJ5ICMx"]
        {
            let kept = without(said, &forms);
            assert!(kept.contains('…') && !kept.contains("nary") && !kept.contains("Z2F0"), "{kept}");
        }
        assert_eq!(without("key: 'Authorization', value: 'Digest response=\"1f\"'", &forms), "key: 'Authorization: …");
        assert_eq!(without("nothing of the kind", &forms), "nothing of the kind");
    }
}
