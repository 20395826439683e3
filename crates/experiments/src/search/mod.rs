//! Which network to take.
//!
//! Every combination of outputs S, units d, weight of the defence, noise and precision is trained, compiled, attacked
//! by fresh attackers and priced. The result is the Pareto front of main accuracy against the strongest attacker
//! against the cost of an encrypted evaluation; a person picks a point. Every point is a file in the folder, so that a
//! stopped search can resume, and one with more points keeps those it has.

mod front;
mod page;
mod point;
mod space;
mod walk;

pub use front::Front;
pub use point::{Found, Point};
pub use space::Space;
pub use walk::{Search, Setting};
