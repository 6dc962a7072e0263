//! What may be shown on a screen as a name, and which sports there are.
//!
//! A name ends on a wall ten metres wide: nothing that is invisible, that turns the direction of writing, or that piles
//! marks without end may come that far.

use unicode_segmentation::UnicodeSegmentation;

/// Most graphemes (what a reader counts as letters) of a name.
pub const LONGEST: usize = 40;

/// Most code points of one grapheme: enough for a family emoji of four with skin tones, too few for piled-up accents.
const TALLEST: usize = 12;

/// Why a name cannot be shown. `Display` never repeats the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing to read in it.
    #[error("the name has no letter or digit; give the name that the screen shall show")]
    Empty,
    /// Too long.
    #[error("the name has {0} letters, the screen shows at most 40; give a shorter one")]
    Long(usize),
    /// Control, bidi, invisible or piled-up characters.
    #[error("the name has a character that cannot be shown (U+{0:04X}); leave it out")]
    Character(u32),
}

/// The name as it is shown: trimmed, runs of white space made one space.
///
/// # Errors
/// [`NameError`], each with the mend.
pub fn shown(text: &str) -> Result<String, NameError> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(bad) = text.trim().chars().find(|c| is_unshowable(*c)) {
        return Err(NameError::Character(bad.into()));
    }
    let mut letters = 0;
    for grapheme in name.graphemes(true) {
        letters += 1;
        if let Some(piled) = grapheme.chars().nth(TALLEST) {
            return Err(NameError::Character(piled.into()));
        }
    }
    if letters > LONGEST {
        return Err(NameError::Long(letters));
    }
    if !name.chars().any(char::is_alphanumeric) {
        return Err(NameError::Empty);
    }
    Ok(name)
}

fn is_unshowable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180E}'
            | '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{E000}'..='\u{F8FF}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{10FFFF}')
}

/// A sport that the programme does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the programme has no sport {asked:?}; {mend}")]
pub struct NoSuchSport {
    asked: String,
    mend: String,
}

/// `asked` as the programme writes it; any case will do.
///
/// # Errors
/// With the nearest sport, or all of them where none is near.
pub fn sport_of(asked: &str, programme: &[String]) -> Result<String, NoSuchSport> {
    let asked = asked.trim();
    let wanted = asked.to_lowercase();
    if let Some(sport) = programme.iter().find(|sport| sport.to_lowercase() == wanted) {
        return Ok(sport.clone());
    }
    let near = |sport: &&String| strsim::jaro_winkler(&wanted, &sport.to_lowercase());
    let nearest = programme.iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|sport| near(sport) > 0.8);
    let mend = match nearest {
        Some(sport) => format!("did you mean {sport:?}?"),
        None => format!("it has {}", programme.iter().map(|s| format!("{s:?}")).collect::<Vec<_>>().join(", ")),
    };
    Err(NoSuchSport { asked: asked.chars().take(60).collect(), mend })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_the_world_are_shown_as_given() {
        for name in
            ["Zoë", "محمد صلاح", "李小龍", "Nguyễn Thị Minh Khai", "O’Neil-Śmith 3rd", "ไทย", "मीराबाई", "Ana 👩‍👩‍👧‍👦"]
        {
            assert_eq!(shown(name).as_deref(), Ok(name));
        }
        assert_eq!(shown("  Ada \t Lovelace "), Err(NameError::Character(9)));
        assert_eq!(shown("  Ada   Lovelace ").as_deref(), Ok("Ada Lovelace"));
    }

    #[test]
    fn what_would_break_a_screen_is_refused() {
        assert_eq!(shown("Ada\u{202E}ecalevoL"), Err(NameError::Character(0x202E)));
        assert_eq!(shown("Ada\nLovelace"), Err(NameError::Character(0xA)));
        assert_eq!(shown("A\u{0}"), Err(NameError::Character(0)));
        assert_eq!(shown("A\u{200B}da"), Err(NameError::Character(0x200B)));
        assert_eq!(shown("   "), Err(NameError::Empty));
        assert_eq!(shown("…"), Err(NameError::Empty));
        assert_eq!(shown(&"é".repeat(41)), Err(NameError::Long(41)));
        assert_eq!(shown(&"e\u{301}".repeat(40)).as_deref(), Ok(&*"e\u{301}".repeat(40)));
        assert!(matches!(shown(&format!("e{}", "\u{301}".repeat(30))), Err(NameError::Character(0x301))));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for error in [NameError::Empty, NameError::Long(50), NameError::Character(0x202E)] {
            let said = error.to_string();
            assert!(said.contains("give") || said.contains("leave it out"), "{said}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_name_is_short_trimmed_and_stays_as_it_is(text: String) {
            if let Ok(name) = shown(&text) {
                prop_assert!(name.graphemes(true).count() <= LONGEST);
                prop_assert!(!name.chars().any(is_unshowable));
                prop_assert_eq!(shown(&name), Ok(name.clone()));
            }
        }
    }

    #[test]
    fn a_sport_is_found_in_any_case_and_the_nearest_is_named() {
        let programme = ["Swimming".to_owned(), "Table tennis".to_owned()];
        assert_eq!(sport_of(" swimming ", &programme).as_deref(), Ok("Swimming"));
        let error = sport_of("swiming", &programme).unwrap_err().to_string();
        assert_eq!(error, "the programme has no sport \"swiming\"; did you mean \"Swimming\"?");
        let error = sport_of("judo", &programme).unwrap_err().to_string();
        assert_eq!(error, "the programme has no sport \"judo\"; it has \"Swimming\", \"Table tennis\"");
    }
}
