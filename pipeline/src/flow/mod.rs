//! Flow: how many, how long, what next. Names nobody.
