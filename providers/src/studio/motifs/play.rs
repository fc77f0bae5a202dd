//! Games, sport and music.

use super::tones::{Tones, rgb};
use crate::studio::{
    art::Art,
    svg::{circle, ellipse, polygon, rect, star},
};

const STEEL: u32 = 0x00C9_D3E0;
const GOLD: u32 = 0x00FF_C52E;

pub(super) fn controller(art: &mut Art, tones: &Tones) {
    art.bar("M-60 -105 C-60 -150 -20 -150 0 -190", tones.dark, 16.0);
    art.body(rect((-150.0, -118.0), (90.0, 60.0), 24.0), tones.dark);
    art.body(rect((60.0, -118.0), (90.0, 60.0), 24.0), tones.dark);
    art.body(
        "M-120 -92 C-60 -104 60 -104 120 -92 C178 -80 200 40 197 108 C192 165 142 168 112 124 \
         C92 94 72 78 40 78 L-40 78 C-72 78 -92 94 -112 124 C-142 168 -192 165 -197 108 C-200 40 -178 -80 -120 -92Z",
        tones.light,
    );
    art.shade("M-197 108 C-192 165 -142 168 -112 124 C-92 94 -72 78 -40 78 L40 78 C72 78 92 94 112 124 C142 168 192 165 197 108 C180 130 140 122 118 92 C96 62 72 52 40 52 L-40 52 C-72 52 -96 62 -118 92 C-140 122 -180 130 -197 108Z", 0.22);
    art.detail(rect((-136.0, -36.0), (84.0, 28.0), 9.0), tones.dark);
    art.detail(rect((-108.0, -64.0), (28.0, 84.0), 9.0), tones.dark);
    for (x, y, hue) in [
        (94.0, -58.0, 0x00FF_CB2F),
        (94.0, 14.0, 0x003D_D468),
        (58.0, -22.0, 0x0030_A7FF),
        (130.0, -22.0, 0x00FF_3B4E),
    ] {
        art.detail(circle(x, y, 20.0), tones.dark);
        art.detail(circle(x, y, 16.0), rgb(hue));
        art.shine(ellipse(x - 4.0, y - 6.0, 7.0, 5.0), 0.6);
    }
    for x in [-50.0, 50.0] {
        art.detail(circle(x, 44.0, 31.0), tones.dark);
        art.detail(circle(x, 40.0, 21.0), tones.main);
        art.shine(ellipse(x - 6.0, 34.0, 9.0, 6.0), 0.4);
    }
    art.detail(rect((-26.0, -70.0), (52.0, 15.0), 7.0), tones.accent);
    art.shine("M-116 -84 C-60 -95 60 -95 116 -84 C140 -79 156 -55 168 -30 C120 -66 -120 -66 -168 -30 C-156 -55 -140 -79 -116 -84Z", 0.45);
}

pub(super) fn sword(art: &mut Art, tones: &Tones) {
    art.body("M60 -190 L190 -190 L190 -60 L-40 110 L-110 40Z", rgb(STEEL));
    art.shine("M60 -190 L190 -190 L-75 75 L-110 40Z", 0.55);
    art.line("M165 -165 L-60 60", tones.dark, 6.0);
    art.body("M-160 -10 L-130 -40 L40 130 L10 160Z", rgb(GOLD));
    art.body("M-120 60 L-60 120 L-130 178 L-178 130Z", rgb(0x0084_4A23));
    art.line("M-110 82 L-82 110 M-132 100 L-100 132 M-152 120 L-120 152", rgb(0x004A_2812), 9.0);
    art.body(circle(-164.0, 164.0, 32.0), tones.accent);
    art.shine(ellipse(-173.0, 153.0, 11.0, 8.0), 0.6);
}

pub(super) fn trophy(art: &mut Art, tones: &Tones) {
    art.bar("M-95 -120 C-190 -130 -190 10 -70 20 M95 -120 C190 -130 190 10 70 20", rgb(0x00E8_9B12), 26.0);
    art.body(rect((-26.0, 50.0), (52.0, 70.0), 8.0), rgb(0x00E8_9B12));
    art.body("M-110 -165 L110 -165 C110 -10 80 75 0 80 C-80 75 -110 -10 -110 -165Z", rgb(GOLD));
    art.body(rect((-125.0, -188.0), (250.0, 40.0), 18.0), rgb(0x00FF_D95C));
    art.body(rect((-80.0, 104.0), (160.0, 36.0), 10.0), rgb(0x00FF_D95C));
    art.body(rect((-112.0, 132.0), (224.0, 58.0), 12.0), tones.dark);
    art.detail(star((0.0, -55.0), (58.0, 25.0), 5, 0.0), tones.light);
    art.shine("M-90 -145 L-52 -145 C-54 -60 -48 0 -28 52 C-70 20 -90 -60 -90 -145Z", 0.55);
    art.shade("M62 -145 L108 -145 C106 -20 84 60 20 76 C56 30 64 -60 62 -145Z", 0.16);
}

pub(super) fn crown(art: &mut Art, tones: &Tones) {
    art.body("M-180 -90 L-90 10 L0 -150 L90 10 L180 -90 L150 120 L-150 120Z", rgb(GOLD));
    art.body(rect((-156.0, 96.0), (312.0, 58.0), 14.0), rgb(0x00F0_A21B));
    for (x, y) in [(-180.0, -98.0), (0.0, -160.0), (180.0, -98.0)] {
        art.body(circle(x, y, 24.0), tones.accent);
        art.shine(ellipse(x - 7.0, y - 8.0, 9.0, 6.0), 0.6);
    }
    for (x, r) in [(-90.0, 18.0), (0.0, 24.0), (90.0, 18.0)] {
        art.detail(circle(x, 124.0, r), tones.pop);
        art.shine(ellipse(x - 5.0, 117.0, r / 3.0, r / 4.0), 0.7);
    }
    art.shine("M-160 -60 L-90 30 L-94 96 L-142 96Z M0 -120 L30 -60 L10 96 L-36 96Z", 0.35);
}

pub(super) fn skull(art: &mut Art, tones: &Tones) {
    art.body("M0 -180 C120 -180 180 -100 172 -10 C168 40 140 62 112 80 L108 140 C108 165 90 176 70 176 L-70 176 C-90 176 -108 165 -108 140 L-112 80 C-140 62 -168 40 -172 -10 C-180 -100 -120 -180 0 -180Z", rgb(0x00F3_EFE4));
    art.shade("M172 -10 C168 40 140 62 112 80 L108 140 C108 165 90 176 70 176 L20 176 C80 140 60 80 100 50 C130 20 140 -40 130 -110 C160 -85 175 -50 172 -10Z", 0.14);
    for x in [-72.0, 72.0] {
        art.detail(ellipse(x, -10.0, 48.0, 54.0), tones.dark);
        art.detail(circle(x, 0.0, 18.0), tones.accent);
        art.shine(circle(x - 5.0, -6.0, 6.0), 0.9);
    }
    art.detail("M0 36 L26 84 L-26 84Z", tones.dark);
    art.line("M-60 118 L-60 172 M-20 112 L-20 174 M20 112 L20 174 M60 118 L60 172", tones.dark, 9.0);
    art.line("M40 -176 L62 -130 L40 -104 L66 -76", tones.dark, 7.0);
    art.shine(ellipse(-70.0, -118.0, 46.0, 26.0), 0.5);
}

pub(super) fn ball(art: &mut Art, tones: &Tones) {
    art.body(circle(0.0, 0.0, 178.0), rgb(0x00FA_FAFA));
    art.detail(star((0.0, 0.0), (70.0, 57.0), 5, 0.0), tones.dark);
    for turn in 0..5_u8 {
        let angle = (f32::from(turn) * 72.0 - 90.0).to_radians();
        let at = |r: f32, side: f32| {
            let a = angle + side;
            (r * a.cos(), r * a.sin())
        };
        art.detail(
            polygon(&[at(120.0, -0.24), at(120.0, 0.24), at(172.0, 0.4), at(177.0, 0.0), at(172.0, -0.4)]),
            tones.dark,
        );
        let ((x1, y1), (x2, y2)) = (at(66.0, 0.0), at(122.0, 0.0));
        art.line(format!("M{x1:.0} {y1:.0}L{x2:.0} {y2:.0}"), tones.dark, 8.0);
        let ((x3, y3), (x4, y4)) = (at(122.0, 0.24), at(122.0, 1.016));
        art.line(format!("M{x3:.0} {y3:.0}L{x4:.0} {y4:.0}"), tones.dark, 8.0);
    }
    art.shine(ellipse(-60.0, -90.0, 70.0, 46.0), 0.5);
    art.shade("M150 -95 C210 20 150 150 20 176 C-60 180 -110 150 -140 110 C0 160 130 60 150 -95Z", 0.22);
}

pub(super) fn car(art: &mut Art, tones: &Tones) {
    art.body("M-196 50 C-196 -10 -170 -22 -120 -30 L-62 -96 C-50 -108 -38 -112 -20 -112 L66 -112 C84 -112 96 -104 108 -90 L146 -34 C190 -26 198 0 198 50 L198 78 L-196 78Z", tones.accent);
    art.detail("M-94 -34 L-46 -88 C-42 -92 -36 -94 -30 -94 L4 -94 L4 -34Z", rgb(0x00BF_E9FF));
    art.detail("M22 -94 L62 -94 C72 -94 78 -90 84 -82 L116 -34 L22 -34Z", rgb(0x00BF_E9FF));
    art.shine("M-70 -34 L-26 -88 L-6 -88 L-44 -34Z M40 -34 L60 -88 L76 -80 L62 -34Z", 0.5);
    art.shade(rect((-196.0, 46.0), (394.0, 32.0), 8.0), 0.3);
    art.detail(rect((-198.0, 0.0), (36.0, 26.0), 10.0), rgb(0x00FF_F3B0));
    art.detail(rect((172.0, 2.0), (26.0, 24.0), 8.0), rgb(0x00FF_3B30));
    art.shine("M-160 -8 C-100 -20 120 -20 180 -10 L180 2 L-160 6Z", 0.4);
    for x in [-108.0, 112.0] {
        art.body(circle(x, 78.0, 54.0), rgb(0x0023_262E));
        art.detail(circle(x, 78.0, 29.0), rgb(STEEL));
        art.detail(star((x, 78.0), (27.0, 12.0), 5, 0.0), rgb(0x0060_6876));
    }
}

pub(super) fn dumbbell(art: &mut Art, tones: &Tones) {
    art.body(rect((-120.0, -20.0), (240.0, 40.0), 14.0), rgb(STEEL));
    for i in [-36.0, -12.0, 12.0, 36.0] {
        art.line(format!("M{} -16 L{} 16", i - 6.0, i + 6.0), rgb(0x0078_8494), 6.0);
    }
    for side in [-1.0_f32, 1.0] {
        let left = |near: f32, far: f32| if side > 0.0 { near } else { -far };
        art.body(rect((left(160.0, 198.0), -50.0), (38.0, 100.0), 14.0), tones.dark);
        art.body(rect((left(64.0, 112.0), -128.0), (48.0, 256.0), 20.0), tones.accent);
        art.body(rect((left(116.0, 162.0), -98.0), (46.0, 196.0), 18.0), tones.dark);
        art.shine(rect((left(72.0, 104.0), -112.0), (12.0, 200.0), 6.0), 0.5);
        art.shine(rect((left(124.0, 154.0), -82.0), (10.0, 140.0), 5.0), 0.3);
    }
}

pub(super) fn note(art: &mut Art, tones: &Tones) {
    art.bar("M-62 110 L-62 -120 L128 -160 L128 70", tones.accent, 30.0);
    art.body("M-77 -136 L143 -182 L143 -104 L-77 -58Z", tones.accent);
    art.body(ellipse(-104.0, 118.0, 62.0, 48.0), tones.accent);
    art.body(ellipse(86.0, 78.0, 62.0, 48.0), tones.accent);
    art.shine("M-66 -122 L132 -164 L132 -146 L-66 -104Z", 0.5);
    art.shine(ellipse(-122.0, 100.0, 24.0, 13.0), 0.5);
    art.shine(ellipse(68.0, 60.0, 24.0, 13.0), 0.5);
}

pub(super) fn headphones(art: &mut Art, tones: &Tones) {
    art.bar("M-140 40 C-150 -210 150 -210 140 40", tones.dark, 40.0);
    art.line("M-122 -40 C-110 -168 110 -168 122 -40", tones.light, 7.0);
    for side in [-1.0_f32, 1.0] {
        let left = |near: f32, far: f32| if side > 0.0 { near } else { -far };
        art.body(rect((left(86.0, 140.0), 6.0), (54.0, 160.0), 26.0), tones.dark);
        art.body(rect((left(118.0, 192.0), -6.0), (74.0, 184.0), 36.0), tones.accent);
        art.detail(rect((left(140.0, 172.0), 40.0), (32.0, 92.0), 16.0), tones.main);
        art.shine(rect((left(126.0, 142.0), 12.0), (16.0, 140.0), 8.0), 0.45);
    }
}

pub(super) fn mic(art: &mut Art, tones: &Tones) {
    art.bar("M-110 -10 C-110 130 110 130 110 -10", rgb(STEEL), 24.0);
    art.body(rect((-14.0, 92.0), (28.0, 70.0), 6.0), rgb(STEEL));
    art.body(rect((-84.0, 150.0), (168.0, 38.0), 19.0), tones.dark);
    art.body(rect((-74.0, -190.0), (148.0, 250.0), 74.0), tones.accent);
    art.detail("M-74 -116 a74 74 0 0 1 148 0 L74 -70 L-74 -70Z", rgb(0x00E9_EEF5));
    art.line("M-70 -100 L70 -100 M-64 -134 L64 -134 M-46 -164 L46 -164 M0 -188 L0 -72 M-38 -180 L-38 -72 M38 -180 L38 -72", rgb(0x008A_94A4), 6.0);
    art.detail(rect((-74.0, -74.0), (148.0, 20.0), 0.0), tones.dark);
    art.shine(rect((-58.0, -40.0), (22.0, 80.0), 11.0), 0.45);
}

pub(super) fn guitar(art: &mut Art, tones: &Tones) {
    art.bar("M10 -10 L140 -140", rgb(0x005A_321A), 34.0);
    art.body("M128 -176 L176 -128 L198 -150 L196 -186 L150 -198Z", tones.dark);
    art.body("M-20 -70 C10 -90 50 -60 40 -20 C50 10 100 20 80 80 C50 160 -50 200 -130 150 C-200 90 -190 -20 -110 -60 C-70 -76 -60 -40 -20 -70Z", tones.accent);
    art.detail(circle(-52.0, 52.0, 50.0), rgb(0x0030_1A0E));
    art.line("M-52 2 A50 50 0 1 1 -53 2", rgb(GOLD), 8.0);
    art.body(polygon(&[(-132.0, 92.0), (-92.0, 132.0), (-106.0, 146.0), (-146.0, 106.0)]), tones.dark);
    art.line("M-112 112 L150 -150 M-122 108 L142 -158 M-108 122 L158 -142", rgb(0x00FF_F4D6), 3.0);
    art.shine("M-130 -30 C-170 10 -172 70 -140 110 C-150 60 -140 10 -100 -30Z", 0.4);
}
