//! Networks that a site brings: the file, then the answers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{
    brought::{State, States, iresnet_onnx, old_pth, pth, scrfd_onnx},
    noise, weights,
};
use usher_models::{
    align::SIDE,
    architecture::Architecture,
    catalog,
    compute::{Choice, Compute},
    image::{Rgb, Size},
    import::{Asked, Brought, error::ImportError, import},
    net::Step,
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

const IRESNET50: [usize; 4] = [3, 4, 14, 3];

fn asked(file: &Path, architecture: Architecture) -> Asked<'_> {
    Asked { file, architecture, name: None, licence: "test only", origin: None, crop: None, live_class: None }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, bytes).unwrap();
    file
}

fn cpu() -> Compute {
    Compute::open(Choice::Cpu).unwrap()
}

fn picture(width: u32, height: u32, seed: u64) -> Rgb {
    Rgb { size: Size { width, height }, data: noise(3 * (width * height) as usize, seed) }
}

/// The template of a picture by the embedder of this name.
fn template(name: &str, folder: &Path) -> Vec<f32> {
    let mut embedder = catalog::open_embedder(name, folder, &cpu()).unwrap();
    embedder.embed(&[picture(SIDE, SIDE, 4)]).unwrap()[0].vector().to_vec()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn the_published_files_come_out_as_the_networks_of_this_release() {
    let (installed, folder) = (weights(), tempfile::tempdir().unwrap());
    let from = |name: &str| installed.join(format!("{name}.onnx"));
    let to = folder.path();

    let file = from("mobilefacenet");
    let brought = import(&Asked { name: Some("brought"), ..asked(&file, Architecture::Mobilefacenet) }, to).unwrap();
    assert_eq!(template("brought", to), template("mobilefacenet", &installed));
    let sha256 = &Lock::read(MODELS).unwrap().network("mobilefacenet").unwrap().sha256.clone();
    assert_eq!(brought.model.0, format!("brought@{}", &sha256[..16]));

    let file = from("yunet");
    import(&Asked { name: Some("faces"), ..asked(&file, Architecture::Yunet) }, to).unwrap();
    let size = Size { width: 160, height: 96 };
    let found = |name: &str, folder: &Path| {
        // Noise shows no face: whatever is believed the least is enough to compare.
        let mut detector = catalog::open_detector(name, folder, &cpu(), size, 0.0).unwrap();
        detector.detect(&[picture(160, 96, 5)]).unwrap()
    };
    let faces = found("faces", to);
    assert!(!faces[0].is_empty());
    assert_eq!(faces, found("yunet", &installed));

    let file = from("minifasnet");
    let live =
        Asked { name: Some("live"), crop: Some(2.7), live_class: Some(0), ..asked(&file, Architecture::Minifasnet) };
    import(&live, to).unwrap();
    assert_eq!(lives("live", to), lives("minifasnet", &installed));
}

/// What networks for presentation attack detection say of a picture.
fn lives(name: &str, folder: &Path) -> Vec<f32> {
    let mut liveness = catalog::open_liveness(name, folder, &cpu()).unwrap();
    let crops: Vec<Rgb> = liveness.crops().iter().map(|crop| picture(crop.side, crop.side, 6)).collect();
    liveness.judge(&[crops]).unwrap().iter().map(|live| live.0).collect()
}

#[test]
fn a_state_dict_is_drawn_as_its_publisher_computes_it() {
    // The published graph's own numbers, each under the name that the training code gives it.
    let (installed, folder) = (weights(), tempfile::tempdir().unwrap());
    let sha256 = Lock::read(MODELS).unwrap().network("minifasnet").unwrap().sha256.clone();
    let states = minifasnet(&Stored::read(&installed, "minifasnet", &sha256).unwrap());
    for (name, bytes) in [("new", pth(&states)), ("old", old_pth(&states))] {
        let file = put(folder.path(), &format!("{name}.pth"), &bytes);
        let asked = Asked { crop: Some(2.7), live_class: Some(0), ..asked(&file, Architecture::Minifasnet) };
        import(&asked, folder.path()).unwrap();
        let (ours, theirs) = (lives(name, folder.path()), lives("minifasnet", &installed));
        assert!((ours[0] - theirs[0]).abs() < 1e-4, "{name}: {ours:?} {theirs:?}");
    }
    let mut more = states.clone();
    more.push(State { name: "module.extra.weight".into(), shape: vec![1], data: vec![0.0] });
    for (states, why) in [(&states[1..], "no tensor conv1.conv.weight"), (&more, "extra.weight")] {
        let file = put(folder.path(), "2.7_80x80_MiniFASNetV2.pth", &pth(states));
        let error = import(&asked(&file, Architecture::Minifasnet), folder.path()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// The convolutions of a network with their norms folded in, as a state dict whose norms do nothing but add.
fn minifasnet(stored: &Stored) -> Vec<State> {
    let tensor = |name: &str| stored.tensors[name].clone();
    let steps = &stored.description.steps;
    let mut layers = steps.iter().filter_map(|step| match step {
        Step::Conv { weight, bias, activation, .. } => Some((tensor(weight), tensor(bias).1, Some(activation.clone()))),
        Step::Linear { weight, bias, .. } => Some((tensor(weight), tensor(bias).1, None)),
        _ => None,
    });
    let mut states = Vec::new();
    let mut put = |name: String, shape: Vec<usize>, data: Vec<f32>| {
        states.push(State { name: format!("module.{name}"), shape, data });
    };
    let mut layer = |conv: &str, norm: &str, prelu: Option<&str>| {
        let ((shape, data), bias, activation) = layers.next().unwrap();
        let channels = bias.len();
        put(format!("{conv}.weight"), shape, data);
        for (what, data) in [
            ("weight", vec![1.0; channels]),
            ("bias", bias),
            ("running_mean", vec![0.0; channels]),
            ("running_var", vec![1.0 - 1e-5; channels]),
            ("num_batches_tracked", vec![1.0]),
        ] {
            put(format!("{norm}.{what}"), if data.len() == 1 { vec![] } else { vec![channels] }, data);
        }
        if let (Some(prelu), Some(usher_models::net::Activation::Prelu(slope))) = (prelu, activation) {
            put(format!("{prelu}.weight"), vec![channels], tensor(&slope).1);
        }
    };
    let mut bent = |name: &str| {
        layer(&format!("{name}.conv"), &format!("{name}.bn"), Some(&format!("{name}.prelu")));
    };
    bent("conv1");
    bent("conv2_dw");
    for (narrowing, stage, blocks) in [("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2)] {
        let names = std::iter::once(narrowing.to_owned()).chain((0..blocks).map(|i| format!("{stage}.model.{i}")));
        for (index, name) in names.enumerate() {
            bent(&format!("{name}.conv"));
            bent(&format!("{name}.conv_dw"));
            bent(&format!("{name}.project"));
            if index == blocks {
                // The filters of squeeze-and-excitation have no room of their own for a norm's name.
                bent(&format!("{name}.se 1"));
                bent(&format!("{name}.se 2"));
            }
        }
    }
    bent("conv_6_sep");
    bent("conv_6_dw");
    bent("linear");
    bent("prob");
    for state in &mut states {
        for (ours, theirs) in [
            (".se 1.conv", ".se_module.fc1"),
            (".se 1.bn", ".se_module.bn1"),
            (".se 2.conv", ".se_module.fc2"),
            (".se 2.bn", ".se_module.bn2"),
            ("module.linear.conv", "module.linear"),
            ("module.linear.bn", "module.bn"),
            ("module.prob.conv", "module.prob"),
            ("module.prob.bn.bias", "module.prob.bias"),
        ] {
            state.name = state.name.replace(ours, theirs);
        }
    }
    states.retain(|state| !state.name.starts_with("module.prob.bn"));
    states
}

#[test]
fn an_iresnet_is_the_same_from_either_kind_of_file_and_scales_its_picture_once() {
    let folder = tempfile::tempdir().unwrap();
    let states = States::iresnet(IRESNET50);
    let files = [
        put(folder.path(), "drawn.pth", &pth(&states.all)),
        put(folder.path(), "exported.onnx", &iresnet_onnx(&states, IRESNET50, false)),
        put(folder.path(), "scaling.onnx", &iresnet_onnx(&states, IRESNET50, true)),
    ];
    let brought: Vec<Brought> =
        files.iter().map(|file| import(&asked(file, Architecture::Iresnet50), folder.path()).unwrap()).collect();
    let templates: Vec<Vec<f32>> = brought.iter().map(|brought| template(&brought.name, folder.path())).collect();
    assert_eq!(templates[0].len(), 512);
    for other in &templates[1..] {
        let alike = cosine(&templates[0], other);
        assert!(alike > 0.9995, "{alike}");
    }
    assert_ne!(brought[0].model, brought[1].model, "two files never share a model");

    // Said to be what it is not.
    for (architecture, why) in [
        (Architecture::Iresnet100, "53 convolutions where that has 103"),
        (Architecture::Mobilefacenet, "its first filter is 3×3 from 3 to 64 channels with stride 1"),
        (Architecture::Minifasnet, "--crop"),
        (Architecture::Scrfd, "1 outputs where that has 9"),
    ] {
        let asked = Asked { name: Some("wrong"), ..asked(&files[1], architecture) };
        let error = import(&asked, folder.path()).unwrap_err().to_string();
        assert!(error.contains(why), "{architecture}: {error}");
    }
    assert!(!folder.path().join("wrong.safetensors").exists());
    // It makes templates and finds no faces.
    let size = Size { width: 64, height: 64 };
    let error = catalog::open_detector("exported", folder.path(), &cpu(), size, 0.5).err().unwrap().to_string();
    assert!(error.contains("no detector called exported"), "{error}");
}

#[test]
fn a_detector_with_scrfds_outputs_finds_boxes_where_its_maps_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = put(folder.path(), "SCRFD 2.5g.onnx", &scrfd_onnx());
    let brought = import(&asked(&file, Architecture::Scrfd), folder.path()).unwrap();
    assert_eq!(brought.name, "scrfd-2-5g");
    let size = Size { width: 96, height: 64 };
    let found = |compute: &Compute| {
        let mut detector = catalog::open_detector("scrfd-2-5g", folder.path(), compute, size, 0.0).unwrap();
        detector.detect(&[picture(96, 64, 8), picture(96, 64, 9)]).unwrap()
    };
    let (ours, reference) = (found(&cpu()), found(&Compute::plain()));
    assert!(ours.iter().all(|faces| !faces.is_empty()));
    for (ours, reference) in ours.iter().zip(&reference) {
        let (ours, reference) = (ours[0], reference[0]);
        assert!((ours.confidence - reference.confidence).abs() < 1e-3);
        assert!(ours.rect.iou(&reference.rect) > 0.99, "{ours:?} {reference:?}");
    }
    let error = import(&Asked { name: Some("y"), ..asked(&file, Architecture::Yunet) }, folder.path()).unwrap_err();
    assert!(error.to_string().contains("9 outputs where that has 12"), "{error}");
}

#[test]
fn what_is_not_said_is_asked_for_and_what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = weights().join("mobilefacenet.onnx");
    let base = asked(&file, Architecture::Mobilefacenet);
    let refused = |asked: Asked<'_>, mend: &str| {
        let error = import(&asked, folder.path()).unwrap_err();
        assert!(error.to_string().contains(mend), "{error}");
        error
    };
    let error = refused(Asked { licence: "  ", ..base.clone() }, "--licence TEXT");
    assert!(matches!(error, ImportError::NoLicence { .. }));
    refused(base.clone(), "a network of this release; choose another with `--name NAME`");
    refused(Asked { name: Some("../up"), ..base.clone() }, "a-z, 0-9 and -");
    refused(Asked { name: Some("a+b"), ..base.clone() }, "a-z, 0-9 and -");
    refused(Asked { file: Path::new("/nonexistent"), name: Some("x"), ..base.clone() }, "check the path");
    let pad = weights().join("minifasnet.onnx");
    let pad = Asked { name: Some("x"), ..asked(&pad, Architecture::Minifasnet) };
    refused(pad.clone(), "--crop 2.7");
    refused(Asked { crop: Some(2.7), ..pad.clone() }, "--live-class 1");
    refused(Asked { crop: Some(2.7), live_class: Some(3), ..pad }, "class 3 is a live person");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");

    // The same file may come again, another may not take its name.
    let mine = Asked { name: Some("mine"), ..base };
    import(&mine, folder.path()).unwrap();
    import(&Asked { licence: "MIT", ..mine.clone() }, folder.path()).unwrap();
    let listed = usher_models::import::brought(folder.path());
    assert_eq!((listed.len(), &*listed[0].imported.licence), (1, "MIT"));
    let other = put(folder.path(), "other.onnx", &iresnet_onnx(&States::iresnet([1; 4]), [1; 4], false));
    let error = import(&Asked { file: &other, ..mine }, folder.path()).unwrap_err();
    assert!(matches!(error, ImportError::Taken { .. }), "{error}");

    // What was changed on the disk is not used.
    let path = folder.path().join("mine.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = catalog::open_embedder("mine", folder.path(), &cpu()).err().unwrap().to_string();
    assert!(error.contains("bring it again with `usher models import`"), "{error}");
}

#[test]
fn no_damaged_file_makes_it_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut states = States::new(1);
    states.tensor("conv1.conv.weight", &[2, 3, 3, 3], (0.0, 1.0));
    states.tensor("conv1.bn.weight", &[2], (1.0, 0.1));
    for whole in [pth(&states.all), old_pth(&states.all)] {
        for place in 0..whole.len() {
            let mut cut = whole[..place].to_vec();
            let file = put(folder.path(), "2.7_MiniFASNet.pth", &cut);
            assert!(import(&asked(&file, Architecture::Minifasnet), folder.path()).is_err());
            cut = whole.clone();
            cut[place] = cut[place].wrapping_add(1 + (place % 250) as u8);
            let file = put(folder.path(), "2.7_MiniFASNet.pth", &cut);
            assert!(import(&asked(&file, Architecture::Minifasnet), folder.path()).is_err());
        }
    }
}
