//! Technology, learning and money.

use super::tones::{Tones, rgb};
use crate::studio::{
    art::Art,
    svg::{circle, ellipse, polygon, rect, star},
};

const SCREEN: u32 = 0x0010_1828;
const STEEL: u32 = 0x00D3_DBE6;
const GOLD: u32 = 0x00FF_C52E;

pub(super) fn laptop(art: &mut Art, tones: &Tones) {
    art.body(rect((-150.0, -140.0), (300.0, 210.0), 18.0), rgb(0x0039_4252));
    art.detail(rect((-134.0, -124.0), (268.0, 178.0), 8.0), rgb(SCREEN));
    for (i, (indent, width)) in
        [(0.0, 90.0), (24.0, 130.0), (24.0, 70.0), (48.0, 110.0), (24.0, 50.0), (0.0, 30.0)]
            .iter()
            .enumerate()
    {
        let y = -104.0 + i as f32 * 25.0;
        let colour = [tones.accent, tones.pop, rgb(0x0058_E6A9)][i % 3];
        art.detail(rect((-116.0 + indent, y), (*width, 12.0), 6.0), colour);
        art.faint(rect((-104.0 + indent + width, y), (44.0, 12.0), 6.0), tones.light, 0.7);
    }
    art.shine("M30 -124 L134 -124 L134 40Z", 0.12);
    art.body(
        "M-196 70 L196 70 L186 104 C184 112 178 116 170 116 L-170 116 C-178 116 -184 112 -186 104Z",
        rgb(STEEL),
    );
    art.detail(rect((-42.0, 70.0), (84.0, 14.0), 7.0), rgb(0x009A_A6B6));
    art.shine("M-192 72 L192 72 L190 80 L-190 80Z", 0.7);
}

pub(super) fn chip(art: &mut Art, tones: &Tones) {
    for i in 0..5_u8 {
        let at = -96.0 + f32::from(i) * 48.0;
        art.bar(format!("M{at} -176 L{at} 176 M-176 {at} L176 {at}"), rgb(GOLD), 16.0);
    }
    art.body(rect((-134.0, -134.0), (268.0, 268.0), 26.0), rgb(0x0025_2D3D));
    art.detail(rect((-88.0, -88.0), (176.0, 176.0), 16.0), tones.accent);
    art.shine("M-88 -72 a16 16 0 0 1 16 -16 L72 -88 L-88 60Z", 0.35);
    art.line("M-40 30 L-40 -20 L0 -20 L0 -48 M40 30 L40 0 L16 0 M-40 30 L0 30 L0 56", rgb(SCREEN), 9.0);
    for (x, y) in [(-40.0, 30.0), (0.0, -50.0), (40.0, 34.0), (0.0, 56.0)] {
        art.detail(circle(x, y, 13.0), rgb(SCREEN));
    }
    art.detail(circle(-110.0, 110.0, 8.0), tones.light);
}

pub(super) fn phone(art: &mut Art, tones: &Tones) {
    art.body(rect((-105.0, -195.0), (210.0, 390.0), 38.0), rgb(0x0023_2936));
    art.detail(rect((-90.0, -180.0), (180.0, 360.0), 26.0), tones.accent);
    art.detail(rect((-34.0, -170.0), (68.0, 20.0), 10.0), rgb(0x0014_1820));
    art.faint(rect((-70.0, -120.0), (140.0, 110.0), 18.0), tones.light, 0.95);
    art.detail(polygon(&[(-18.0, -94.0), (-18.0, -36.0), (34.0, -65.0)]), tones.dark);
    for (i, width) in [140.0, 96.0, 120.0].iter().enumerate() {
        art.faint(rect((-70.0, 20.0 + i as f32 * 34.0), (*width, 16.0), 8.0), tones.light, 0.85);
    }
    art.detail(rect((-40.0, 160.0), (80.0, 8.0), 4.0), tones.light);
    art.shine("M-90 -154 a26 26 0 0 1 26 -26 L40 -180 L-90 60Z", 0.22);
}

pub(super) fn robot(art: &mut Art, tones: &Tones) {
    art.bar("M0 -120 L0 -165", rgb(STEEL), 14.0);
    art.body(circle(0.0, -174.0, 22.0), tones.accent);
    for x in [-184.0, 140.0] {
        art.body(rect((x, -60.0), (44.0, 100.0), 20.0), tones.accent);
    }
    art.body(rect((-150.0, -126.0), (300.0, 236.0), 62.0), rgb(0x00E6_ECF5));
    art.detail(rect((-118.0, -88.0), (236.0, 150.0), 46.0), rgb(SCREEN));
    for x in [-56.0, 56.0] {
        art.faint(circle(x, -22.0, 40.0), tones.accent, 0.3);
        art.detail(circle(x, -22.0, 27.0), tones.accent);
        art.detail(circle(x, -22.0, 12.0), tones.light);
    }
    art.line("M-34 32 C-14 48 14 48 34 32", tones.accent, 9.0);
    art.shade("M-150 50 L150 50 C150 96 120 110 88 110 L-88 110 C-120 110 -150 96 -150 50Z", 0.12);
    art.body(rect((-92.0, 110.0), (184.0, 80.0), 26.0), rgb(0x00C3_CDDA));
    art.detail(circle(0.0, 150.0, 20.0), tones.pop);
    art.shine("M-130 -60 C-126 -104 -100 -112 -60 -112 L60 -112 C-20 -100 -110 -96 -130 -60Z", 0.8);
}

pub(super) fn camera(art: &mut Art, tones: &Tones) {
    art.body("M-66 -128 L66 -128 L92 -84 L-92 -84Z", tones.dark);
    art.body(rect((-190.0, -98.0), (380.0, 246.0), 34.0), rgb(0x0034_3C4B));
    art.detail(rect((-190.0, -58.0), (380.0, 44.0), 0.0), tones.accent);
    art.body(circle(0.0, 26.0, 104.0), rgb(STEEL));
    art.detail(circle(0.0, 26.0, 84.0), rgb(0x001B_2130));
    art.detail(circle(0.0, 26.0, 62.0), rgb(0x002C_4E8C));
    art.detail(circle(0.0, 26.0, 36.0), rgb(0x0010_1A30));
    art.shine(ellipse(-26.0, -2.0, 26.0, 18.0), 0.65);
    art.shine(circle(30.0, 56.0, 10.0), 0.4);
    art.detail(circle(150.0, -36.0, 15.0), rgb(0x00FF_4D4D));
    art.detail(rect((-166.0, -122.0), (60.0, 26.0), 10.0), tones.accent);
}

pub(super) fn book(art: &mut Art, tones: &Tones) {
    art.body("M-196 -96 L-8 -62 L-8 148 L-196 112Z", tones.accent);
    art.body("M196 -96 L8 -62 L8 148 L196 112Z", tones.accent);
    art.body("M-178 -118 C-120 -130 -50 -112 0 -72 L0 128 C-50 92 -120 78 -178 88Z", rgb(0x00FF_FBF0));
    art.body("M178 -118 C120 -130 50 -112 0 -72 L0 128 C50 92 120 78 178 88Z", rgb(0x00FF_FBF0));
    art.shade("M0 -72 L0 128 C-16 116 -36 104 -50 98 L-40 -96 C-26 -90 -12 -82 0 -72Z", 0.14);
    for i in 0..5_u8 {
        let y = -76.0 + f32::from(i) * 34.0;
        let colour = if i == 0 { tones.pop } else { rgb(0x00B4_B9C6) };
        art.line(format!("M-150 {y} C-110 {} -70 {} -36 {}", y - 6.0, y + 2.0, y + 20.0), colour, 9.0);
        art.line(format!("M150 {y} C110 {} 70 {} 36 {}", y - 6.0, y + 2.0, y + 20.0), colour, 9.0);
    }
    art.body("M84 -112 L124 -118 L124 -16 L104 -36 L84 -14Z", rgb(0x00F2_3D4F));
}

pub(super) fn bulb(art: &mut Art, tones: &Tones) {
    for i in 0..8_u8 {
        let a = (f32::from(i) * 40.0 - 230.0).to_radians();
        let (c, s) = (a.cos(), a.sin());
        art.bar(
            format!("M{:.0} {:.0}L{:.0} {:.0}", 152.0 * c, -50.0 + 152.0 * s, 186.0 * c, -50.0 + 186.0 * s),
            rgb(0x00FF_D84A),
            15.0,
        );
    }
    art.body("M0 -170 C76 -170 122 -112 122 -50 C122 10 84 34 70 90 L-70 90 C-84 34 -122 10 -122 -50 C-122 -112 -76 -170 0 -170Z", rgb(0x00FF_D84A));
    art.faint(circle(0.0, -50.0, 80.0), rgb(0x00FF_F6C4), 0.8);
    art.line("M-36 80 L-36 -10 C-36 -50 0 -50 0 -14 C0 -50 36 -50 36 -10 L36 80", rgb(0x00E0_7A10), 10.0);
    art.body(rect((-66.0, 88.0), (132.0, 34.0), 12.0), rgb(STEEL));
    art.body(rect((-58.0, 120.0), (116.0, 32.0), 12.0), rgb(0x00AE_B8C6));
    art.body("M-36 152 L36 152 L20 182 L-20 182Z", tones.dark);
    art.shine(
        "M-84 -70 C-80 -116 -50 -140 -18 -146 C-50 -120 -60 -90 -58 -48 C-70 -40 -82 -50 -84 -70Z",
        0.75,
    );
}

pub(super) fn atom(art: &mut Art, tones: &Tones) {
    let orbit = |turn: f32| {
        let (s, c) = turn.to_radians().sin_cos();
        let (x, y) = (182.0 * c, 182.0 * s);
        format!("M{:.1} {:.1}A182 66 {turn} 1 1 {x:.1} {y:.1}A182 66 {turn} 1 1 {:.1} {:.1}Z", -x, -y, -x, -y)
    };
    for (turn, colour) in [(0.0, tones.accent), (60.0, tones.pop), (120.0, tones.light)] {
        art.bar(orbit(turn), colour, 13.0);
    }
    art.body(circle(0.0, 0.0, 46.0), tones.accent);
    art.shine(ellipse(-14.0, -16.0, 16.0, 12.0), 0.7);
    for (x, y) in [(182.0, 0.0), (-91.0, -158.0), (-91.0, 158.0)] {
        art.body(circle(x, y, 20.0), tones.light);
    }
}

pub(super) fn chart(art: &mut Art, tones: &Tones) {
    for (i, height) in [90.0, 140.0, 120.0, 210.0, 280.0].iter().enumerate() {
        let x = -180.0 + i as f32 * 74.0;
        let colour = if i == 4 { tones.accent } else { tones.pop };
        art.body(rect((x, 180.0 - height), (56.0, *height), 10.0), colour);
        art.shine(rect((x + 8.0, 190.0 - height), (12.0, height - 24.0), 6.0), 0.4);
    }
    art.bar("M-176 40 L-84 -20 L-20 20 L76 -92 L136 -146", rgb(0x0024_D66B), 24.0);
    art.body(polygon(&[(188.0, -194.0), (172.0, -92.0), (86.0, -176.0)]), rgb(0x0024_D66B));
}

pub(super) fn coins(art: &mut Art, tones: &Tones) {
    for (x, levels) in [(-96.0, 3_u8), (96.0, 5)] {
        for level in 0..levels {
            let y = 150.0 - f32::from(level) * 42.0;
            art.body(format!("M{} {} v30 a92 34 0 0 0 184 0 v-30Z", x - 92.0, y - 30.0), rgb(0x00E8_9B12));
            art.body(ellipse(x, y - 30.0, 92.0, 34.0), rgb(GOLD));
        }
        let top = 120.0 - f32::from(levels - 1) * 42.0;
        art.faint(ellipse(x, top, 66.0, 22.0), rgb(0x00E8_9B12), 0.7);
        art.shine(ellipse(x - 30.0, top - 10.0, 26.0, 7.0), 0.7);
    }
    art.body(circle(-70.0, -84.0, 96.0), rgb(GOLD));
    art.detail(circle(-70.0, -84.0, 74.0), rgb(0x00F0_A21B));
    art.line("M-44 -118 C-60 -136 -104 -130 -104 -106 C-104 -76 -40 -94 -40 -62 C-40 -36 -84 -34 -100 -52 M-70 -144 L-70 -26", rgb(0x00FF_EFB8), 15.0);
    art.shine("M-150 -100 C-146 -146 -110 -168 -74 -168 C-110 -154 -134 -130 -138 -92Z", 0.7);
    art.detail(star((140.0, -150.0), (30.0, 9.0), 4, 0.0), tones.light);
}

pub(super) fn cash(art: &mut Art, _: &Tones) {
    for (turn, green) in [(-34.0_f32, 0x0023_9A55), (-16.0, 0x002F_B566), (4.0, 0x003F_CC78)] {
        let (s, c) = turn.to_radians().sin_cos();
        let at = |x: f32, y: f32| (x * c - y * s, 40.0 + x * s + y * c);
        art.body(
            polygon(&[at(-176.0, -90.0), at(176.0, -90.0), at(176.0, 90.0), at(-176.0, 90.0)]),
            rgb(green),
        );
        art.faint(
            polygon(&[at(-156.0, -70.0), at(156.0, -70.0), at(156.0, 70.0), at(-156.0, 70.0)]),
            rgb(0x00D9_FBE3),
            0.28,
        );
        let (x, y) = at(0.0, 0.0);
        art.detail(circle(x, y, 58.0), rgb(0x00E4_FBEA));
    }
    art.line(
        "M24 10 C8 -8 -28 -4 -28 18 C-28 46 30 32 30 62 C30 86 -12 88 -28 70 M0 -12 L0 94",
        rgb(0x0017_7A41),
        13.0,
    );
}

pub(super) fn megaphone(art: &mut Art, tones: &Tones) {
    art.bar("M-70 60 L-40 160 L10 160 L-14 60", tones.dark, 26.0);
    art.body(
        "M-120 -60 L60 -60 L150 -160 C170 -150 170 150 150 160 L60 66 L-120 66 C-190 66 -190 -60 -120 -60Z",
        tones.accent,
    );
    art.body(ellipse(150.0, 0.0, 34.0, 162.0), tones.light);
    art.detail(ellipse(154.0, 0.0, 18.0, 110.0), tones.dark);
    art.detail(rect((-30.0, -60.0), (40.0, 126.0), 0.0), tones.light);
    art.shine("M-150 -36 C-140 -46 40 -46 64 -46 L140 -128 L140 -96 L66 -20 L-156 -16Z", 0.4);
}
