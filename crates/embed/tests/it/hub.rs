//! An endpoint that answers well, ill and not at all.
