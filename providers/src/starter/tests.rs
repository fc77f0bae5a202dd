use super::*;

#[test]
#[ignore = "writes the library for the eye; set STUDIO_GALLERY to a directory"]
fn gallery() {
    let Ok(dir) = std::env::var("STUDIO_GALLERY") else { return };
    for template in library() {
        std::fs::write(format!("{dir}/starter-{}.png", template.slug), template.draw().unwrap()).unwrap();
    }
}
