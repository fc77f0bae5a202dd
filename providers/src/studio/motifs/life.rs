//! Food, travel, home and people.

use super::tones::{Tones, rgb};
use crate::studio::{
    art::Art,
    svg::{circle, ellipse, polygon, rect, star},
};

const SKIN: u32 = 0x00F2_B88A;

pub(super) fn pizza(art: &mut Art, tones: &Tones) {
    art.body("M0 190 L-160 -96 C-60 -150 60 -150 160 -96Z", rgb(0x00FF_CB45));
    art.detail("M-120 -26 C-104 -8 -96 60 -78 38 C-64 20 -52 40 -44 96 C-36 120 -26 60 -8 80 C8 100 18 150 28 110 C36 70 50 30 64 60 C78 88 96 0 122 -30 L150 -84 C60 -134 -60 -134 -150 -84Z", rgb(0x00FF_DF6B));
    art.body("M-176 -92 C-180 -130 -150 -146 -130 -150 C-50 -186 50 -186 130 -150 C150 -146 180 -130 176 -92 C172 -70 150 -72 140 -80 C56 -122 -56 -122 -140 -80 C-150 -72 -172 -70 -176 -92Z", rgb(0x00D9_822B));
    art.shine("M-140 -130 C-50 -168 50 -168 140 -130 C60 -154 -60 -154 -140 -124Z", 0.5);
    for (x, y, r) in [(-60.0, -48.0, 33.0), (52.0, -56.0, 34.0), (-4.0, 34.0, 31.0), (16.0, 116.0, 18.0)] {
        art.detail(circle(x, y, r), rgb(0x00C9_3226));
        art.detail(circle(x - 2.0, y - 3.0, r * 0.82), rgb(0x00E9_4B3A));
        art.faint(circle(x + r * 0.3, y + r * 0.2, r * 0.16), rgb(0x0096_1D16), 0.8);
        art.shine(ellipse(x - r * 0.3, y - r * 0.4, r * 0.3, r * 0.2), 0.4);
    }
    for (x, y, turn) in [(0.0, -86.0, 0.0), (-34.0, 6.0, 40.0), (58.0, 8.0, 80.0)] {
        art.detail(star((x, y), (24.0, 11.0), 3, turn), rgb(0x003F_A34D));
    }
    art.detail(circle(92.0, -88.0, 10.0), tones.dark);
}

pub(super) fn pan(art: &mut Art, tones: &Tones) {
    art.bar("M90 86 L180 176", tones.dark, 36.0);
    art.body(circle(-20.0, -10.0, 160.0), rgb(0x0030_3644));
    art.detail(circle(-20.0, -10.0, 132.0), rgb(0x001E_232E));
    art.detail("M-110 -20 C-120 -80 -60 -110 -20 -92 C20 -120 84 -84 72 -30 C100 10 60 80 10 70 C-30 100 -90 70 -88 34 C-120 20 -118 0 -110 -20Z", rgb(0x00FF_FCF2));
    art.detail(circle(-22.0, -14.0, 47.0), rgb(0x00FF_A91F));
    art.detail(circle(-24.0, -18.0, 39.0), rgb(0x00FF_C233));
    art.shine(ellipse(-38.0, -32.0, 13.0, 9.0), 0.8);
    for (x, y) in [(40.0, -64.0), (-86.0, 20.0), (30.0, 40.0), (-50.0, 60.0), (54.0, 4.0)] {
        art.detail(circle(x, y, 5.0), rgb(0x003F_A34D));
    }
    art.shine("M-160 -60 C-140 -120 -90 -156 -30 -160 C-90 -144 -130 -100 -146 -50Z", 0.3);
    art.bar("M-70 -196 C-90 -180 -50 -170 -70 -154 M10 -196 C-10 -180 30 -170 10 -154", tones.light, 10.0);
}

pub(super) fn burger(art: &mut Art, _: &Tones) {
    art.body(
        "M-170 80 L170 80 C170 140 140 160 100 160 L-100 160 C-140 160 -170 140 -170 80Z",
        rgb(0x00E0_9A3E),
    );
    art.body(rect((-180.0, 40.0), (360.0, 56.0), 28.0), rgb(0x006B_3A1E));
    art.body(
        "M-176 10 L176 10 L150 36 L110 30 L84 74 L58 34 L-60 34 L-84 60 L-110 32 L-176 36Z",
        rgb(0x00FF_C93C),
    );
    art.body("M-190 4 C-180 -30 -150 0 -130 -16 C-100 -30 -90 0 -60 -14 C-30 -30 -10 0 20 -14 C50 -30 70 0 100 -14 C130 -30 150 0 190 -10 C190 24 150 26 120 14 C90 30 60 26 30 16 C0 30 -30 26 -60 14 C-90 30 -120 26 -150 16 C-170 26 -190 20 -190 4Z", rgb(0x0052_B848));
    art.body("M-172 -20 C-172 -120 -90 -166 0 -166 C90 -166 172 -120 172 -20Z", rgb(0x00EC_A84A));
    for (x, y) in [
        (-90.0, -90.0),
        (-40.0, -128.0),
        (-20.0, -76.0),
        (30.0, -116.0),
        (60.0, -70.0),
        (104.0, -96.0),
        (-120.0, -52.0),
        (10.0, -44.0),
    ] {
        art.detail(ellipse(x, y, 13.0, 8.0), rgb(0x00FF_F1CF));
    }
    art.shine("M-140 -60 C-130 -116 -70 -144 -20 -148 C-70 -130 -104 -100 -116 -56Z", 0.45);
}

pub(super) fn cake(art: &mut Art, tones: &Tones) {
    art.body(ellipse(0.0, 160.0, 190.0, 34.0), rgb(0x00E6_EAF2));
    art.body("M-150 -10 L150 -10 L150 146 C80 172 -80 172 -150 146Z", rgb(0x00F7_C98B));
    art.detail("M-150 62 C-80 86 80 86 150 62 L150 96 C80 120 -80 120 -150 96Z", tones.accent);
    art.body("M-158 -20 C-158 -80 158 -80 158 -20 C158 30 130 50 112 20 C96 60 60 70 44 26 C24 62 -14 64 -30 26 C-50 70 -90 60 -104 20 C-126 50 -158 30 -158 -20Z", rgb(0x00FF_F4F7));
    for (x, colour) in [(-80.0, tones.pop), (0.0, tones.accent), (80.0, tones.pop)] {
        art.body(rect((x - 12.0, -136.0), (24.0, 92.0), 8.0), colour);
        art.body(
            format!(
                "M{x} -192 C{} -160 {} -140 {x} -138 C{} -140 {} -160 {x} -192Z",
                x + 26.0,
                x + 22.0,
                x - 22.0,
                x - 26.0
            ),
            rgb(0x00FF_A41F),
        );
    }
    art.shine("M-140 -26 C-130 -56 -60 -64 0 -64 C-60 -54 -110 -46 -124 -14Z", 0.8);
}

pub(super) fn coffee(art: &mut Art, tones: &Tones) {
    art.bar("M110 -20 C200 -40 200 100 96 90", rgb(0x00F5_F6FA), 28.0);
    art.body(ellipse(-10.0, 160.0, 180.0, 32.0), tones.pop);
    art.body(
        "M-140 -60 L120 -60 C124 60 100 150 40 160 L-60 160 C-120 150 -144 60 -140 -60Z",
        rgb(0x00F5_F6FA),
    );
    art.body(ellipse(-10.0, -60.0, 130.0, 36.0), rgb(0x006A_3A1D));
    art.faint(ellipse(-10.0, -56.0, 70.0, 16.0), rgb(0x00D2_A06B), 0.9);
    art.detail("M-10 90 C-80 40 -60 -4 -10 26 C40 -4 60 40 -10 90Z", tones.accent);
    art.bar("M-60 -190 C-90 -160 -30 -140 -60 -112 M-10 -196 C-40 -166 20 -146 -10 -118 M40 -190 C10 -160 70 -140 40 -112", tones.light, 11.0);
    art.shine("M-120 -20 L-96 -14 C-98 60 -86 110 -66 140 C-106 110 -120 50 -120 -20Z", 0.9);
}

pub(super) fn plane(art: &mut Art, tones: &Tones) {
    art.body("M-20 -10 L-120 -150 L-80 -160 L70 -50Z", tones.pop);
    art.body("M-130 40 L-186 -30 L-156 -40 L-90 10Z", tones.pop);
    art.body("M-150 60 C-120 20 100 -80 160 -96 C200 -104 206 -72 176 -54 C100 -6 -40 64 -100 84 C-130 92 -160 84 -150 60Z", rgb(0x00F7_F9FD));
    art.shade("M-150 64 C-80 60 100 -30 196 -84 C190 -64 180 -56 176 -54 C100 -6 -40 64 -100 84 C-130 92 -152 84 -150 64Z", 0.2);
    art.body("M0 20 L60 -10 L50 160 L14 170Z", tones.accent);
    art.body("M-120 66 L-80 46 L-96 110 L-116 114Z", tones.accent);
    for i in 0..6_u8 {
        let x = -70.0 + f32::from(i) * 34.0;
        art.detail(circle(x, 28.0 - f32::from(i) * 17.5, 8.0), rgb(0x0024_3B63));
    }
    art.detail("M140 -86 L168 -92 L176 -80 L152 -70Z", rgb(0x0024_3B63));
}

pub(super) fn mountain(art: &mut Art, tones: &Tones) {
    art.body(circle(90.0, -110.0, 70.0), rgb(0x00FF_C93C));
    art.body("M20 170 L120 -50 L196 170Z", tones.pop);
    art.body("M-196 170 L-40 -150 L120 170Z", tones.main);
    art.detail("M-40 -150 L-92 -44 L-62 -62 L-44 -28 L-18 -58 L14 -36Z", rgb(0x00FF_FFFF));
    art.detail("M120 -50 L98 0 L116 -8 L128 10 L142 14Z", rgb(0x00FF_FFFF));
    art.shade("M-40 -150 L120 170 L10 170 L-10 40 L-44 -28Z", 0.22);
    for (x, y, s) in [(-150.0, 176.0, 1.0), (-96.0, 180.0, 1.3), (150.0, 178.0, 1.2), (70.0, 182.0, 0.9)] {
        art.body(polygon(&[(x - 30.0 * s, y), (x, y - 90.0 * s), (x + 30.0 * s, y)]), rgb(0x001F_7A4D));
    }
}

pub(super) fn palm(art: &mut Art, _: &Tones) {
    art.body(circle(80.0, -80.0, 100.0), rgb(0x00FF_B03B));
    art.bar("M10 160 C-10 60 -30 -20 -60 -80", rgb(0x008A_5A2B), 30.0);
    for d in [
        "M-60 -84 C-120 -150 -180 -110 -196 -40 C-150 -90 -110 -90 -60 -84Z",
        "M-60 -84 C-70 -170 -150 -196 -190 -150 C-140 -150 -100 -120 -60 -84Z",
        "M-60 -84 C-30 -176 50 -196 100 -150 C40 -150 0 -120 -60 -84Z",
        "M-60 -84 C10 -140 90 -100 110 -30 C60 -80 10 -90 -60 -84Z",
        "M-60 -84 C-10 -60 10 0 -10 60 C-30 0 -40 -40 -60 -84Z",
    ] {
        art.body(d, rgb(0x0023_A455));
    }
    art.detail(circle(-52.0, -66.0, 18.0), rgb(0x006B_3A1E));
    art.detail(circle(-80.0, -62.0, 16.0), rgb(0x007A_4524));
    art.body("M-190 160 C-100 110 110 110 190 160 C150 190 -150 190 -190 160Z", rgb(0x00FF_E0A0));
}

pub(super) fn house(art: &mut Art, tones: &Tones) {
    art.body(rect((70.0, -160.0), (50.0, 110.0), 6.0), tones.dark);
    art.body(rect((-140.0, -30.0), (280.0, 200.0), 10.0), rgb(0x00FF_F3DD));
    art.body("M-196 0 L0 -176 L196 0 L160 26 L0 -114 L-160 26Z", tones.accent);
    art.body(rect((-30.0, 60.0), (70.0, 110.0), 8.0), tones.main);
    art.detail(circle(26.0, 116.0, 7.0), rgb(0x00FF_D84A));
    for x in [-112.0, 66.0] {
        art.detail(rect((x, 26.0), (54.0, 54.0), 6.0), rgb(0x008C_D8FF));
        art.line(
            format!("M{} 26 L{} 80 M{x} 53 L{} 53", x + 27.0, x + 27.0, x + 54.0),
            rgb(0x00FF_FFFF),
            6.0,
        );
    }
    art.shine("M0 -160 L-170 -8 L-160 2 L0 -142Z", 0.4);
}

pub(super) fn leaf(art: &mut Art, tones: &Tones) {
    art.bar("M-170 180 C-120 90 -60 40 0 0", rgb(0x001B_7A43), 18.0);
    art.body("M-110 110 C-190 -40 -40 -190 180 -180 C200 20 60 190 -110 110Z", rgb(0x0034_C26B));
    art.shade("M-110 110 C-20 20 80 -80 180 -180 C200 20 60 190 -110 110Z", 0.16);
    art.line(
        "M-110 110 C-20 20 80 -80 150 -150 M-20 22 L-24 -70 M-20 22 L70 34 M50 -50 L52 -120 M50 -50 L122 -44",
        rgb(0x001B_7A43),
        8.0,
    );
    art.shine("M-116 60 C-140 -40 -50 -130 60 -152 C-30 -110 -90 -40 -96 50Z", 0.35);
    art.detail(circle(118.0, 30.0, 12.0), tones.light);
}

pub(super) fn paw(art: &mut Art, tones: &Tones) {
    art.body("M0 -10 C60 -10 120 60 118 110 C116 160 70 160 0 150 C-70 160 -116 160 -118 110 C-120 60 -60 -10 0 -10Z", tones.accent);
    for (x, y, r) in
        [(-136.0, -20.0, 42.0), (-56.0, -108.0, 46.0), (56.0, -108.0, 46.0), (136.0, -20.0, 42.0)]
    {
        art.body(ellipse(x, y, r, r * 1.25), tones.accent);
        art.shine(ellipse(x - 12.0, y - 20.0, r * 0.28, r * 0.36), 0.45);
    }
    art.shine(ellipse(-46.0, 46.0, 26.0, 18.0), 0.4);
}

pub(super) fn person(art: &mut Art, tones: &Tones) {
    art.body("M-190 200 C-180 110 -110 84 0 84 C110 84 180 110 190 200Z", tones.accent);
    art.body("M-46 60 L46 60 L52 110 C30 140 -30 140 -52 110Z", rgb(0x00DD_9C6C));
    for x in [-112.0, 112.0] {
        art.body(ellipse(x, -30.0, 22.0, 30.0), rgb(SKIN));
    }
    art.body("M-112 -60 C-112 -180 112 -180 112 -60 C116 30 60 92 0 92 C-60 92 -116 30 -112 -60Z", rgb(SKIN));
    art.body("M-120 -50 C-150 -170 -60 -206 10 -192 C100 -200 146 -130 120 -44 C106 -70 100 -96 84 -110 C30 -84 -50 -84 -90 -112 C-104 -96 -112 -70 -120 -50Z", rgb(0x003A_2416));
    art.shine("M-84 -150 C-50 -184 20 -184 50 -176 C0 -170 -50 -160 -78 -128Z", 0.22);
    for x in [-46.0, 46.0] {
        art.detail(ellipse(x, -34.0, 25.0, 27.0), rgb(0x00FF_FFFF));
        art.detail(circle(x + 3.0, -32.0, 14.0), rgb(0x0026_1A14));
        art.detail(circle(x + 8.0, -38.0, 5.0), rgb(0x00FF_FFFF));
        art.faint(ellipse(x * 1.5, 14.0, 22.0, 14.0), rgb(0x00F0_7A6A), 0.45);
    }
    art.line("M-78 -78 C-60 -94 -36 -92 -22 -80 M22 -84 C36 -100 64 -98 78 -84", rgb(0x003A_2416), 11.0);
    art.detail("M-48 26 L48 26 C46 78 -46 78 -48 26Z", rgb(0x007A_1F22));
    art.detail("M-42 26 L42 26 L38 40 L-38 40Z", rgb(0x00FF_FFFF));
    art.shade(
        "M112 -60 C116 30 60 92 0 92 C-14 92 -30 88 -44 80 C40 70 84 10 84 -100 C100 -96 108 -80 112 -60Z",
        0.12,
    );
}
