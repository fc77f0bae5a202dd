//! Tokens that are remembered.

use chrono::TimeDelta;

use super::*;

#[test]
fn a_token_that_was_good_before_expires_and_does_no_other_ones_work() {
    let keys = TokenKeys::new(&MasterKey::from_secret(b"a secret of at least thirty-two bytes"));
    let now = clock::now();
    let (access, _) = keys
        .issue(&SessionTokens {
            session_id: SessionId(clock::new_id()),
            user_id: UserId(clock::new_id()),
            refresh_id: clock::new_id(),
            command_id: clock::new_id(),
            issued_at: now,
            refresh_expires_at: now + TimeDelta::days(7),
        })
        .unwrap();
    let is_good = |at, kind| keys.check_at(at, &access, kind).is_ok();
    let life = TimeDelta::from_std(ACCESS_LIFE).unwrap();
    assert!(is_good(now, TokenType::Access));
    assert!(is_good(now + life, TokenType::Access));
    assert!(!is_good(now + life + TimeDelta::seconds(1), TokenType::Access));
    assert!(!is_good(now, TokenType::Refresh));
    // A token that differs in one letter of its signature is another one, whatever is remembered.
    let (signed, signature) = access.rsplit_once('.').unwrap();
    let letter = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{signed}.{letter}{}", &signature[1..]);
    assert!(keys.check(&forged, TokenType::Access).is_err());
}
