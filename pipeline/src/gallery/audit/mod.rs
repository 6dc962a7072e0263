//! Audit: what was done with whose consent, in a chain that shows every change.
//!
//! [`deed`] says what is written down and how a line is made, [`log`] keeps the file, [`verify`] holds file and gallery against
//! each other. The log is written *before* the
//! gallery is changed, so that after any crash it knows more than the gallery and never less: who was forgotten stays so,
//! also when an old copy of the gallery is put back.

pub mod deed;
pub mod log;
pub mod verify;
