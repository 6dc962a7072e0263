//! Enrolment on real faces with the real networks: one face, one person, or nothing at all.
#![allow(clippy::disallowed_methods, reason = "a test of the running binary waits by the machine's own clock")]
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

#[path = "support/gate.rs"]
mod gate;

use gate::{pictures, root, set_up};
use image::{ImageFormat, Rgb, RgbImage, imageops};
use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, SystemTime},
};
use usher::{
    gallery::{
        audit::deed::Why,
        consent::Consent,
        enrol::{Duplicate, EnrolError, Enroller, Wish},
        key::BoxKey,
        migrate::{Migrated, migrate},
        picture::Picture,
        search::Gallery,
        store::Store,
    },
    identify::threshold::Law,
};
use usher_models::{
    catalog,
    compute::{Choice, Compute},
    embed::{Embedder, mirrored::Mirrored},
    image::Size,
    template::Template,
};

fn enroller() -> Enroller {
    let weights = set_up("models", "USHER_MODELS").unwrap();
    let compute = Compute::open(Choice::Cpu).unwrap();
    let size = Size { width: 640, height: 640 };
    let detector = catalog::open_detector("yunet", &weights, &compute, size, 0.6).unwrap();
    let embedder = catalog::open_embedder("sface", &weights, &compute).unwrap();
    let law = Law::of(&embedder.model()).unwrap();
    Enroller::new(detector, embedder, law)
}

fn other_embedder() -> Box<dyn Embedder> {
    let weights = set_up("models", "USHER_MODELS").unwrap();
    catalog::open_embedder("mobilefacenet", &weights, &Compute::open(Choice::Cpu).unwrap()).unwrap()
}

fn file(name: &str) -> PathBuf {
    pictures().unwrap().join("face-recognition").join(name)
}

fn raw(name: &str) -> RgbImage {
    image::open(file(name)).unwrap().into_rgb8()
}

fn picture(of: &RgbImage) -> Picture {
    let mut bytes = Cursor::new(Vec::new());
    of.write_to(&mut bytes, ImageFormat::Png).unwrap();
    Picture::decode(bytes.get_ref()).unwrap()
}

fn read(name: &str) -> Picture {
    Picture::read(&file(name)).unwrap()
}

fn smaller(picture: &RgbImage, by: u32) -> RgbImage {
    imageops::resize(picture, picture.width() / by, picture.height() / by, imageops::FilterType::Triangle)
}

/// Two pictures side by side.
fn beside(one: &RgbImage, other: &RgbImage) -> RgbImage {
    let mut both = RgbImage::new(one.width() + other.width(), one.height().max(other.height()));
    imageops::replace(&mut both, one, 0, 0);
    imageops::replace(&mut both, other, i64::from(one.width()), 0);
    both
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn wish(name: &str, duplicate: Duplicate) -> Wish {
    let consent = Consent::at_desk("test", "1", "0");
    Wish { duplicate, ..Wish::new(name, "Judo", now() + Duration::from_secs(3600), consent) }
}

#[test]
fn pictures_of_one_person_make_one_template_that_others_of_them_match() {
    let mut enroller = enroller();
    let [one, two, stranger] =
        ["obama.jpg", "obama2.jpg", "biden.jpg"].map(|name| enroller.reference(&[read(name)]).unwrap());
    let same = one.template.compare(&two.template).unwrap().0;
    let other = one.template.compare(&stranger.template).unwrap().0;
    println!("same person {same:.3}, another {other:.3}, {:?}", one.qualities);
    assert!(same > 0.6 && other < 0.3, "{same} {other}");
    let both = enroller.reference(&[read("obama.jpg"), read("obama2.jpg")]).unwrap();
    assert_eq!(both.qualities.len(), 2);
    let third = enroller.reference(&[read("obama3.jpg")]).unwrap().template;
    let pooled = both.template.compare(&third).unwrap().0;
    assert!(pooled > 0.6, "{pooled}");
}

#[test]
fn a_picture_stored_lying_down_gives_the_same_template() {
    let mut enroller = enroller();
    let upright = raw("obama.jpg");
    let reference = enroller.reference(&[picture(&upright)]).unwrap().template;
    // Stored turned by 90° to the left, said to be so by EXIF orientation 6 in a PNG's eXIf chunk.
    let mut png = Cursor::new(Vec::new());
    imageops::rotate270(&upright).write_to(&mut png, ImageFormat::Png).unwrap();
    let mut exif = b"eXIfMM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&exif);
    let length = exif.len() as u32 - 4;
    exif.splice(..0, length.to_be_bytes());
    exif.extend(crc.sum().to_be_bytes());
    let mut bytes = png.into_inner();
    bytes.splice(33..33, exif);
    let turned = enroller.reference(&[Picture::decode(&bytes).unwrap()]).unwrap().template;
    let score = reference.compare(&turned).unwrap().0;
    assert!(score > 0.99, "{score}");
}

#[test]
fn what_does_not_show_one_good_face_is_refused() {
    let mut enroller = enroller();
    let obama = raw("obama.jpg");
    let nobody = RgbImage::from_fn(400, 300, |x, y| Rgb([(x / 2) as u8, (y / 2) as u8, 90]));
    let refused = |result: Result<_, EnrolError>| result.map(|_: usher::gallery::enrol::Reference| ()).unwrap_err();
    let error = refused(enroller.reference(&[picture(&nobody)]));
    assert!(matches!(error, EnrolError::NoFace { picture: 1 }), "{error}");
    let error = refused(enroller.reference(&[picture(&obama), picture(&beside(&obama, &raw("biden.jpg")))]));
    assert!(matches!(error, EnrolError::Faces { picture: 2, count: 2 }), "{error}");
    let faces = enroller.reference(&[picture(&obama)]).unwrap().qualities[0].inter_eye_px;
    let error = refused(enroller.reference(&[picture(&smaller(&obama, (faces / 16.0).ceil() as u32))]));
    assert!(matches!(error, EnrolError::Small { least: 24.0, .. }), "{error}");
    let error = refused(enroller.reference(&[picture(&imageops::blur(&obama, faces / 4.0))]));
    assert!(matches!(error, EnrolError::Blurred { .. } | EnrolError::NoFace { .. }), "{error}");
    let error = refused(enroller.reference(&[read("obama.jpg"), read("obama2.jpg"), read("biden.jpg")]));
    assert!(matches!(error, EnrolError::Strangers { one: 1, other: 3 }), "{error}");
    assert!(matches!(refused(enroller.reference(&[])), EnrolError::Pictures(0)));
}

#[test]
fn a_face_that_fills_the_picture_is_found() {
    let mut enroller = enroller();
    let obama = raw("obama.jpg");
    let reference = enroller.reference(&[picture(&obama)]).unwrap();
    let eyes = reference.qualities[0].inter_eye_px;
    let close = imageops::resize(&obama, obama.width() * 2, obama.height() * 2, imageops::FilterType::Triangle);
    let found = enroller.reference(&[picture(&close)]).unwrap();
    assert!(found.qualities[0].inter_eye_px > 1.8 * eyes);
    assert!(reference.template.compare(&found.template).unwrap().0 > 0.9);
}

#[test]
fn bad_light_is_refused_with_what_mends_it() {
    let mut enroller = enroller();
    let good = raw("obama.jpg");
    let lit = |by: f32| {
        let mut picture = good.clone();
        picture.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|v| (f32::from(v) * by).min(255.0) as u8));
        self::picture(&picture)
    };
    assert!(enroller.reference(&[lit(1.0)]).is_ok());
    let dark = enroller.reference(&[lit(0.3)]).unwrap_err().to_string();
    assert_eq!(dark, "the face in picture 1 is too dark; take it with more light on the face, none behind it");
    let bright = enroller.reference(&[lit(1.0), lit(2.6)]).unwrap_err().to_string();
    assert!(bright.starts_with("the face in picture 2 is washed out; take it out of the sun"), "{bright}");
}

#[test]
fn a_face_is_enrolled_once_unless_asked_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
    let mut enroller = enroller();
    let ids = |store: &Store| store.load_all().unwrap().people.iter().map(|p| p.visitor.id).collect::<Vec<_>>();
    let first =
        enroller.enrol(&mut store, &wish("Ada", Duplicate::Refuse), &[read("obama.jpg")], now()).unwrap().visitor;
    let error =
        enroller.enrol(&mut store, &wish("Ada B.", Duplicate::Refuse), &[read("obama2.jpg")], now()).unwrap_err();
    assert!(matches!(error, EnrolError::Already { visitor } if visitor == first), "{error}");
    let other =
        enroller.enrol(&mut store, &wish("Bob", Duplicate::Refuse), &[read("biden.jpg")], now()).unwrap().visitor;
    assert_eq!(ids(&store), [first, other]);
    let again =
        enroller.enrol(&mut store, &wish("Ada B.", Duplicate::Replace), &[read("obama2.jpg")], now()).unwrap().visitor;
    assert_eq!(ids(&store), [other, again]);
    let twin =
        enroller.enrol(&mut store, &wish("Eve", Duplicate::Beside), &[read("obama.jpg")], now()).unwrap().visitor;
    assert_eq!(ids(&store), [other, again, twin]);
    let homes =
        |store: &Store| store.load_all().unwrap().people.iter().map(|p| p.visitor.household).collect::<Vec<_>>();
    let [None, Some(home), Some(same)] = homes(&store)[..] else {
        panic!("twins are a household: {:?}", homes(&store))
    };
    assert_eq!(home, same);
    // A third joins by declaration; whom they are like was said, so that likeness is no reason to refuse them.
    let told = Wish { household: vec![again, twin], ..wish("Ida", Duplicate::Refuse) };
    let third = enroller.enrol(&mut store, &told, &[read("obama2.jpg")], now()).unwrap().visitor;
    assert_eq!(homes(&store)[1..], [Some(home); 3]);
    let nobody = Wish { household: vec![first], ..wish("Joe", Duplicate::Beside) };
    let error = enroller.enrol(&mut store, &nobody, &[read("biden.jpg")], now()).unwrap_err();
    assert!(error.to_string().contains("`usher list` shows who is enrolled"), "{error}");
    store.forget(third, Why::Staff, now()).unwrap();
    let past = Wish { expires: now(), ..wish("Zed", Duplicate::Beside) };
    assert!(matches!(enroller.enrol(&mut store, &past, &[read("obama.jpg")], now()), Err(EnrolError::Past)));
    assert!(matches!(
        enroller.enrol(&mut store, &wish(" \u{202e} ", Duplicate::Beside), &[read("obama.jpg")], now()),
        Err(EnrolError::Name(_))
    ));
    assert_eq!(ids(&store).len(), 3, "nothing was stored");
}

#[test]
fn every_view_is_kept_and_the_gallery_compares_with_their_mean() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
    let mut enroller = enroller();
    let views = [read("obama.jpg"), read("obama2.jpg"), read("obama3.jpg")];
    let id = enroller.enrol(&mut store, &wish("Ada", Duplicate::Refuse), &views, now()).unwrap().visitor;
    let people = store.load_all().unwrap().people;
    assert_eq!(people[0].templates.len(), 3);
    let mean = Template::mean(&people[0].templates).unwrap();
    let gallery = Gallery::new(enroller.model(), people, now());
    assert_eq!(gallery.len(), 1, "a person is one comparison, however many views there are");
    assert!((gallery.compare(id, &mean).unwrap().0 - 1.0).abs() < 1e-5);
    assert!(store.crops_of(id).unwrap().is_empty(), "pictures are kept only for whoever agreed to that");
}

#[test]
fn another_embedder_takes_over_without_mixing_templates() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
    let mut enroller = enroller();
    let agreed = Wish { keeps_pictures: true, ..wish("Ada", Duplicate::Refuse) };
    let kept = enroller.enrol(&mut store, &agreed, &[read("obama.jpg"), read("obama2.jpg")], now()).unwrap().visitor;
    let left =
        enroller.enrol(&mut store, &wish("Bob", Duplicate::Refuse), &[read("biden.jpg")], now()).unwrap().visitor;
    let mut next = Mirrored(other_embedder());
    let (old, new) = (enroller.model(), next.model());
    let galleries =
        |store: &Store| [&old, &new].map(|model| Gallery::new(model.clone(), store.load_all().unwrap().people, now()));
    assert_eq!(galleries(&store).map(|gallery| (gallery.len(), gallery.unsearchable())), [(2, 0), (0, 2)]);

    let until = now() + Duration::from_secs(3600);
    let expected = Migrated { had: 0, made: 1, must_enrol: vec![(left, until)] };
    assert_eq!(migrate(&mut store, &mut next, now(), true).unwrap(), expected);
    assert_eq!(galleries(&store)[1].len(), 0, "a trial makes nothing");
    assert_eq!(migrate(&mut store, &mut next, now(), false).unwrap(), expected);
    let [before, after] = galleries(&store);
    assert_eq!((before.len(), after.len()), (2, 1), "both models side by side");
    // The same as if they had enrolled with it: crops are kept with eight bits.
    let mut direct = self::enroller().with_next(Some(other_embedder()));
    let reference = direct.reference(&[read("obama.jpg"), read("obama2.jpg")]).unwrap();
    let of_next: Vec<_> = reference.views.iter().filter(|view| *view.model() == new).cloned().collect();
    assert_eq!((reference.views.len(), of_next.len()), (4, 2));
    assert!(after.compare(kept, &Template::mean(&of_next).unwrap()).unwrap().0 > 0.999);
    assert_eq!(after.compare(kept, &reference.template), None, "templates of two embedders never compare");

    // Whoever enrols meanwhile has both; again, only what is missing is made.
    direct.enrol(&mut store, &wish("Eve", Duplicate::Beside), &[read("obama3.jpg")], now()).unwrap();
    let again = migrate(&mut store, &mut next, now(), false).unwrap();
    assert_eq!(again, Migrated { had: 2, made: 0, must_enrol: vec![(left, until)] });
    assert_eq!(galleries(&store).map(|gallery| gallery.len()), [3, 2]);
}

#[test]
fn the_command_line_enrols_lists_and_forgets() {
    let gate = gate::Box::with_camera(env!("CARGO_BIN_EXE_usher"), "stills:nobody.yaml").unwrap();
    let demo = root().join("config/demo-crowd.yaml");
    fs::copy(demo, gate.folder.path().join("nobody.yaml")).unwrap();
    let usher = |arguments: &[&str]| -> Output { gate.usher().args(arguments).output().unwrap() };
    let out = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let err = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let enrol = |sport: &str, picture: &Path| {
        let picture = picture.display().to_string();
        usher(&["enrol", "--agreed", "--name", "Ada Lovelace", "--sport", sport, "--keep", "2 h", &picture, "--json"])
    };

    let list = usher(&["list"]);
    assert_eq!((list.status.code(), out(&list).trim()), (Some(0), "nobody is enrolled"), "{}", err(&list));
    let text = gate.folder.path().join("me.jpg");
    fs::write(&text, "just text").unwrap();
    let refused = enrol("Table tennis", &text);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("me.jpg: this is no picture, whatever its name says"), "{}", err(&refused));
    let refused = enrol("Tabel tennis", &file("obama.jpg"));
    assert!(err(&refused).contains("did you mean \"Table tennis\"?"), "{}", err(&refused));

    let picture = file("obama.jpg").display().to_string();
    let refused = usher(&["enrol", "--name", "Ada", "--sport", "Table tennis", &picture]);
    assert!(err(&refused).contains("nobody is enrolled without consent"), "{}", err(&refused));

    let enrolled = enrol("table tennis", &file("obama.jpg"));
    assert_eq!(enrolled.status.code(), Some(0), "{}", err(&enrolled));
    let id = serde_json::from_str::<serde_json::Value>(&out(&enrolled)).unwrap()["id"].as_str().unwrap().to_owned();
    let refused = enrol("table tennis", &file("obama3.jpg"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains(&id) && err(&refused).contains("`--again`"), "{}", err(&refused));

    let list: serde_json::Value = serde_json::from_slice(&usher(&["list", "--json"]).stdout).unwrap();
    let visitor = &list["visitors"][0];
    assert_eq!((visitor["id"].as_str(), visitor["name"].as_str()), (Some(&*id), Some("Ada Lovelace")));
    assert_eq!(
        (visitor["sport"].as_str(), visitor["models"][0].as_str()),
        (Some("Table tennis"), Some("sface-2021dec"))
    );
    assert_eq!(list["visitors"].as_array().unwrap().len(), 1, "only who was enrolled");

    let picture = file("obama2.jpg").display().to_string();
    let kin = [
        "enrol",
        "--agreed",
        "--name",
        "Eve",
        "--sport",
        "Judo",
        "--keep",
        "1 h",
        "--household",
        &id,
        "--keep-pictures",
        &picture,
    ];
    let kin = usher(&kin);
    assert_eq!(kin.status.code(), Some(0), "{}", err(&kin));
    let list: serde_json::Value = serde_json::from_slice(&usher(&["list", "--json"]).stdout).unwrap();
    let home = |n: usize| list["visitors"][n]["household"].as_str().map(str::to_owned);
    assert!(home(0).is_some() && home(0) == home(1), "{list}");
    let migrated = usher(&["migrate", "--to", "mobilefacenet", "--dry-run"]);
    assert!(out(&migrated).contains("those of 1 would be made") && out(&migrated).contains(&id), "{}", err(&migrated));
    let migrated: serde_json::Value =
        serde_json::from_slice(&usher(&["migrate", "--to", "mobilefacenet", "--json"]).stdout).unwrap();
    assert_eq!((&migrated["made"], &migrated["must_enrol"][0]["id"]), (&1.into(), &id.as_str().into()));
    let nothing = usher(&["migrate"]);
    assert!(
        out(&nothing).contains("2 had templates of sface") && out(&nothing).contains("nobody is left"),
        "{}",
        err(&nothing)
    );
    let stranger = usher(&["migrate", "--to", "arcface"]);
    assert_eq!(stranger.status.code(), Some(78), "{}", out(&stranger));

    let forgotten = usher(&["forget", &id]);
    assert_eq!((forgotten.status.code(), out(&forgotten).trim()), (Some(0), "1 forgotten"));
    let nobody = usher(&["forget", &id]);
    assert!(
        nobody.status.code() == Some(1) && err(&nobody).contains("`usher list` shows who is enrolled"),
        "{}",
        err(&nobody)
    );
    assert_eq!(usher(&["forget"]).status.code(), Some(2), "whom?");
    let forgotten: serde_json::Value =
        serde_json::from_slice(&usher(&["forget", "--everyone", "--json"]).stdout).unwrap();
    assert_eq!((&forgotten["visitors"], &forgotten["log_emptied"]), (&1.into(), &true.into()));

    fs::remove_file(gate.data().join("gallery.key")).unwrap();
    let lost = usher(&["list"]);
    assert!(lost.status.code() == Some(78) && err(&lost).contains("restore the key"), "{}", err(&lost));
}
