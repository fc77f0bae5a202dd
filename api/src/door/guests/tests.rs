//! Who is let in, and who goes.

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn guests(all: usize, of_one_address: usize) -> Guests {
    Guests::new(Limits { all, of_one_address: Some(of_one_address) })
}

/// Tells whether a connection was told to go.
async fn goes(guest: &Guest) -> bool {
    tokio::select! {
        biased;
        () = guest.line().told_to_go() => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn the_connection_of_an_address_that_has_waited_longest_makes_room_for_the_next() {
    let guests = guests(10, 2);
    let stranger = guests.admit(address("192.0.2.9")).unwrap();
    let (first, second) =
        (guests.admit(address("192.0.2.1")).unwrap(), guests.admit(address("192.0.2.1")).unwrap());
    first.line().gets_busy();
    first.line().waits();
    let third = guests.admit(address("192.0.2.1")).unwrap();
    assert!(goes(&second).await, "it has waited longest");
    assert!(!goes(&first).await && !goes(&third).await && !goes(&stranger).await);
}

#[tokio::test]
async fn a_connection_with_a_request_makes_no_room() {
    let guests = guests(10, 1);
    let busy = guests.admit(address("192.0.2.1")).unwrap();
    busy.line().gets_busy();
    assert!(guests.admit(address("192.0.2.1")).is_none());
    assert!(guests.admit(address("192.0.2.2")).is_some());
    drop(busy);
    assert!(guests.admit(address("192.0.2.1")).is_some(), "its place is free again");
}

#[tokio::test]
async fn an_ipv6_network_of_64_bits_is_one_address_and_so_is_ipv4_in_either_form() {
    for (one, other) in [("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), ("192.0.2.1", "::ffff:192.0.2.1")] {
        let guests = guests(10, 1);
        let first = guests.admit(address(one)).unwrap();
        let _second = guests.admit(address(other)).unwrap();
        assert!(goes(&first).await, "{one} and {other} are one");
    }
    assert_ne!(network(address("2001:db8:0:1::1")), network(address("2001:db8:0:2::1")));
}

#[tokio::test]
async fn places_are_counted_once_for_a_connection_that_was_told_to_go() {
    let guests = guests(1, 10);
    let first = guests.admit(address("192.0.2.1")).unwrap();
    let second = guests.admit(address("192.0.2.2")).unwrap();
    second.line().gets_busy();
    drop(first);
    assert!(guests.admit(address("192.0.2.3")).is_none(), "the second has the only place");
}
