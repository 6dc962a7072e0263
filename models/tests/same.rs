//! A batch is its pictures one by one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{computes, noise, weights};
use usher_models::{
    align::SIDE,
    catalog::{open_detector, open_embedder},
    compute::{Choice, Compute, Precision},
    forward::Network,
    image::{Rgb, Size},
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

fn pictures(size: Size, n: u64) -> Vec<Rgb> {
    let pixels = (size.width * size.height) as usize;
    (0..n).map(|seed| Rgb { size, data: noise(3 * pixels, seed) }).collect()
}

#[test]
fn a_batch_of_crops_is_its_crops_one_by_one() {
    for compute in computes() {
        let mut embedder = open_embedder("sface", &weights(), &compute).unwrap();
        let crops = pictures(Size { width: SIDE, height: SIDE }, 5);
        let together = embedder.embed(&crops).unwrap();
        let least = if compute.precision() == Precision::Half { 0.9995 } else { 0.99999 };
        for (crop, template) in crops.iter().zip(&together) {
            let alone = embedder.embed(std::slice::from_ref(crop)).unwrap();
            assert!(alone[0].compare(template).unwrap().0 > least, "{compute:?}");
        }
        // And the crops are told apart: a batch that repeats its first would pass the above only by being wrong twice.
        assert!(together[0].compare(&together[1]).unwrap().0 < 0.999);
        assert!(embedder.embed(&[]).unwrap().is_empty());
    }
}

#[test]
fn a_batch_of_pictures_is_its_pictures_one_by_one() {
    let size = Size { width: 160, height: 96 };
    let pictures = pictures(size, 3);
    // In half precision a face at the threshold may come or go with the batch: the goldens hold that to its limits.
    for compute in computes().into_iter().filter(|compute| compute.precision() == Precision::Full) {
        batch_is_its_pictures(&compute, size, &pictures);
    }
}

fn batch_is_its_pictures(compute: &Compute, size: Size, pictures: &[Rgb]) {
    // So low a threshold that noise has faces: what is compared must not be empty.
    let mut detector = open_detector("yunet", &weights(), compute, size, 0.01).unwrap();
    assert_eq!(detector.input(), size);
    let together = detector.detect(pictures).unwrap();
    assert!(together.iter().any(|faces| !faces.is_empty()), "noise of these seeds has no face, choose others");
    for (picture, faces) in pictures.iter().zip(&together) {
        let alone = detector.detect(std::slice::from_ref(picture)).unwrap();
        assert_eq!(alone[0].len(), faces.len());
        for (a, b) in alone[0].iter().zip(faces) {
            assert!((a.confidence - b.confidence).abs() < 1e-4 && a.rect.iou(&b.rect) > 0.999, "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_batch_of_any_network_is_its_rows_one_by_one() {
    let lock = Lock::read(MODELS).unwrap();
    for (name, height, width) in [("mobilefacenet", 112, 112), ("minifasnet", 128, 128), ("retinaface", 96, 160)] {
        let stored = Stored::read(&weights(), name, &lock.network(name).unwrap().sha256).unwrap();
        let mut network = Network::new(stored, &Compute::open(Choice::Cpu).unwrap()).unwrap();
        let pictures: Vec<Vec<f32>> = (0..8).map(|seed| noise(3 * height * width, seed)).collect();
        let together = network.forward(&pictures.concat(), 8, height, width).unwrap();
        for (index, picture) in pictures.iter().enumerate() {
            for (alone, together) in network.forward(picture, 1, height, width).unwrap().iter().zip(&together) {
                let row = &together.data[index * alone.data.len()..][..alone.data.len()];
                let most = alone.data.iter().fold(1e-9f32, |most, v| most.max(v.abs()));
                let worst = alone.data.iter().zip(row).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
                assert!(worst <= 1e-4 * most, "{name}, picture {index}: {worst} of {most}");
                assert_eq!(alone.shape[1..], together.shape[1..]);
            }
        }
    }
}

#[test]
fn a_picture_of_another_size_is_an_error_that_names_both() {
    let size = Size { width: 160, height: 96 };
    let compute = Compute::open(Choice::Cpu).unwrap();
    let mut detector = open_detector("yunet", &weights(), &compute, size, 0.6).unwrap();
    let error = detector.detect(&pictures(Size { width: 96, height: 96 }, 1)).unwrap_err().to_string();
    assert!(error.contains("96x96") && error.contains("160x96"), "{error}");
    let odd = open_detector("yunet", &weights(), &compute, Size { width: 100, height: 96 }, 0.6).err().unwrap();
    assert!(odd.to_string().contains("multiples of 32"), "{odd}");
    let mut embedder = open_embedder("sface", &weights(), &compute).unwrap();
    let error = embedder.embed(&pictures(size, 1)).unwrap_err().to_string();
    assert!(error.contains("160x96"), "{error}");
}
