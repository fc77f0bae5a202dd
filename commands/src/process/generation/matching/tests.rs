//! The order in which the library is asked.

use event_log::Position;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::TemplateId;
use uuid::Uuid;

use super::*;
use crate::ActiveAlgorithm;

const AFTER: Position = Position::new(7);

/// A library that finds something from the n-th question on.
struct Library {
    finds_at: usize,
    asked: Mutex<Vec<String>>,
}

impl Library {
    fn answer(&self, question: String, after: Position) -> Vec<FoundTemplate> {
        assert_eq!(after, AFTER);
        let mut asked = self.asked.lock().unwrap();
        asked.push(question);
        let found = FoundTemplate { template_id: TemplateId(Uuid::nil()), similarity: 0.0 };
        if asked.len() >= self.finds_at { vec![found] } else { vec![] }
    }
}

#[async_trait]
impl ReadSide for Library {
    async fn matching_templates(
        &self,
        query: &TemplateQuery,
        after: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError> {
        Ok(self.answer(format!("similar in {}", query.category.as_deref().unwrap_or("any")), after))
    }

    async fn featured_templates(
        &self,
        limit: i64,
        after: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError> {
        Ok(self.answer(format!("{limit} featured"), after))
    }

    async fn style_dna(&self, _: TemplateId) -> Result<Option<serde_json::Value>, ReadSideError> {
        unreachable!("matching looks at no design DNA")
    }

    async fn active_algorithms(&self, _: Position) -> Result<Vec<ActiveAlgorithm>, ReadSideError> {
        unreachable!("matching offers no algorithm")
    }
}

/// The questions that are asked until the n-th of them finds something, and how much was found.
async fn asked(finds_at: usize, category: Option<&str>) -> (Vec<String>, usize) {
    let library = Library { finds_at, asked: Mutex::default() };
    let query = TemplateQuery {
        vector: vec![1.0],
        model: "studio-1".to_owned(),
        category: category.map(str::to_owned),
        threshold: 0.5,
        limit: 3,
    };
    let found = choose(&library, query, AFTER).await.unwrap().len();
    (library.asked.into_inner().unwrap(), found)
}

#[tokio::test]
async fn a_category_that_has_something_similar_is_enough() {
    assert_eq!(asked(1, Some("travel")).await, (vec!["similar in travel".to_owned()], 1));
}

#[tokio::test]
async fn something_similar_elsewhere_is_better_than_what_is_only_featured() {
    let (questions, found) = asked(2, Some("travel")).await;
    assert_eq!((questions, found), (vec!["similar in travel".into(), "similar in any".into()], 1));
}

#[tokio::test]
async fn featured_templates_stand_in_where_nothing_is_similar() {
    let (questions, found) = asked(3, Some("travel")).await;
    assert_eq!((questions.last().map(String::as_str), found), (Some("3 featured"), 1));
}

#[tokio::test]
async fn an_empty_library_gives_none_and_no_question_is_asked_twice() {
    assert_eq!(asked(9, None).await, (vec!["similar in any".into(), "3 featured".into()], 0));
}
