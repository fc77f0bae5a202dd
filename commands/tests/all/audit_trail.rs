//! Commands that go into the audit trail of an admin.

use domain::UserId;
use uuid::Uuid;

fn admin() -> UserId {
    UserId(Uuid::from_u128(1))
}

mod request_retry_of_projection {
    use domain::audit_trail::AuditTrail;
    use testing::{World, command_of};

    use super::admin;
    use crate::ask::twice;

    #[tokio::test]
    async fn happy_it_is_in_the_trail_and_belongs_to_the_house() {
        let world = World::start().await;
        let retry =
            world.commands.request_retry_of_projection(command_of(admin()), admin(), "conversations", 3);
        assert_eq!(retry.await.unwrap().value.requested, 3);
        let trail = world.log.load::<AuditTrail>(admin()).await.unwrap();
        assert_eq!(trail.state.acts, 1);
        let head = world.log.head().await.unwrap();
        let last = world.log.page(head.previous(), 1).await.unwrap().remove(0);
        assert_eq!((last.event_type.as_str(), last.owner_id), ("ProjectionRetryRequested", None));
    }

    #[tokio::test]
    async fn repeated_it_is_written_down_once() {
        let world = World::start().await;
        let send =
            async |context| world.commands.request_retry_of_projection(context, admin(), "credits", 1).await;
        twice(&world, command_of(admin()), send).await;
    }
}

mod request_retry_of_work {
    use domain::audit_trail::AuditTrail;
    use testing::{World, command_of};
    use uuid::Uuid;

    use super::admin;
    use crate::ask::twice;

    const WORK: Uuid = Uuid::from_u128(7);

    #[tokio::test]
    async fn happy_it_is_in_the_trail() {
        let world = World::start().await;
        let what = ("analysis", "analyze");
        let retry = world.commands.request_retry_of_work(command_of(admin()), admin(), WORK, what);
        assert_eq!(retry.await.unwrap().value.requested, 1);
        assert_eq!(world.log.load::<AuditTrail>(admin()).await.unwrap().state.acts, 1);
    }

    #[tokio::test]
    async fn repeated_it_is_written_down_once() {
        let world = World::start().await;
        let what = ("analysis", "analyze");
        let send = async |context| world.commands.request_retry_of_work(context, admin(), WORK, what).await;
        twice(&world, command_of(admin()), send).await;
    }
}
