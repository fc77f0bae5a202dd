//! Places for hashes, and hashes that are raised.

use super::*;

fn weak(password: &[u8]) -> String {
    let params = Params::new(8192, 1, 1, None).unwrap();
    let salt = SaltString::encode_b64(b"salt of sixteen.").unwrap();
    let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    weaker.hash_password(password, &salt).unwrap().to_string()
}

#[tokio::test]
async fn a_weak_hash_is_replaced_where_the_password_fits_and_a_strong_one_is_left() {
    let passwords = Passwords::new();
    let weak = weak(b"correct horse");
    let right = passwords.verify("correct horse", Some(&weak)).await.unwrap();
    let stronger = right.stronger.expect("the parameters have risen");
    assert!(right.fits && !is_weak(&PasswordHash::new(&stronger).unwrap()));
    let again = passwords.verify("correct horse", Some(&stronger)).await.unwrap();
    assert!(again.fits && again.stronger.is_none());
    let wrong = passwords.verify("battery staple", Some(&weak)).await.unwrap();
    assert!(!wrong.fits && wrong.stronger.is_none());
}

#[tokio::test]
async fn a_hash_keeps_its_place_when_nobody_waits_for_it_any_more() {
    let passwords = Passwords::new();
    let places = passwords.permits.available_permits();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let hanging = passwords.off_thread(move || is_done.recv());
    // Polled once: the work has begun. Then its request is dropped.
    assert!(futures::poll!(std::pin::pin!(hanging)).is_pending());
    assert_eq!(passwords.permits.available_permits(), places - 1);
    drop(done);
    let all = u32::try_from(places).unwrap();
    assert!(passwords.permits.acquire_many(all).await.is_ok(), "it is free when the work is done");
}

#[tokio::test]
async fn the_queue_has_an_end() {
    let passwords = Passwords::new();
    let places = u32::try_from(passwords.permits.available_permits()).unwrap();
    let taken = passwords.permits.clone().acquire_many_owned(places).await.unwrap();
    let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(passwords.permit())).collect();
    for one in &mut waiting {
        assert!(futures::poll!(one).is_pending());
    }
    assert!(matches!(passwords.permit().await, Err(CommandError::TooBusy)));
    drop(waiting);
    drop(taken);
    assert!(passwords.permit().await.is_ok());
}
