//! What clients may rely on being refused.
