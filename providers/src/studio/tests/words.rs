//! Words: fonts, fitting, contrast.

use super::*;

#[test]
fn words_contrast_with_what_surrounds_them_in_every_palette() {
    let grounds =
        ["#000000", "#FFFFFF", "#808080", "#FFE600", "#2A0A5E", "#FB3E3E", "#8FE8C0", "#FBE3EA", "#0000FF"];
    for base in grounds {
        for accent in grounds {
            let [base_colour, accent_colour] = [base, accent].map(|c| c.parse().unwrap());
            let palette = Palette::of(base_colour, base_colour, accent_colour, accent_colour);
            for finish in [Finish::Classic, Finish::Pro, Finish::Lightning] {
                for is_loud in [false, true] {
                    let voice = lettering::voice(&palette, finish, is_loud);
                    let ratio = contrast(voice.fill, voice.surround);
                    assert!(ratio >= 4.5, "{base} {accent} {finish:?} {is_loud}: {ratio}");
                }
            }
        }
    }
}

#[test]
fn a_turned_block_stays_inside_the_canvas_and_its_area() {
    for energy in [5, 10] {
        let mut brief = Brief::of_job(&job("Extremely Long Headline Words", "gaming", &[], "classic"));
        let wish = Wish {
            kind: Kind::Left,
            size: TextSize::Large,
            energy,
            has_face: false,
            has_logo: false,
            has_text: true,
        };
        brief.layout = Layout::of(wish, &mut dice::Dice::salted(1, &[]));
        let area = compose::inset(&brief.layout.text, &brief);
        let block = headline::fit(&brief.text, brief.font, &area, 0.0).unwrap().unwrap();
        let ink = lettering::extent(&block).unwrap();
        let (cx, cy) = ink.center();
        let (sin, cos) = brief.layout.tilt.to_radians().sin_cos();
        for (x, y) in
            [(ink.x, ink.y), (ink.x + ink.w, ink.y), (ink.x, ink.y + ink.h), (ink.x + ink.w, ink.y + ink.h)]
        {
            let (dx, dy) = (x - cx, y - cy);
            let (px, py) = (cx + dx * cos - dy * sin, cy + dx * sin + dy * cos);
            let outer = brief.layout.text;
            assert!(px >= outer.x && px <= outer.x + outer.w, "{px} {outer:?}");
            assert!(py >= outer.y - 1.0 && py <= outer.y + outer.h + 1.0, "{py} {outer:?}");
        }
    }
}

#[test]
fn other_alphabets_are_drawn_or_left_out_but_never_break() {
    for text in ["Русский заголовок", "Ελληνικά νέα", "Tiếng Việt Ở Đây", "Überraschung ÇA VA ñ"]
    {
        let font = Font::Anton.covering(text);
        let inks = measure(font, &text.split(' ').map(|word| font.case(word)).collect::<Vec<_>>()).unwrap();
        assert!(inks.iter().all(|ink| ink.width > 20.0), "{text} in {font:?}");
        assert_eq!(drawable(text), text);
    }
    assert_eq!(drawable("🔥 Hot 🚀 Deal 🔥"), "Hot Deal");
    for text in ["日本語のタイトル", "مرحبا بالعالم", "🔥🔥🔥", "", "   "] {
        let mut job = job(text, "travel", &[], "classic");
        job.custom_text = Some(text.to_owned());
        assert_eq!(Brief::of_job(&job).text, "", "{text}");
        assert!(draw(&job).png.len() > 10_000);
    }
}

#[test]
fn every_bundled_font_has_the_characters_it_claims() {
    for font in
        [Font::Anton, Font::Bangers, Font::ArchivoBlack, Font::RobotoCondensed, Font::Playfair, Font::Lobster]
    {
        let claimed: Vec<String> =
            ('!'..='\u{2122}').filter(|c| font.has(*c) && c.is_alphanumeric()).map(String::from).collect();
        let inks = measure(font, &claimed).unwrap();
        let missing: Vec<_> = claimed.iter().zip(&inks).filter(|(_, ink)| ink.width < 1.0).collect();
        assert!(missing.is_empty(), "{font:?} lacks {missing:?}");
    }
}

#[test]
fn markup_in_words_is_only_words() {
    let mut job = gaming("classic");
    job.custom_text = Some("</text><image href='face'/> & \"Q\" <b>".to_owned());
    assert!(draw(&job).png.len() > 10_000);
}

#[test]
fn very_long_words_and_texts_still_fit() {
    let area = Area { x: 0.0, y: 0.0, w: 600.0, h: 500.0 };
    for text in ["A", &"word ".repeat(60), &"x".repeat(300)] {
        let block = headline::fit(text, Font::Anton, &area, 0.5).unwrap().unwrap();
        let ink = lettering::extent(&block).unwrap();
        assert!(ink.w <= 600.5 && ink.h <= 500.5 && ink.x >= -0.5 && ink.y >= -0.5, "{ink:?}");
    }
}
