//! The case `http-create`: orders with a token over 32 connections, of users with 10 and with 1,000 holds in their
//! ledger, open or past, while pictures are drawn and while none are. Beside it the seed's way behind one handler in
//! axum: a guarded UPDATE of the balance and an INSERT of the request, in one transaction.

use commands::CommandError;
use domain::credit_ledger::{CreditLedger, CreditLedgerCommand};
use domain::{Credits, RequestId, UserId};
use event_log::{EventLog, clock};
use hyper::Method;
use serde_json::json;

use crate::Effort;
use crate::drive::{Measured, drive, median};
use crate::peer_http::PeerServer;
use crate::report::Report;
use crate::service::{Connection, Process};
use crate::stack::{self, Stack};
use crate::writers::context;

const CONNECTIONS: usize = 32;
const WARM_UP_SECONDS: f64 = 1.0;
const PATH: &str = "/api/v1/generation/create";
const PROMPT: &str = "Create a gaming thumbnail with explosions and a big yellow title, please";
const SIGNUP_CREDITS: &str = "1000000000";

/// The holds in a user's ledger before the first order.
#[derive(Debug, Clone, Copy)]
struct Holds {
    count: usize,
    are_open: bool,
}

const LEDGERS: [Holds; 4] = [
    Holds { count: 10, are_open: true },
    Holds { count: 10, are_open: false },
    Holds { count: 1000, are_open: true },
    Holds { count: 1000, are_open: false },
];

pub async fn run(effort: &Effort) -> Report {
    let mut report = Report::new("http-create");
    let stack = Stack::with_nats().await;
    let url = stack.migrated().await;
    let server = Process::routix(&stack, &url, &["serve", "--signup-credits", SIGNUP_CREDITS]).await;
    let _work = Process::routix(&stack, &url, &["work", "--role", "relay,projections"]).await;
    let log = stack::log(&url).await;
    let peer = PeerServer::start(&stack).await;
    let orders_of_peer = peer.orders(CONNECTIONS).await;
    order(&orders_of_peer, WARM_UP_SECONDS).await;
    for holds in LEDGERS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds {
            // Each order opens a hold more, so each round has users of its own.
            let users = users(&server.address, &log, holds).await;
            order(&users, WARM_UP_SECONDS / 2.0).await;
            ours.push(order(&users, effort.seconds).await);
            theirs.push(order(&orders_of_peer, effort.seconds).await);
        }
        tell(&mut report, holds, "off", &median(ours), &median(theirs));
    }
    let _generation = Process::routix(&stack, &url, &["work", "--role", "generation"]).await;
    for holds in LEDGERS {
        let users = users(&server.address, &log, holds).await;
        order(&users, WARM_UP_SECONDS / 2.0).await;
        let ours = order(&users, effort.seconds).await;
        let theirs = order(&orders_of_peer, effort.seconds).await;
        tell(&mut report, holds, "on", &ours, &theirs);
    }
    report
}

fn tell(report: &mut Report, holds: Holds, generation: &str, ours: &Measured, theirs: &Measured) {
    let state = if holds.are_open { "open" } else { "past" };
    let params = json!({ "holds": holds.count, "state": state, "generation": generation });
    let peer = "axum + UPDATE and INSERT";
    report.beside("throughput", ours.per_second(), "orders/s", params.clone(), (peer, theirs.per_second()));
    let p99 = theirs.percentile_ms(0.99);
    report.beside("p99", ours.percentile_ms(0.99), "ms", params, (peer, p99));
}

/// Connections of new users with such ledgers.
async fn users(address: &str, log: &EventLog, holds: Holds) -> Vec<Connection> {
    let mut users = Vec::new();
    for _ in 0..CONNECTIONS {
        let user = Connection::of_new_user(address).await;
        fill(log, UserId(user.user_id), holds).await;
        users.push(user);
    }
    users
}

async fn fill(log: &EventLog, user_id: UserId, holds: Holds) {
    let at = clock::now();
    let mut commands = Vec::new();
    for _ in 0..holds.count {
        let request_id = RequestId(clock::new_id());
        let low_threshold = Credits(0);
        commands.push(CreditLedgerCommand::Hold {
            user_id,
            request_id,
            amount: Credits(1),
            low_threshold,
            at,
        });
        if !holds.are_open {
            commands.push(CreditLedgerCommand::Settle { user_id, request_id, at });
        }
    }
    let unit = log.unit::<CommandError>(context(log, user_id, b"{}"));
    unit.execute::<CreditLedger>(user_id, commands).commit().await.unwrap();
}

/// Orders, each connection for its own user.
async fn order(users: &[Connection], seconds: f64) -> Measured {
    let body = json!({ "prompt": PROMPT, "algorithm_id": "routix_lightning" }).to_string();
    drive(users.len(), seconds, |index| {
        let (connection, body) = (users[index].clone(), body.clone());
        move || {
            let (connection, body) = (connection.clone(), body.clone());
            async move {
                let (status, answer) = connection.send(Method::POST, PATH, body.into()).await;
                assert!(status.is_success(), "{status} {}", String::from_utf8_lossy(&answer));
            }
        }
    })
    .await
}
