//! Guide: what this visitor wants to hear.
