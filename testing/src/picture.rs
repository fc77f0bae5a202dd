//! Pictures to upload.

use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A PNG of one colour. Another shade is another picture.
pub fn picture(shade: u8) -> Bytes {
    const SIDE: u32 = 64;
    let picture = RgbImage::from_pixel(SIDE, SIDE, Rgb([shade, 90, 200]));
    let mut png = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner().into()
}
