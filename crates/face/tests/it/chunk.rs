//! PNG files with more in them than a picture.

/// Puts a chunk behind the header.
pub(crate) fn insert_chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(data);
    let crc = !chunk[4..].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 {
                0xEDB8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        })
    });
    chunk.extend(crc.to_be_bytes());
    png.splice(33..33, chunk);
}
