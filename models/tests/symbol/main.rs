//! Rendered passes before a busy background.
//!
//! The set is made here: `qrcode` lays the symbol out, a pinhole camera looks at it. `docs/accuracy-pass.md` has the
//! conditions and what came out. The long survey behind that file's tables is the ignored test.

mod render;

use crate::render::{Pass, Picture, Scene, background, picture};
use usher_models::{
    image::{Plane, Size},
    symbol::Reader,
};

/// Backgrounds of a set; as many as one may be like a finder pattern in.
const BACKGROUNDS: u64 = 4;
/// Host names of a site: by name, and by the longest address.
const HOSTS: [&str; 2] = ["USHER.LOCAL:8443", "192.168.100.200:8443"];

fn backgrounds(size: Size) -> Vec<Vec<u8>> {
    (0..BACKGROUNDS).map(|seed| background(size, seed)).collect()
}

/// What came of one picture: whether its text was read, and how many other texts were.
fn outcome(reader: &mut Reader, scene: &Scene, picture: &Picture) -> (bool, usize) {
    let codes = reader.read(Plane { data: &picture.luma, stride: scene.size.width as usize }, scene.size);
    let [from, to] = [picture.corners[0], picture.corners[1]];
    let module = (to[0] - from[0]).hypot(to[1] - from[1]) / 29.0;
    let mut read = false;
    for code in codes.iter().filter(|code| *code.text == picture.text) {
        read = true;
        for (corner, [x, y]) in code.corners.iter().zip(picture.corners) {
            let off = (corner.x - x).hypot(corner.y - y);
            assert!(off < 4.0_f32.max(1.5 * module), "a corner is {off:.1} pixels off");
        }
    }
    (read, codes.iter().filter(|code| *code.text != picture.text).count())
}

#[test]
fn passes_at_the_gate_are_read() {
    let scene = Scene::at_the_gate(Pass::Card);
    let (backgrounds, mut reader) = (backgrounds(scene.size), Reader::new());
    // By shade, by the largest of the three tilts, by what was asked of the host: how many, how many read.
    let mut shade = [[0; 2]; 2];
    let mut tilt = [[0; 2]; 3];
    let mut host = [[0; 2]; 2];
    let mut others = 0;
    for seed in 0..300_u64 {
        let scene = Scene { shade: seed % 2 == 1, ..scene };
        let of = usize::from(seed / 2 % 2 == 1);
        let picture = picture(&scene, &backgrounds[(seed / 4 % BACKGROUNDS) as usize], HOSTS[of], 1000 + seed);
        let (read, wrong) = outcome(&mut reader, &scene, &picture);
        others += wrong;
        let steepest = picture.tilt_deg.into_iter().fold(0.0, |most: f32, v| most.max(v.abs()));
        for count in [&mut shade[usize::from(scene.shade)], &mut tilt[(steepest / 10.1) as usize], &mut host[of]] {
            *count = [count[0] + 1, count[1] + usize::from(read)];
        }
    }
    let print = |name: &str, [count, read]: [usize; 2]| println!("{name:28} {read} of {count}");
    print("lit", shade[0]);
    print("shadow's edge across", shade[1]);
    ["tilted up to 10 degrees", "up to 20", "up to 30"].iter().zip(tilt).for_each(|(name, count)| print(name, count));
    HOSTS.iter().zip(host).for_each(|(name, count)| print(name, count));
    let read = shade[0][1] + shade[1][1];
    assert_eq!(others, 0, "texts that nobody held up");
    assert!(read >= 294, "{read} of 300 were read, 98 % are asked for");
}

#[test]
fn a_pass_fits_version_3() {
    for (host, level) in [(HOSTS[0], "M"), ("192.168.10.20", "M"), ("192.168.10.200:8443", "M"), (HOSTS[1], "L")] {
        let symbol = render::symbol(&format!("HTTPS://{host}/P#ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        assert_eq!(
            (symbol.width(), format!("{:?}", symbol.error_correction_level())),
            (29, level.to_owned()),
            "{host}"
        );
    }
}

#[test]
#[ignore = "minutes: the tables of docs/accuracy-pass.md"]
fn survey() {
    let count = std::env::var("COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let mut reader = Reader::new();
    let mut line = |name: &str, scene: &Scene| {
        let backgrounds = backgrounds(scene.size);
        let (mut read, mut others, mut spent) = ([0_u32; 2], 0, std::time::Duration::ZERO);
        for seed in 0..count {
            let scene = Scene { shade: seed % 2 == 1, ..*scene };
            let behind = &backgrounds[(seed / 4 % BACKGROUNDS) as usize];
            let picture = picture(&scene, behind, HOSTS[(seed / 2 % 2) as usize], 5000 + seed);
            #[expect(clippy::disallowed_methods, reason = "a survey for people, who ask what a frame costs")]
            let began = std::time::Instant::now();
            let (seen, wrong) = outcome(&mut reader, &scene, &picture);
            spent += began.elapsed();
            read[usize::from(scene.shade)] += u32::from(seen);
            others += wrong;
        }
        let focal = scene.size.width as f32 / 2.0 / (scene.view_deg / 2.0).to_radians().tan();
        let module = focal / scene.distance_mm * scene.side_mm / 29.0;
        let share = read.map(|read| 200.0 * f64::from(read) / count as f64);
        let time = spent.as_secs_f64() * 1e3 / count as f64;
        println!(
            "{name:36} {module:.2} px: lit {:.0} %, shaded {:.0} %, wrong {others}, {time:.1} ms",
            share[0], share[1]
        );
    };
    for pass in [Pass::Card, Pass::Phone] {
        for view_deg in [40.0, 50.0, 60.0, 70.0] {
            line(&format!("{pass:?}, {view_deg} degrees"), &Scene { view_deg, ..Scene::at_the_gate(pass) });
        }
    }
    let card = Scene::at_the_gate(Pass::Card);
    for tenths in 14..=26_u8 {
        let module = f32::from(tenths) / 10.0;
        line("Card, module", &Scene { side_mm: module * 29.0 / 0.915, ..card });
    }
    for tilt_deg in [0.0, 10.0, 20.0, 30.0, 40.0] {
        line(&format!("Card, 60 degrees, tilt {tilt_deg}"), &Scene { tilt_deg, view_deg: 60.0, ..card });
    }
    line("Card, 1920 x 1080, 60 degrees", &Scene { size: Size { width: 1920, height: 1080 }, view_deg: 60.0, ..card });
    line(
        "Phone, 1920 x 1080, 60 degrees",
        &Scene { size: Size { width: 1920, height: 1080 }, view_deg: 60.0, ..Scene::at_the_gate(Pass::Phone) },
    );
    line("Card at 0.5 m", &Scene { distance_mm: 500.0, ..card });
}
