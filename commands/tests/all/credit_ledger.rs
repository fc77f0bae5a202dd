//! Commands to credit ledgers.

mod grant_credits {
    use commands::CommandError;
    use domain::credit_ledger::{CreditLedgerError, GrantReason};
    use domain::{Credits, UserId};
    use testing::{SIGNUP_CREDITS, World, command_of};
    use uuid::Uuid;

    use crate::ask::{is_absent, refused, twice};

    #[tokio::test]
    async fn happy_the_balance_rises() {
        let world = World::start().await;
        let user = world.user().await;
        let grant = world.commands.grant_credits(command_of(user), user, Credits(5), GrantReason::TopUp);
        grant.await.unwrap();
        assert_eq!(world.commands.available_credits(user).await.unwrap(), Credits(SIGNUP_CREDITS + 5));
    }

    #[tokio::test]
    async fn refused_nothing_and_nobody() {
        let world = World::start().await;
        let (user, nobody) = (world.user().await, UserId(Uuid::from_u128(9)));
        let grant = |user, amount| {
            world.commands.grant_credits(command_of(user), user, Credits(amount), GrantReason::TopUp)
        };
        let refusal = refused(&world, grant(user, 0)).await;
        assert!(matches!(refusal, CommandError::CreditLedger(CreditLedgerError::NothingToDo)), "{refusal:?}");
        assert!(is_absent(&refused(&world, grant(nobody, 5)).await));
    }

    #[tokio::test]
    async fn repeated_it_is_given_once() {
        let world = World::start().await;
        let user = world.user().await;
        let send =
            async |context| world.commands.grant_credits(context, user, Credits(5), GrantReason::TopUp).await;
        twice(&world, command_of(user), send).await;
        assert_eq!(world.commands.available_credits(user).await.unwrap(), Credits(SIGNUP_CREDITS + 5));
    }
}
