//! Examples of what happens to accounts, sessions, assets and audit trails.

use crate::asset::AssetEvent;
use crate::audit_trail::AuditTrailEvent;
use crate::conversation::PictureKind;
use crate::session::{EndReason, SessionEvent, TokenHash};
use crate::tests::examples::{ALICE, FACE, LOGIN, LOGO, hers, minute, picture};
use crate::user::{AskedBy, Role, UserEvent};
use crate::{EmailAddress, Username};

pub(super) fn user() -> Vec<UserEvent> {
    let registered = |role| UserEvent::UserRegistered {
        user_id: ALICE,
        email: hers(EmailAddress::parse("alice@example.com").unwrap()),
        username: hers(Username::parse("Alice").unwrap()),
        password_hash: hers("hash 1".to_owned()),
        role,
        registered_at: minute(0),
    };
    let erased = |asked_by| UserEvent::PersonErased { user_id: ALICE, asked_by, erased_at: minute(4) };
    vec![
        erased(AskedBy::Admin { user_id: ALICE }),
        erased(AskedBy::Operator),
        registered(Role::User),
        registered(Role::Admin),
        UserEvent::PasswordChanged { password_hash: hers("hash 2".to_owned()), changed_at: minute(1) },
        UserEvent::PasswordHashRaised { password_hash: hers("hash 3".to_owned()), raised_at: minute(1) },
        UserEvent::UserDeactivated { reason: "spam".to_owned(), deactivated_at: minute(2) },
        UserEvent::UserReactivated { reactivated_at: minute(3) },
    ]
}

pub(super) fn session() -> Vec<SessionEvent> {
    let token = |text: &str| TokenHash(text.to_owned());
    let ended = |reason| SessionEvent::SessionEnded {
        session_id: LOGIN,
        user_id: ALICE,
        reason,
        ended_at: minute(9),
    };
    vec![
        SessionEvent::SessionStarted {
            session_id: LOGIN,
            user_id: ALICE,
            token: token("f00d"),
            started_at: minute(0),
            expires_at: minute(60),
        },
        SessionEvent::SessionRefreshed {
            user_id: ALICE,
            token: token("beef"),
            refreshed_at: minute(5),
            expires_at: minute(65),
        },
        ended(EndReason::LoggedOut),
        ended(EndReason::TokenReused),
    ]
}

pub(super) fn asset() -> Vec<AssetEvent> {
    let uploaded = |asset_id, kind| AssetEvent::AssetUploaded {
        asset_id,
        owner: ALICE,
        kind,
        picture: picture("assets/face.png"),
        file_name: hers("me at the beach.png".to_owned()),
        uploaded_at: minute(0),
    };
    vec![
        uploaded(FACE, PictureKind::Face),
        uploaded(LOGO, PictureKind::Logo),
        AssetEvent::AssetDeleted { asset_id: FACE, deleted_at: minute(1) },
    ]
}

pub(super) fn audit_trail() -> Vec<AuditTrailEvent> {
    vec![
        AuditTrailEvent::ProjectionRetryRequested {
            admin: ALICE,
            projection: "credits".to_owned(),
            parked: 3,
            requested_at: minute(0),
        },
        AuditTrailEvent::WorkRetryRequested {
            admin: ALICE,
            work_id: ALICE.0,
            role: "analysis".to_owned(),
            task: "analyze".to_owned(),
            requested_at: minute(1),
        },
    ]
}
