//! The ledger's sum under any sequence of commands, also when clocks run backwards. The books are kept here
//! a second time, from the events alone.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{commands, replay::decide};
use crate::RequestId;
use crate::credit_ledger::{CreditLedger, CreditLedgerEvent as Event, Part};

/// The sums of an auditor.
#[derive(Debug, Default)]
struct Books {
    granted: i64,
    withdrawn: i64,
    settled: i64,
    expired: i64,
    balance: i64,
    holds: BTreeMap<RequestId, Vec<Part>>,
}

fn sum(parts: &[Part]) -> i64 {
    parts.iter().map(|part| i64::from(part.amount.0)).sum()
}

impl Books {
    fn held(&self) -> i64 {
        self.holds.values().map(|parts| sum(parts)).sum()
    }

    fn enter(&mut self, event: &Event) {
        let balance_after = match event {
            Event::CreditsGranted { amount, balance_after, .. } => {
                self.granted += i64::from(amount.0);
                self.balance += i64::from(amount.0);
                balance_after
            }
            Event::CreditsHeld { request_id, amount, parts, balance_after, crossed_low, .. } => {
                assert_eq!(sum(parts), i64::from(amount.0), "the parts of a hold are the hold");
                assert!(self.holds.insert(*request_id, parts.clone()).is_none(), "an order holds once");
                let before = self.balance;
                self.balance -= sum(parts);
                if let Some(low) = crossed_low {
                    let low = i64::from(low.0);
                    assert!(before >= low && self.balance < low, "the warning comes at the crossing");
                }
                balance_after
            }
            Event::HoldSettled { request_id, amount, balance_after, .. } => {
                let parts = self.holds.remove(request_id).expect("what is settled was held");
                assert_eq!(sum(&parts), i64::from(amount.0));
                self.settled += sum(&parts);
                balance_after
            }
            Event::HoldReleased { request_id, amount, parts, balance_after, .. } => {
                let held = self.holds.remove(request_id).expect("what is released was held");
                assert_eq!(&held, parts, "a release returns what was drawn");
                assert_eq!(sum(parts), i64::from(amount.0));
                self.balance += sum(parts);
                balance_after
            }
            Event::CreditsExpired { amount, balance_after, .. } => {
                assert!(amount.0 > 0, "nothing does not expire");
                self.expired += i64::from(amount.0);
                self.balance -= i64::from(amount.0);
                balance_after
            }
            Event::CreditsWithdrawn { amount, parts, balance_after, .. } => {
                assert_eq!(sum(parts), i64::from(amount.0), "the parts of a withdrawal are the withdrawal");
                self.withdrawn += i64::from(amount.0);
                self.balance -= i64::from(amount.0);
                balance_after
            }
        };
        assert!(self.balance >= 0, "a balance is never negative");
        assert_eq!(i64::from(balance_after.0), self.balance, "a balance follows from the one before");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_command_sequence_keeps_the_ledgers_sum(commands in vec(commands::credit_ledger(), 0..120)) {
        let mut ledger = CreditLedger::default();
        let mut books = Books::default();
        for command in commands {
            for event in decide(&mut ledger, command) {
                books.enter(&event);
            }
            prop_assert_eq!(i64::from(ledger.available().0), books.balance);
            prop_assert_eq!(i64::from(ledger.held().0), books.held());
            let holds: BTreeMap<_, _> = ledger.holds.iter().map(|(id, parts)| (*id, parts.clone())).collect();
            prop_assert_eq!(&holds, &books.holds);
            prop_assert_eq!(
                books.granted - books.withdrawn,
                books.balance + books.held() + books.settled + books.expired
            );
        }
    }

    #[test]
    fn after_any_command_nothing_that_has_ended_is_available(
        commands in vec(commands::credit_ledger(), 0..60),
        last in commands::time(),
    ) {
        let mut ledger = CreditLedger::default();
        for command in commands {
            decide(&mut ledger, command);
        }
        let expire = crate::credit_ledger::CreditLedgerCommand::Expire {
            user_id: super::examples::ALICE,
            at: last,
        };
        decide(&mut ledger, expire);
        prop_assert!(ledger.grants.iter().all(|grant| grant.expires_at.is_none_or(|end| end > last)));
    }
}
