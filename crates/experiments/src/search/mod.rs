//! Which network to take.
//!
//! Every combination of outputs S, units d, weight of the defence, noise and precision is trained,
//! compiled, attacked by fresh attackers and priced. What comes out is the Pareto front of main accuracy
//! against the strongest attacker against the cost of an encrypted evaluation; a person picks a point.
//! Every point is a file of the folder, so that a search that was stopped goes on, and one that is asked
//! for more points keeps those it has.

mod front;
mod page;
mod point;
mod space;
mod walk;

pub use front::Front;
pub use point::{Found, Point};
pub use space::Space;
pub use walk::{Search, Setting};
