//! Function patterns: the modules of a symbol whose colour is known before it is read (ISO/IEC 18004, 6.3).

/// Versions that are read: a pass is version 3, a long host name makes it 4 or 5. All have one alignment pattern.
pub(crate) const VERSIONS: std::ops::RangeInclusive<usize> = 2..=6;

/// Parts of a symbol that light may fall upon differently: three finder patterns, two timing patterns, one alignment
/// pattern.
pub(crate) const PARTS: usize = 6;

/// Known modules of a finder pattern: nine by nine, with its separator or quiet zone.
pub(crate) const FINDER: usize = 81;

/// A module that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    /// Column and row; -1 is the quiet zone.
    pub(crate) at: [i8; 2],
    /// Whether it is dark.
    pub(crate) dark: bool,
    /// Which of the [`PARTS`] it belongs to.
    pub(crate) part: usize,
}

/// Modules in a row of a symbol of `version`.
pub(crate) fn modules(version: usize) -> usize {
    17 + 4 * version
}

/// The known modules of a symbol of `version`, format information left out, part by part.
pub(crate) fn known(version: usize) -> Vec<Known> {
    let side = modules(version) as i8;
    let mut known = Vec::with_capacity(400);
    let ring = |x: i8, y: i8| x.abs().max(y.abs());
    for (part, [cx, cy]) in [[3, 3], [side - 4, 3], [3, side - 4]].into_iter().enumerate() {
        for y in -4..=4_i8 {
            for x in -4..=4_i8 {
                known.push(Known { at: [cx + x, cy + y], dark: !matches!(ring(x, y), 2 | 4), part });
            }
        }
    }
    for i in 8..side - 8 {
        known.push(Known { at: [i, 6], dark: i % 2 == 0, part: 3 });
        known.push(Known { at: [6, i], dark: i % 2 == 0, part: 4 });
    }
    for y in -2..=2_i8 {
        for x in -2..=2_i8 {
            known.push(Known { at: [side - 7 + x, side - 7 + y], dark: ring(x, y) != 1, part: 5 });
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use qrcode::{Color, EcLevel, QrCode, Version};

    #[test]
    fn the_known_modules_are_those_of_a_symbol() {
        for version in VERSIONS {
            let code = QrCode::with_version("USHER", Version::Normal(version as i16), EcLevel::M).unwrap();
            let side = code.width();
            assert_eq!(side, modules(version));
            for module in known(version) {
                let [x, y] = module.at.map(|v| usize::try_from(v).unwrap_or(usize::MAX));
                let dark = x < side && y < side && code[(x, y)] == Color::Dark;
                assert_eq!(dark, module.dark, "version {version}, {module:?}");
            }
        }
    }
}
