//! Pictures for uploads.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

/// A PNG with a plain circle on a plain ground.
pub fn png(colour: [u8; 3]) -> Vec<u8> {
    const SIDE: u32 = 160;
    let centre = SIDE.cast_signed() / 2;
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let (dx, dy) = (x.cast_signed() - centre, y.cast_signed() - centre);
        if dx * dx + dy * dy < 60 * 60 { Rgb(colour) } else { Rgb([240, 240, 240]) }
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG that says it has 50,000 by 50,000 pixels and holds none of them.
pub fn pixel_bomb() -> Vec<u8> {
    let mut bytes = png([1, 2, 3]);
    // Width and height of the header chunk, and its checksum, as the PNG specification places them.
    bytes[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
