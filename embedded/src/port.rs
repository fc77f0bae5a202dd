//! Owns the choice of a loopback port and of a password. Refuses to promise that a port stays free:
//! the caller starts its server and, when the port was taken meanwhile, asks for another.

use std::net::{Ipv4Addr, TcpListener};

use crate::EmbeddedError;

/// Below the range from which Linux and macOS take ports of outgoing connections, so that a server
/// that restarts finds its port free.
const PORT_FIRST: u16 = 20_000;
const PORT_LAST: u16 = 31_999;
const PROBES_MAX: usize = 200;
const PASSWORD_BYTES: usize = 16;

pub(crate) fn free() -> Result<u16, EmbeddedError> {
    for _ in 0..PROBES_MAX {
        let port = PORT_FIRST + u16::from_le_bytes(random()?) % (PORT_LAST - PORT_FIRST + 1);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(EmbeddedError::NoFreePort { first: PORT_FIRST, last: PORT_LAST })
}

/// Lower-case hexadecimal: needs no quoting in a URL, a configuration file or SQL.
pub(crate) fn password() -> Result<String, EmbeddedError> {
    Ok(hex::encode(random::<PASSWORD_BYTES>()?))
}

fn random<const N: usize>() -> Result<[u8; N], EmbeddedError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|cause| EmbeddedError::Random { cause })?;
    Ok(bytes)
}
