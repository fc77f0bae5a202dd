//! The forms of the ports.

use serde_json::{Value, json};

use super::*;

fn sample() -> Value {
    json!({
        "color_analysis": {
            "primary_colors": ["#FF0000", "#00ff7f"],
            "secondary_colors": [],
            "color_temperature": "warm",
            "contrast_level": "high"
        },
        "typography": {
            "text_style": "bold",
            "text_size": "large",
            "text_placement": "overlay",
            "font_characteristics": ["condensed"]
        },
        "composition": {
            "layout_type": "rule_of_thirds",
            "focal_points": ["right"],
            "visual_hierarchy": "text_first",
            "balance": "asymmetric"
        },
        "visual_elements": {
            "has_human_face": true,
            "has_text_overlay": true,
            "has_logo_branding": true,
            "background_type": "gradient",
            "visual_effects": ["glow"]
        },
        "style_characteristics": {
            "design_style": "maximalist",
            "energy_level": 9,
            "mood": "exciting",
            "target_audience": "gaming"
        }
    })
}

fn dna() -> DesignDna {
    serde_json::from_value(sample()).unwrap()
}

#[test]
fn searchable_text_follows_the_seed() {
    assert_eq!(
        dna().searchable_text(),
        "maximalist exciting gaming warm contrast high rule_of_thirds asymmetric human face person \
         text overlay typography logo branding"
    );
    let mut plain = dna();
    plain.visual_elements.has_human_face = false;
    plain.visual_elements.has_text_overlay = false;
    plain.visual_elements.has_logo_branding = false;
    plain.style_characteristics.mood = String::new();
    assert_eq!(plain.searchable_text(), "maximalist gaming warm contrast high rule_of_thirds asymmetric");
}

#[test]
fn the_text_of_a_template_ends_with_what_the_admin_said() {
    let text = template_text(&dna(), "gaming", &["boss".to_owned(), "fight".to_owned()], "Big blast");
    assert!(text.starts_with("maximalist exciting"));
    assert!(text.ends_with("category:gaming boss fight Big blast"));
}

#[test]
fn dna_survives_json_and_writes_colours_in_upper_case() {
    let written = serde_json::to_value(dna()).unwrap();
    assert_eq!(written["color_analysis"]["primary_colors"], json!(["#FF0000", "#00FF7F"]));
    assert_eq!(serde_json::from_value::<DesignDna>(written).unwrap(), dna());
    dna().validate().unwrap();
}

#[test]
fn wrong_values_and_missing_fields_do_not_parse() {
    for (pointer, wrong) in [
        ("/color_analysis/primary_colors/0", json!("red")),
        ("/color_analysis/primary_colors/0", json!("#12345")),
        ("/color_analysis/primary_colors/0", json!("#+12345")),
        ("/color_analysis/color_temperature", json!("hot")),
        ("/composition/layout_type", json!("golden")),
        ("/style_characteristics/energy_level", json!("high")),
        ("/style_characteristics/energy_level", json!(-1)),
        ("/visual_elements/has_human_face", json!("yes")),
        ("/typography", json!(null)),
    ] {
        let mut broken = sample();
        *broken.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(serde_json::from_value::<DesignDna>(broken).is_err(), "{pointer} = {wrong}");
    }
}

#[test]
fn validation_names_what_is_wrong() {
    let mut broken = dna();
    broken.style_characteristics.energy_level = 11;
    assert_eq!(broken.validate(), Err(DnaFault::Energy(11)));
    let mut broken = dna();
    broken.color_analysis.primary_colors.clear();
    assert_eq!(broken.validate(), Err(DnaFault::Count { field: "primary_colors", count: 0, min: 1, max: 8 }));
    let mut broken = dna();
    broken.style_characteristics.mood = " ".to_owned();
    assert_eq!(broken.validate(), Err(DnaFault::Word { field: "mood" }));
}

#[test]
fn a_search_query_is_the_prompt_and_the_intent() {
    let intent = Intent {
        category: "gaming".to_owned(),
        style: "bold".to_owned(),
        mood: "exciting".to_owned(),
        energy_level: 9,
        visual_elements: vec!["explosion".to_owned(), "controller".to_owned()],
        headline: "Boom".to_owned(),
    };
    assert_eq!(
        intent.search_query("Create it"),
        "Create it category:gaming style:bold mood:exciting energy:9 explosion controller"
    );
}

#[test]
fn only_errors_that_may_pass_are_transient() {
    for error in [
        ProviderError::RateLimited { retry_after_ms: None },
        ProviderError::Overloaded,
        ProviderError::Timeout,
    ] {
        assert!(error.is_transient(), "{error}");
    }
    for error in [
        ProviderError::Auth,
        ProviderError::Quota,
        ProviderError::ContentBlocked { categories: Vec::new() },
        ProviderError::BadRequest { reason: String::new() },
        ProviderError::NotFound,
        ProviderError::Protocol { reason: String::new() },
    ] {
        assert!(!error.is_transient(), "{error}");
    }
}
