//! Every integration test of Routix in one binary.
