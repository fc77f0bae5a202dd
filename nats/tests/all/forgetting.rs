//! Short-lived state is removed by the server: no clean-up of ours has to.

use std::time::Duration;

use event_log::clock;
use nats::{RateLimiter, Ticket, Tickets};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_buckets_of_tickets_and_of_rate_windows_have_an_age_at_which_the_server_removes_what_is_in_them()
{
    let world = World::new().await;
    let ticket = Ticket { user_id: clock::new_id(), session_id: clock::new_id() };
    Tickets::new(world.bus.clone()).issue("a-hash", &ticket).await.unwrap();
    let limiter = RateLimiter::new(world.bus.clone());
    assert!(limiter.hit("somebody", 1, Duration::from_mins(1)).await.allowed);
    let jetstream = world.jetstream().await;
    for (bucket, life) in
        [("KV_ROUTIX_TICKETS", Tickets::LIFE), ("KV_ROUTIX_RATE_WINDOWS", RateLimiter::LIFE)]
    {
        let stream = jetstream.get_stream(bucket).await.unwrap();
        let state = stream.cached_info();
        assert_eq!((state.state.messages, state.config.max_age), (1, life), "{bucket}");
    }
}
