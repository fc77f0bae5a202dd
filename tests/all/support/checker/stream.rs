//! JetStream as it is, read message by message.

use async_nats::jetstream::{self, stream::Stream};
use async_nats::{ConnectOptions, ServerAddr};

use super::stored::Stored;
use crate::support::eventually;

pub async fn connect(nats_url: &str) -> jetstream::Context {
    let servers: Vec<ServerAddr> = nats_url.split(',').map(|url| url.parse().unwrap()).collect();
    let (user, password) = (servers[0].username().unwrap(), servers[0].password().unwrap());
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    jetstream::new(options.connect(servers).await.unwrap())
}

/// The stream, once there is one: on a copied database the relay first waits for the lease of the one that died.
pub async fn events(nats_url: &str) -> Stream {
    let context = connect(nats_url).await;
    eventually("the stream is there", || async { context.get_stream("ROUTIX_EVENTS").await.ok() }).await
}

/// Sequence n holds the event of position n, or the stream starts later.
pub async fn equals_the_log(nats_url: &str, log: &[Stored]) {
    let stream = events(nats_url).await;
    let head = log.len() as u64;
    let first = eventually("invariant 4: the stream reaches the head of the log", || async {
        let state = stream.get_info().await.unwrap().state;
        (state.last_sequence == head).then_some(state.first_sequence)
    })
    .await;
    for event in log.iter().skip(usize::try_from(first.saturating_sub(1)).unwrap()) {
        let sequence = u64::try_from(event.position).unwrap();
        let message = stream.get_raw_message(sequence).await.unwrap();
        let header = |name: &str| message.headers.get(name).map(ToString::to_string).unwrap_or_default();
        assert_eq!(message.sequence, sequence, "invariant 4");
        assert_eq!(header("ce-id"), event.event_id.to_string(), "invariant 4: message {sequence}");
        assert_eq!(header("routix-position"), event.position.to_string(), "invariant 4: message {sequence}");
        assert_eq!(header("routix-chain"), hex::encode(&event.chain), "invariant 4: message {sequence}");
        assert_eq!(header("ce-specversion"), "1.0", "invariant 4: message {sequence}");
        assert_eq!(
            message.subject.as_str(),
            format!("routix.events.{}.{}", event.aggregate, event.event),
            "invariant 4"
        );
        assert_eq!(message.payload, event.payload_text.as_bytes(), "invariant 4: message {sequence}");
    }
}

pub async fn word_is_nowhere(nats_url: &str, word: &str) {
    let stream = events(nats_url).await;
    let state = stream.get_info().await.unwrap().state;
    for sequence in state.first_sequence..=state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let text = String::from_utf8_lossy(&message.payload);
        let headers = format!("{:?}", message.headers);
        assert!(!text.contains(word) && !headers.contains(word), "{word} stands in message {sequence}");
    }
}
