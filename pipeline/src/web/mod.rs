//! Web: the pages and their API.
