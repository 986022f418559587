//! What users rely on in names.
