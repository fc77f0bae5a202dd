//! Commands to algorithms.

use commands::DefineAlgorithm;
use domain::{Credits, MicroUsd, Slug};

fn fast(slug: &str, is_default: bool) -> DefineAlgorithm {
    DefineAlgorithm {
        slug: Slug::parse(slug).unwrap(),
        display_name: "Fast".to_owned(),
        provider: testing::GENERATOR.to_owned(),
        config: serde_json::json!({ "finish": "pro" }),
        credit_cost: Credits(3),
        cost: MicroUsd(40_000),
        is_default,
    }
}

mod define_algorithm {
    use domain::algorithm::Algorithm;
    use domain::{Credits, UserId};
    use event_log::LogError;
    use testing::{World, command_of};
    use uuid::Uuid;

    use super::fast;
    use crate::ask::{refused, twice};
    use commands::CommandError;

    fn admin() -> UserId {
        UserId(Uuid::from_u128(1))
    }

    #[tokio::test]
    async fn happy_the_algorithm_is_offered_at_its_price() {
        let world = World::start().await;
        let done = world.commands.define_algorithm(command_of(admin()), fast("fast", true)).await.unwrap();
        let state = world.log.load::<Algorithm>(done.value).await.unwrap().state;
        let Algorithm::Active(definition) = state else { panic!("{state:?}") };
        assert_eq!((definition.slug.as_str(), definition.credit_cost), ("fast", Credits(3)));
    }

    #[tokio::test]
    async fn refused_a_slug_and_the_place_of_the_default_are_given_once() {
        let world = World::start().await;
        let define =
            |slug, is_default| world.commands.define_algorithm(command_of(admin()), fast(slug, is_default));
        define("fast", true).await.unwrap();
        for (slug, is_default) in [("fast", false), ("other", true)] {
            let refusal = refused(&world, define(slug, is_default)).await;
            assert!(matches!(refusal, CommandError::Log(LogError::Taken { .. })), "{refusal:?}");
        }
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_algorithm() {
        let world = World::start().await;
        let send = async |context| world.commands.define_algorithm(context, fast("fast", true)).await;
        twice(&world, command_of(admin()), send).await;
    }
}
