//! Architectures that a site may bring weights of.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a network is built like: how its file is checked, what it is fed with and how its outputs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Embedder: IResNet-50 of ArcFace (Deng et al. 2019), RGB 112×112.
    Iresnet50,
    /// Embedder: IResNet-100 of ArcFace, RGB 112×112.
    Iresnet100,
    /// Embedder: MobileFaceNet (Chen et al. 2018), RGB 112×112.
    Mobilefacenet,
    /// Detector: SCRFD with five landmarks (Guo et al. 2021).
    Scrfd,
    /// Detector: YuNet (Wu, Peng, Yu 2023).
    Yunet,
    /// Presentation attack detection: MiniFASNet, with squeeze-and-excitation or without (Minivision 2020).
    Minifasnet,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Iresnet50, Self::Iresnet100, Self::Mobilefacenet, Self::Scrfd, Self::Yunet, Self::Minifasnet];

    /// Its word on the command line and in stored weights.
    pub fn word(self) -> &'static str {
        match self {
            Self::Iresnet50 => "iresnet50",
            Self::Iresnet100 => "iresnet100",
            Self::Mobilefacenet => "mobilefacenet",
            Self::Scrfd => "scrfd",
            Self::Yunet => "yunet",
            Self::Minifasnet => "minifasnet",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(|architecture| architecture.word() == text)
            .ok_or_else(|| format!("there is no architecture {text}; choose one of: {}", known()))
    }
}

/// What is recorded of a network that a site brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// What it is built like, as whoever brought it said and the import checked.
    pub architecture: Architecture,
    /// The name of the file it was made from, without its folder.
    pub file: String,
    /// What its weights may be used for, as whoever brought them said.
    pub licence: String,
    /// Where they come from, in the same words; absent where nothing was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Of MiniFASNet: what it is shown, and which of its classes is a live person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
}

/// How a network for presentation attack detection is used: its weights do not say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attack {
    /// Side of the crop in lengths of the face's box, 1..=8.
    pub crop: f32,
    /// The class of a live person, counted from 0.
    pub live_class: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_another_lists_them() {
        for architecture in Architecture::ALL {
            assert_eq!(architecture.word().parse(), Ok(architecture));
            assert_eq!(serde_json::to_value(architecture).unwrap(), architecture.word());
        }
        let error = "arcface".parse::<Architecture>().unwrap_err();
        assert!(error.contains("arcface") && error.contains("iresnet100"), "{error}");
    }
}
