//! The effort of a measurement, from the command line.

/// The length and the number of measurements.
#[derive(Debug, Clone, clap::Args)]
pub struct Effort {
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// Measurements of each figure, taken in turn with those of its peer; the median counts.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Writers at once, for the case `append`. At 32 cqrs-es is measured too.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32, 128, 512])]
    pub writers: Vec<usize>,
}
