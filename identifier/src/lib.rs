#![doc = include_str!("../README.md")]

mod country;
mod country_name;
mod email;
mod error;
mod hashed;
mod person_name;
mod phone;
mod text;
mod traits;
mod zip;

pub use country::Country;
pub use email::Email;
pub use error::ParseError;
pub use hashed::Hashed;
pub use person_name::PersonName;
pub use phone::Phone;
pub use traits::{Identifier, Kind, from_traits};
pub use zip::Zip;
