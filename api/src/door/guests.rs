//! The connections that are open: how many there may be, and which one goes when one more comes.
//!
//! A connection without a request costs its client nothing, so at the limit the one that has waited longest for a
//! request makes room. Nobody is turned away as long as anybody merely waits.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{counter, gauge};

use super::line::Line;

/// Numbers of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub all: usize,
    /// Of one IPv4 address or one IPv6 network of 64 bits; `None` where proxies stand in front, who are few.
    pub of_one_address: Option<usize>,
}

/// The open connections of a listener. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    last: u64,
    count: usize,
    of: HashMap<IpAddr, HashMap<u64, Arc<Line>>>,
}

/// A connection that was let in. Its place is free again when this is dropped.
#[derive(Debug)]
pub struct Guest {
    guests: Guests,
    from: IpAddr,
    number: u64,
    line: Arc<Line>,
}

impl Guests {
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner { limits, present: Mutex::default() }))
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.0.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in; `None` where every place is taken by a connection with a request.
    pub fn admit(&self, address: IpAddr) -> Option<Guest> {
        let from = network(address);
        let mut present = self.present();
        let limits = self.0.limits;
        let of_address = present.of.get(&from).map_or(0, HashMap::len);
        let has_room = (limits.of_one_address.is_none_or(|max| of_address < max)
            || present.evict(Some(from)))
            && (present.count < limits.all || present.evict(None));
        if !has_room {
            counter!("routix_connections_refused_total").increment(1);
            return None;
        }
        let line = Arc::new(Line::open());
        let number = present.enter(from, line.clone());
        drop(present);
        Some(Guest { guests: self.clone(), from, number, line })
    }

    /// Ends the connection that has waited longest, where the system has no room for one more.
    pub fn make_room(&self) {
        self.present().evict(None);
    }
}

impl Present {
    fn enter(&mut self, from: IpAddr, line: Arc<Line>) -> u64 {
        self.last += 1;
        self.count += 1;
        self.of.entry(from).or_default().insert(self.last, line);
        gauge!("routix_connections").increment(1.0);
        self.last
    }

    fn leave(&mut self, from: IpAddr, number: u64) -> Option<Arc<Line>> {
        let of_address = self.of.get_mut(&from)?;
        let line = of_address.remove(&number)?;
        if of_address.is_empty() {
            self.of.remove(&from);
        }
        self.count -= 1;
        gauge!("routix_connections").decrement(1.0);
        Some(line)
    }

    /// Tells the connection that has waited longest to go, of one address or of all. False when none waits.
    fn evict(&mut self, of: Option<IpAddr>) -> bool {
        let chosen = self.of.iter().filter(|(from, _)| of.is_none_or(|of| of == **from));
        let waiting = chosen.flat_map(|(from, lines)| {
            lines.iter().filter_map(|(number, line)| Some((line.waiting_since()?, *from, *number)))
        });
        let Some((_, from, number)) = waiting.min_by_key(|(since, ..)| *since) else { return false };
        if let Some(line) = self.leave(from, number) {
            line.go();
            counter!("routix_connections_evicted_total").increment(1);
        }
        true
    }
}

impl Guest {
    pub fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.present().leave(self.from, self.number);
    }
}

/// The network that one customer of a provider has: an IPv4 address, or the first 64 bits of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    const PREFIX: u32 = 64;
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << PREFIX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;
