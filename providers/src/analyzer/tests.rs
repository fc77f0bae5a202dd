use super::*;

#[test]
#[ignore = "prints what was measured on the starter library"]
fn survey() {
    for template in crate::starter::library() {
        let picture = crate::pictures::decode(&template.draw().unwrap(), &PictureLimits::default()).unwrap();
        let sample = Sample::of(&picture);
        let light = measure::light(&sample);
        println!("{:26} words={:?}", template.slug, measure::words(&sample));
        println!("    mean={:.0} dev={:.0} range={:.0} sat={:.2} warm={:.2} edges={:.3} asym={:.0} border={:?} skin={:?} plate={}",
            light.mean, light.deviation, light.range, light.saturation, light.warmth, light.edges,
            measure::asymmetry(&sample), measure::border(&sample), measure::skin_patch(&sample).map(|p| p.area),
            measure::has_corner_plate(&sample, light.mean));
        let dna = describe::describe(&sample, &AnalysisHints::default());
        println!("    {} {} e{} {:?} {:?} {:?} {:?} {:?}", dna.style_characteristics.design_style, dna.style_characteristics.mood,
            dna.style_characteristics.energy_level, dna.visual_elements.background_type, dna.composition.layout_type,
            dna.color_analysis.contrast_level,
            dna.color_analysis.primary_colors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            dna.color_analysis.secondary_colors.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
}
