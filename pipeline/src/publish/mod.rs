//! Publish: visits and greetings to whoever must hear.
