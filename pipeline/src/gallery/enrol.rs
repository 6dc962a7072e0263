//! The way in: pictures of one person become one template.
//!
//! Exactly one face in each picture, large, sharp and facing the camera; several pictures must show one person. The
//! template of a view is the mean of a picture and its mirror image (on 450 enrolled it lowers FNIR from 3.5 % to 2.9 % at
//! FPIR 1 %); every view is kept, and the gallery compares with their mean. Whatever goes wrong, nothing is stored.

use crate::{
    gallery::{
        consent::Consent,
        enrolment::{Enrolment, Issued},
        faces::{self, faces},
        file::StoreError,
        hint::Hint,
        name::NameError,
        picture::Picture,
        search::{Candidate, Gallery},
        store::Store,
        visitor::{Custody, VisitorId, Wishes},
    },
    identify::threshold::{Law, LawError},
    infer::networks,
};
use std::time::SystemTime;
use usher_config::Config;
use usher_models::{
    align::aligned,
    detect::Detector,
    embed::{Embedder, mirrored::Mirrored},
    error::ModelError,
    face::Face,
    image::Rgb,
    quality::{Quality, measure},
    template::{Mismatch, ModelId, Template},
};

/// Least distance between the eyes of a reference, pixels of the picture: a little more than probes need (20), since a
/// reference is compared with every probe for as long as the visitor is kept.
pub const INTER_EYE_PX: f32 = 24.0;

/// Least sharpness of a reference: σ of the Laplacian about 1.8 grey levels, a face without any edge.
const SHARPNESS: f32 = 0.15;

/// Least pose of a reference: about half way to a profile.
const POSE: f32 = 0.3;

/// Most pictures of one person.
pub const MOST_PICTURES: usize = 10;

/// Two pictures of one person must score as two different people do once in a thousand times, or more.
const SAME_PERSON: f64 = 1e-3;

/// The chance we accept of sending somebody away because they look like somebody who is enrolled already.
const DUPLICATE: f64 = 1e-4;

/// Why somebody was not enrolled. The person at the desk mends most of these. Pictures are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No picture was given, or too many.
    #[error("{0} pictures were given; give 1 to {MOST_PICTURES}")]
    Pictures(usize),
    /// Nobody in it.
    #[error("picture {picture} shows no face; give a picture of the face from the front, well lit")]
    NoFace {
        /// Which.
        picture: usize,
    },
    /// Several in it.
    #[error("picture {picture} shows {count} faces; cut it so that it shows only the visitor")]
    Faces {
        /// Which.
        picture: usize,
        /// Faces found.
        count: usize,
    },
    /// Too few pixels.
    #[error(
        "the face in picture {picture} is too small: {found:.0} pixels between the eyes, at least {least:.0} are needed; go closer or give a larger picture"
    )]
    Small {
        /// Which.
        picture: usize,
        /// Pixels between the eyes.
        found: f32,
        /// Pixels needed.
        least: f32,
    },
    /// Not sharp.
    #[error("the face in picture {picture} is blurred; hold the camera still and take it again")]
    Blurred {
        /// Which.
        picture: usize,
    },
    /// Not from the front.
    #[error("the face in picture {picture} is turned away; take it from the front")]
    Turned {
        /// Which.
        picture: usize,
    },
    /// Light, or something over the face.
    #[error("the face in picture {picture} {hint}")]
    Spoilt {
        /// Which.
        picture: usize,
        /// What is wrong, and what to do.
        hint: Hint,
    },
    /// Two people.
    #[error("pictures {one} and {other} do not seem to show the same person; give pictures of one visitor only")]
    Strangers {
        /// Which.
        one: usize,
        /// Which.
        other: usize,
    },
    /// Enrolled already.
    #[error(
        "this face is enrolled already as {visitor}; say `--again` to put this enrolment in its place, or `--beside` if this is another person who looks alike"
    )]
    Already {
        /// As whom.
        visitor: VisitorId,
    },
    /// The name cannot be shown.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The time is over before it begins.
    #[error("the enrolment would end before it begins; give a later time")]
    Past,
    /// Networks.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// An embedder without a threshold.
    #[error(transparent)]
    Law(#[from] LawError),
    /// Networks that do not fit the gallery.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to do with a face that is enrolled already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicate {
    /// Refuse.
    #[default]
    Refuse,
    /// Forget the earlier enrolment in the same commit.
    Replace,
    /// Enrol beside it, and make one household of them: twins. The gate will often name neither.
    Beside,
}

/// What somebody asks for. It cannot be printed.
#[derive(Clone)]
pub struct Wish {
    /// The name to be shown.
    pub name: String,
    /// The favourite sport, already as the programme writes it ([`crate::gallery::name::sport_of`]).
    pub sport: String,
    /// When they must be gone.
    pub expires: SystemTime,
    /// If the face is enrolled already.
    pub duplicate: Duplicate,
    /// Whom they may be taken for, by their own word: twins, family. They become one household.
    pub household: Vec<VisitorId>,
    /// Whether they agreed that the crops of their face are kept as long as the templates, for another embedder to come.
    pub keeps_pictures: bool,
    /// What else they told.
    pub wishes: Wishes,
    /// Who holds the key. Whoever enrols without a face always does so themselves.
    pub custody: Custody,
    /// What they agreed to.
    pub consent: Consent,
}

impl Wish {
    /// Somebody who wants nothing special; the rest is for struct update syntax.
    pub fn new(name: &str, sport: &str, expires: SystemTime, consent: Consent) -> Self {
        Self {
            name: name.to_owned(),
            sport: sport.to_owned(),
            expires,
            duplicate: Duplicate::Refuse,
            household: Vec::new(),
            keeps_pictures: false,
            wishes: Wishes::default(),
            custody: Custody::Box,
            consent,
        }
    }
}

/// A template to enrol, and how good its pictures are.
#[derive(Debug)]
pub struct Reference {
    /// The views pooled, by the embedder that the gate uses.
    pub template: Template,
    /// A template of each picture by that embedder, and by the next one.
    pub views: Vec<Template>,
    /// The aligned crops that these were made from.
    pub crops: Vec<Rgb>,
    /// One for each picture.
    pub qualities: Vec<Quality>,
}

/// Turns pictures into references.
pub struct Enroller {
    detector: Box<dyn Detector>,
    embedder: Box<dyn Embedder>,
    next: Option<Box<dyn Embedder>>,
    law: Law,
}

impl Enroller {
    /// With these networks; `law` must be of the embedder's model.
    pub fn new(detector: Box<dyn Detector>, embedder: Box<dyn Embedder>, law: Law) -> Self {
        Self { detector, embedder: Box::new(Mirrored(embedder)), next: None, law }
    }

    /// The same, making templates of the embedder that the gate will change to as well.
    #[must_use]
    pub fn with_next(self, next: Option<Box<dyn Embedder>>) -> Self {
        Self { next: next.map(|next| Box::new(Mirrored(next)) as Box<dyn Embedder>), ..self }
    }

    /// With the networks that the configuration names, from its data folder.
    ///
    /// # Errors
    /// When weights, device or law are not there.
    pub fn open(config: &Config) -> Result<Self, EnrolError> {
        let (detector, embedder) = networks::open(config, faces::INPUT)?;
        let law = Law::of_brought(&embedder.model(), &config.data.join("models"))?;
        let next = config.infer.next_embedder.as_ref().map(|next| networks::open_embedder(config, next)).transpose()?;
        Ok(Self::new(detector, embedder, law).with_next(next))
    }

    /// Whose templates it makes.
    pub fn model(&self) -> ModelId {
        self.embedder.model()
    }

    /// Enrols somebody: all of it, or nothing. Without a picture they get a pass and no face is known of them.
    ///
    /// # Errors
    /// [`EnrolError`], each with the mend; nothing is stored then.
    pub fn enrol(
        &mut self,
        store: &mut Store,
        wish: &Wish,
        pictures: &[Picture],
        now: SystemTime,
    ) -> Result<Issued, EnrolError> {
        let name = crate::gallery::name::shown(&wish.name)?;
        if wish.expires <= now {
            return Err(EnrolError::Past);
        }
        let mut new = Enrolment {
            wishes: wish.wishes.clone(),
            custody: if pictures.is_empty() { Custody::Visitor } else { wish.custody },
            ..Enrolment::new(&name, &wish.sport, wish.consent.clone(), now, wish.expires)
        };
        if pictures.is_empty() {
            return Ok(store.enrol(&new)?);
        }
        let reference = self.reference(pictures)?;
        let gallery = Gallery::new(self.model(), store.load_all()?.people, now);
        let known: Vec<_> =
            self.known(&gallery, &reference.template)?.iter().map(|candidate| candidate.visitor).collect();
        let (mut old, mut household) = (Vec::new(), wish.household.clone());
        let stranger = known.iter().find(|known| !household.contains(known));
        match (wish.duplicate, stranger) {
            (Duplicate::Replace, _) => {
                old = known.iter().copied().filter(|known| !household.contains(known)).collect();
            }
            (Duplicate::Beside, _) => household.extend(known.iter().filter(|known| !wish.household.contains(known))),
            (Duplicate::Refuse, Some(visitor)) => return Err(EnrolError::Already { visitor: *visitor }),
            (Duplicate::Refuse, None) => {}
        }
        if let Some(nobody) = household.iter().find(|member| gallery.visitor(**member).is_none()) {
            return Err(StoreError::Nobody(*nobody).into());
        }
        new.templates = reference.views;
        new.crops = if wish.keeps_pictures { reference.crops } else { Vec::new() };
        new.household = household;
        let issued = store.enrol_instead(&new, &old)?;
        Ok(Issued { like: known, ..issued })
    }

    /// The faces of a picture and how good a reference each would be; nothing is embedded.
    ///
    /// # Errors
    /// Only bugs of the detector.
    pub fn look(&mut self, picture: &Picture) -> Result<Vec<(Face, Quality)>, ModelError> {
        let view = picture.view();
        let measured = |face: Face| (face, measure(&face, &aligned(&view, &face.landmarks)));
        Ok(faces(&mut *self.detector, picture)?.into_iter().map(measured).collect())
    }

    /// One template for all `pictures` of one person.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn reference(&mut self, pictures: &[Picture]) -> Result<Reference, EnrolError> {
        if !(1..=MOST_PICTURES).contains(&pictures.len()) {
            return Err(EnrolError::Pictures(pictures.len()));
        }
        let (mut crops, mut qualities) = (Vec::new(), Vec::new());
        for (number, picture) in (1..).zip(pictures) {
            let (crop, quality) = self.face(number, picture)?;
            crops.push(crop);
            qualities.push(quality);
        }
        let templates = self.embedder.embed(&crops)?;
        let least = self.law.score_at(SAME_PERSON);
        for (i, one) in templates.iter().enumerate() {
            for (j, other) in templates.iter().enumerate().skip(i + 1) {
                if one.compare(other)? < least {
                    return Err(EnrolError::Strangers { one: i + 1, other: j + 1 });
                }
            }
        }
        let template = Template::mean(&templates)?;
        let mut views = templates;
        if let Some(next) = &mut self.next {
            views.extend(next.embed(&crops)?);
        }
        Ok(Reference { template, views, crops, qualities })
    }

    /// Who in `gallery` has this face already, best first.
    ///
    /// # Errors
    /// [`Mismatch`] when the gallery is of another model.
    pub fn known(&self, gallery: &Gallery, template: &Template) -> Result<Vec<Candidate>, Mismatch> {
        let threshold = self.law.threshold(DUPLICATE, gallery.len());
        let mut near = gallery.search(template, 8)?;
        near.retain(|candidate| candidate.score >= threshold);
        Ok(near)
    }

    /// The one face of a picture, aligned.
    fn face(&mut self, number: usize, picture: &Picture) -> Result<(Rgb, Quality), EnrolError> {
        let faces = faces(&mut *self.detector, picture)?;
        let face = match faces.as_slice() {
            [] => return Err(EnrolError::NoFace { picture: number }),
            [face] => face,
            faces => return Err(EnrolError::Faces { picture: number, count: faces.len() }),
        };
        let crop = aligned(&picture.view(), &face.landmarks);
        let quality = measure(face, &crop);
        if quality.inter_eye_px < INTER_EYE_PX {
            let found = quality.inter_eye_px;
            return Err(EnrolError::Small { picture: number, found, least: INTER_EYE_PX });
        }
        if quality.pose < POSE {
            return Err(EnrolError::Turned { picture: number });
        }
        if quality.sharpness < SHARPNESS {
            return Err(EnrolError::Blurred { picture: number });
        }
        // Last: a blurred face has no contrast where its eyes are either.
        if let Some(hint) = Hint::of(&quality) {
            return Err(EnrolError::Spoilt { picture: number, hint });
        }
        Ok((crop, quality))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_to_do() {
        let visitor = VisitorId(uuid::Uuid::nil());
        for (error, mend) in [
            (EnrolError::Pictures(0), "give 1 to 10"),
            (EnrolError::NoFace { picture: 1 }, "from the front"),
            (EnrolError::Faces { picture: 2, count: 3 }, "shows 3 faces; cut it"),
            (EnrolError::Small { picture: 1, found: 11.0, least: 24.0 }, "11 pixels between the eyes, at least 24"),
            (EnrolError::Blurred { picture: 1 }, "take it again"),
            (EnrolError::Turned { picture: 1 }, "from the front"),
            (EnrolError::Spoilt { picture: 1, hint: Hint::Dark }, "picture 1 is too dark; take it with more light"),
            (EnrolError::Spoilt { picture: 2, hint: Hint::Bright }, "picture 2 is washed out; take it out of the sun"),
            (EnrolError::Spoilt { picture: 1, hint: Hint::SideLit }, "turn towards the light"),
            (EnrolError::Spoilt { picture: 1, hint: Hint::EyesCovered }, "take off sunglasses"),
            (EnrolError::Spoilt { picture: 1, hint: Hint::MouthCovered }, "take off mask or scarf"),
            (EnrolError::Strangers { one: 1, other: 3 }, "pictures 1 and 3"),
            (EnrolError::Already { visitor }, "`--again`"),
            (EnrolError::Past, "give a later time"),
        ] {
            assert!(error.to_string().contains(mend), "{error}");
        }
    }
}
