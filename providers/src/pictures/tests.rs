//! Uploads that are what they say, and some that are not.

use std::time::{Duration, Instant};

use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn photo(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 120])
    }))
}

fn cutout(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, |x, _| {
        Rgba([200, 30, 40, if x < 10 { 0 } else { 255 }])
    }))
}

/// A PNG whose header claims a size and whose pixel data is missing.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let crc = header.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    });
    let mut png = vec![0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13];
    png.extend(header);
    png.extend((!crc).to_be_bytes());
    png.extend([0, 0, 0, 0]);
    png.extend(b"IDAT");
    png.extend([0x35, 0xAF, 0x06, 0x1E]);
    png
}

#[test]
fn opaque_pictures_become_jpeg_and_transparent_ones_png() {
    let limits = PictureLimits::default();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let picture = normalise(&encoded(&photo(64, 48), format), &limits).unwrap();
        assert_eq!((picture.mime, picture.extension), ("image/jpeg", "jpg"));
        assert_eq!((picture.width, picture.height), (64, 48));
        assert!(picture.bytes.starts_with(&[0xFF, 0xD8, 0xFF]));
    }
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let picture = normalise(&encoded(&cutout(64, 48), format), &limits).unwrap();
        assert_eq!((picture.mime, picture.extension), ("image/png", "png"));
        let back = image::load_from_memory(&picture.bytes).unwrap().to_rgba8();
        assert_eq!((back.get_pixel(0, 0).0[3], back.get_pixel(63, 0).0), (0, [200, 30, 40, 255]));
    }
}

#[test]
fn a_pixel_bomb_is_refused_by_its_header() {
    let start = Instant::now();
    let refused = normalise(&png_header(60_000, 60_000), &PictureLimits::default());
    assert_eq!(refused, Err(PictureError::TooManyPixels { pixels: 3_600_000_000, max: 40_000_000 }));
    assert!(start.elapsed() < Duration::from_millis(200), "the bomb was decoded");
    let refused = thumbnail(&png_header(60_000, 60_000), 320);
    assert!(matches!(refused, Err(PictureError::TooManyPixels { .. })));
}

#[test]
fn the_bytes_decide_the_type_not_the_name() {
    let limits = PictureLimits::default();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for bytes in
        [b"MZ\x90\x00renamed.exe".as_slice(), b"GIF89a\x01\x00\x01\x00", b"%PDF-1.7", b"BM", svg, b""]
    {
        assert_eq!(normalise(bytes, &limits), Err(PictureError::UnsupportedType));
    }
}

#[test]
fn limits_are_refused_with_their_numbers() {
    let bytes = encoded(&photo(64, 48), ImageFormat::Png);
    let limits = PictureLimits { max_bytes: 100, ..PictureLimits::default() };
    assert_eq!(normalise(&bytes, &limits), Err(PictureError::TooLarge { bytes: bytes.len(), max: 100 }));
    let limits = PictureLimits { max_pixels: 3_000, ..PictureLimits::default() };
    assert_eq!(normalise(&bytes, &limits), Err(PictureError::TooManyPixels { pixels: 3_072, max: 3_000 }));
    assert_eq!(
        normalise(&encoded(&photo(8, 400), ImageFormat::Png), &PictureLimits::default()),
        Err(PictureError::TooSmall)
    );
}

#[test]
fn a_cut_off_picture_is_corrupt() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let bytes = encoded(&photo(200, 200), format);
        let refused = normalise(&bytes[..40], &PictureLimits::default());
        assert!(matches!(refused, Err(PictureError::Corrupt { .. })), "{format:?} gave {refused:?}");
    }
    assert!(matches!(
        normalise(&png_header(64, 64), &PictureLimits::default()),
        Err(PictureError::Corrupt { .. })
    ));
}

#[test]
fn metadata_and_trailing_bytes_do_not_survive() {
    let mut jpeg = encoded(&photo(64, 48), ImageFormat::Jpeg);
    let secret = b"Exif\0\0GPS-SECRET";
    let mut segment = vec![0xFF, 0xE1];
    segment.extend(u16::try_from(secret.len() + 2).unwrap().to_be_bytes());
    segment.extend(secret);
    jpeg.splice(2..2, segment);
    jpeg.extend(b"PK\x03\x04TRAILING-ZIP");
    let clean = normalise(&jpeg, &PictureLimits::default()).unwrap();
    let holds = |needle: &[u8]| clean.bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(b"GPS-SECRET") && !holds(b"TRAILING-ZIP"));
}

#[test]
fn previews_are_small_and_never_enlarged() {
    let preview = thumbnail(&encoded(&photo(1280, 720), ImageFormat::Png), 320).unwrap();
    assert_eq!((preview.width, preview.height, preview.mime), (320, 180, "image/jpeg"));
    let preview = thumbnail(&encoded(&cutout(64, 48), ImageFormat::Png), 320).unwrap();
    assert_eq!((preview.width, preview.height), (64, 48));
    let shown = image::load_from_memory(&preview.bytes).unwrap().to_rgb8().get_pixel(2, 2).0;
    assert!(shown.iter().all(|channel| *channel > 240), "transparent shows as {shown:?}");
}
