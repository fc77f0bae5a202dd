//! Symbols: fire and stars, arrows, clocks, warnings.

use std::fmt::Write;

use super::tones::{Tones, rgb};
use crate::studio::{
    art::Art,
    dice::Dice,
    svg::{circle, ellipse, polygon, rect, star},
};

/// A burst with irregular tips; every seed gives another one.
pub(super) fn explosion(art: &mut Art, dice: &mut Dice) {
    let tips: Vec<f32> = (0..17).map(|_| dice.range(0.78, 1.0)).collect();
    let burst = |outer: f32, inner: f32| {
        let points: Vec<_> = (0..34_u8)
            .map(|i| {
                let a = (f32::from(i) * 360.0 / 34.0 - 90.0).to_radians();
                let r = if i % 2 == 0 { outer * tips[usize::from(i / 2)] } else { inner };
                (r * a.cos(), r * a.sin())
            })
            .collect();
        polygon(&points)
    };
    art.body(burst(200.0, 112.0), rgb(0x00E6_2E1B));
    art.detail(burst(168.0, 92.0), rgb(0x00FF_7A14));
    art.detail(burst(130.0, 72.0), rgb(0x00FF_C021));
    art.detail(burst(92.0, 50.0), rgb(0x00FF_F3B0));
    for _ in 0..12 {
        let (a, r) = (dice.range(0.0, std::f32::consts::TAU), dice.range(150.0, 192.0));
        art.detail(circle(r * a.cos(), r * a.sin(), dice.range(4.0, 10.0)), rgb(0x00FF_D54A));
    }
}

pub(super) fn rocket(art: &mut Art, tones: &Tones) {
    art.body("M-96 96 C-150 110 -190 150 -190 190 C-150 190 -110 150 -96 96Z", rgb(0x00FF_8A1F));
    art.detail("M-102 104 C-134 116 -160 144 -166 166 C-140 160 -114 138 -102 104Z", rgb(0x00FF_E066));
    art.body("M-60 -20 C-120 -20 -150 20 -160 66 L-80 50Z", tones.accent);
    art.body("M20 60 C20 120 -20 150 -66 160 L-50 80Z", tones.accent);
    art.body("M-96 50 C-70 -80 50 -180 188 -188 C180 -50 80 70 -50 96Z", rgb(0x00F5_F7FB));
    art.body("M96 -160 C126 -176 158 -186 188 -188 C186 -158 176 -126 160 -96Z", tones.accent);
    art.shade("M-50 96 C80 70 180 -50 188 -188 L160 -150 C140 -40 40 50 -72 74Z", 0.18);
    art.body(circle(62.0, -62.0, 42.0), tones.dark);
    art.detail(circle(62.0, -62.0, 28.0), rgb(0x0063_C8FF));
    art.shine(ellipse(52.0, -72.0, 11.0, 8.0), 0.8);
    art.body("M-108 38 L-38 108 L-62 118 L-118 62Z", tones.dark);
    art.shine("M-66 30 C-40 -60 40 -140 120 -164 C50 -124 -20 -50 -46 40Z", 0.7);
}

pub(super) fn fire(art: &mut Art, _: &Tones) {
    art.body("M10 -196 C40 -120 150 -80 150 50 C150 140 80 190 0 190 C-80 190 -150 140 -150 50 C-150 -20 -110 -50 -90 -110 C-70 -90 -60 -70 -56 -40 C-20 -80 0 -130 10 -196Z", rgb(0x00F2_3A1D));
    art.detail("M14 -96 C40 -40 112 -10 112 70 C112 136 60 178 0 178 C-60 178 -112 136 -112 74 C-112 30 -90 10 -74 -24 C-60 0 -52 10 -40 24 C-10 -10 10 -50 14 -96Z", rgb(0x00FF_8A1F));
    art.detail("M6 10 C26 50 70 60 70 106 C70 148 40 172 0 172 C-40 172 -70 148 -70 110 C-70 84 -56 70 -44 48 C-34 66 -30 72 -20 80 C-4 60 4 40 6 10Z", rgb(0x00FF_D23F));
    art.detail(ellipse(0.0, 140.0, 32.0, 30.0), rgb(0x00FF_F6C9));
}

pub(super) fn heart(art: &mut Art, _: &Tones) {
    art.body("M0 170 C-230 20 -200 -150 -96 -150 C-40 -150 -10 -110 0 -80 C10 -110 40 -150 96 -150 C200 -150 230 20 0 170Z", rgb(0x00F5_2F57));
    art.shine(
        "M-150 -40 C-156 -100 -120 -124 -86 -122 C-120 -104 -132 -70 -128 -30 C-134 -22 -148 -26 -150 -40Z",
        0.7,
    );
    art.shade("M0 170 C120 90 190 0 176 -80 C150 30 60 110 -30 148Z", 0.16);
}

pub(super) fn star_sign(art: &mut Art, _: &Tones) {
    art.body(star((0.0, 12.0), (190.0, 86.0), 5, 0.0), rgb(0x00FF_C72E));
    art.shine("M0 -178 L0 12 L-50 -58Z M-180 -46 L-50 -58 L0 12Z", 0.35);
    art.shade("M0 12 L112 166 L0 98Z M0 12 L180 -46 L82 38Z", 0.14);
}

pub(super) fn bolt(art: &mut Art, _: &Tones) {
    art.body("M50 -196 L-130 30 L-20 30 L-60 196 L140 -50 L24 -50 L100 -196Z", rgb(0x00FF_D21F));
    art.shine("M50 -196 L-130 30 L-96 30 L76 -196Z", 0.6);
}

pub(super) fn arrow(art: &mut Art, tones: &Tones) {
    art.bar("M-170 120 C-140 -40 -20 -90 90 -70", tones.accent, 58.0);
    art.body(polygon(&[(190.0, -58.0), (66.0, -168.0), (58.0, 44.0)]), tones.accent);
    art.line("M-164 96 C-130 -40 -20 -84 70 -80", tones.light, 8.0);
}

pub(super) fn clock(art: &mut Art, tones: &Tones) {
    for x in [-110.0, 110.0] {
        art.body(circle(x, -136.0, 46.0), tones.accent);
    }
    art.bar("M-100 130 L-130 180 M100 130 L130 180", tones.dark, 26.0);
    art.body(circle(0.0, 10.0, 164.0), tones.accent);
    art.detail(circle(0.0, 10.0, 132.0), rgb(0x00FF_FCF4));
    let mut ticks = String::new();
    for i in 0..12_u8 {
        let a = (f32::from(i) * 30.0).to_radians();
        let (s, c) = a.sin_cos();
        let _ = write!(
            ticks,
            "M{:.0} {:.0}L{:.0} {:.0}",
            108.0 * c,
            10.0 + 108.0 * s,
            122.0 * c,
            10.0 + 122.0 * s
        );
    }
    art.line(ticks, tones.dark, 8.0);
    art.line("M0 10 L0 -76 M0 10 L64 46", tones.dark, 16.0);
    art.detail(circle(0.0, 10.0, 14.0), tones.accent);
    art.shine("M-118 -30 C-100 -84 -50 -112 0 -112 C-50 -96 -90 -66 -104 -20Z", 0.6);
}

pub(super) fn lock(art: &mut Art, tones: &Tones) {
    art.bar("M-80 -20 L-80 -90 C-80 -190 80 -190 80 -90 L80 -20", rgb(0x00D3_DBE6), 34.0);
    art.body(rect((-140.0, -30.0), (280.0, 214.0), 34.0), tones.accent);
    art.detail(circle(0.0, 54.0, 32.0), tones.dark);
    art.detail("M-16 66 L16 66 L24 132 L-24 132Z", tones.dark);
    art.shine(rect((-120.0, -12.0), (26.0, 170.0), 13.0), 0.4);
}

pub(super) fn gift(art: &mut Art, tones: &Tones) {
    art.body("M0 -90 C-120 -220 -190 -110 0 -90 C190 -110 120 -220 0 -90Z", tones.pop);
    art.body(rect((-146.0, -36.0), (292.0, 210.0), 14.0), tones.accent);
    art.body(rect((-172.0, -98.0), (344.0, 80.0), 16.0), tones.accent);
    art.detail(rect((-30.0, -98.0), (60.0, 272.0), 0.0), tones.pop);
    art.shade(rect((-146.0, -18.0), (292.0, 24.0), 0.0), 0.2);
    art.shine(rect((-132.0, 10.0), (18.0, 140.0), 9.0), 0.4);
}

pub(super) fn target(art: &mut Art, tones: &Tones) {
    for (r, white) in [(180.0, false), (136.0, true), (92.0, false), (46.0, true)] {
        let colour = if white { rgb(0x00FF_FFFF) } else { rgb(0x00EE_2E3C) };
        if r > 170.0 {
            art.body(circle(0.0, 0.0, r), colour);
        } else {
            art.detail(circle(0.0, 0.0, r), colour);
        }
    }
    art.detail(circle(0.0, 0.0, 18.0), rgb(0x00EE_2E3C));
    art.bar("M6 -6 L150 -150", tones.dark, 18.0);
    art.body("M120 -120 L130 -180 L176 -196 L168 -168 L196 -176 L180 -130Z", tones.accent);
    art.shine(ellipse(-80.0, -100.0, 60.0, 34.0), 0.25);
}

pub(super) fn warning(art: &mut Art, tones: &Tones) {
    art.body("M-24 -160 C-12 -182 12 -182 24 -160 L190 130 C202 152 190 172 166 172 L-166 172 C-190 172 -202 152 -190 130Z", rgb(0x00FF_C72E));
    art.detail(rect((-20.0, -80.0), (40.0, 132.0), 18.0), tones.dark);
    art.detail(circle(0.0, 108.0, 25.0), tones.dark);
    art.shine("M-18 -140 L-160 110 L-140 118 L-2 -130Z", 0.6);
}

pub(super) fn globe(art: &mut Art, tones: &Tones) {
    art.body(circle(0.0, 0.0, 180.0), rgb(0x0022_8BE6));
    art.detail("M-150 -80 C-120 -150 -50 -170 -10 -160 C10 -130 -40 -110 -30 -80 C-60 -40 -100 -60 -110 -20 C-140 -10 -160 -40 -150 -80Z", rgb(0x003F_C66B));
    art.detail(
        "M-70 20 C-30 0 10 30 6 70 C-10 110 -30 160 -50 160 C-70 130 -60 100 -80 80 C-90 60 -90 30 -70 20Z",
        rgb(0x003F_C66B),
    );
    art.detail("M60 -130 C110 -130 150 -90 168 -40 C150 0 130 -20 110 0 C130 40 90 90 70 60 C60 20 40 10 50 -30 C30 -60 40 -110 60 -130Z", rgb(0x003F_C66B));
    art.line("M-180 0 L180 0 M0 -180 L0 180 M-150 -98 C-60 -70 60 -70 150 -98 M-150 98 C-60 70 60 70 150 98 M0 -180 C-130 -100 -130 100 0 180 M0 -180 C130 -100 130 100 0 180", tones.light, 3.0);
    art.shine(ellipse(-76.0, -96.0, 60.0, 40.0), 0.35);
    art.shade("M150 -98 C220 40 120 190 -40 176 C80 150 160 40 150 -98Z", 0.25);
}
